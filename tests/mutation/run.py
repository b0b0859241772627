"""Mutation testing: would a test notice if a line of the measurement, the acceptance test or the seal were wrong?

    python -m tests.mutation.run [PART ...] [--sample 20] [--seed 1] [--out FILE] [--constants]
    python -m tests.mutation.run --again FILE

Of each file a sample of mutants is drawn, so many of a file at most; the tests of its part run against each, in a
process of its own. A mutant that no test notices has survived. The figures and the survivors are in docs/mutation.md,
which `python -m tests.mutation.page` writes. A part is one of `targets.py`; `named` runs the mutants that stand for
faults of an earlier review. `--constants` takes numbers alone. Parts in C need what `make test` needs to build them.

Neither mutmut nor cosmic-ray does this: mutmut changes functions alone, and most thresholds stand outside of them;
cosmic-ray changes numbers by one, and starts a process for each mutant; neither changes C.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutation import c_mutants, c_twins, forked, python_mutants
from tests.mutation.targets import C_PARTS, NAMED, PYTHON_PARTS, ROOT, Part

NAMED_PART = "named"
PARTS = {part.name: part for part in (*PYTHON_PARTS, *C_PARTS)}


@dataclass
class Result:
    """One mutant and whether a test noticed it."""

    part: str
    file: str
    line: int
    text: str
    """The line of the source."""
    before: str
    after: str
    place: int
    """Position among all mutants of the file; -1 of those that are named."""
    outcome: str


def sample_of(part: Part, count: int, seed: int, *, constants: bool) -> Iterator[tuple[Path, python_mutants.Mutant]]:
    """Draw mutants of each file of a part, in the order of the file."""
    list_mutants = c_mutants.mutants_of if part in C_PARTS else python_mutants.mutants_of
    for path in part.sources():
        found = list_mutants(path.read_text())
        if constants:
            found = [mutant for mutant in found if _is_number(mutant.before)]
        draw = random.Random(f"{seed} {path.relative_to(ROOT)}")
        for mutant in sorted(draw.sample(found, min(count, len(found))), key=lambda mutant: mutant.place):
            yield path, mutant


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def run_part(part: Part, count: int, seed: int, *, constants: bool) -> Iterator[Result]:
    """Run the tests of a part against its mutants."""
    judge = c_twins.Judge(part) if part in C_PARTS else PythonJudge(part)
    for path, mutant in sample_of(part, count, seed, constants=constants):
        source = path.read_text()
        mutated = (c_mutants if part in C_PARTS else python_mutants).mutated(source, mutant.place)
        outcome = judge(path, mutated)
        text = source.splitlines()[mutant.line - 1].strip()
        file = path.relative_to(ROOT).as_posix()
        yield Result(part.name, file, mutant.line, text, mutant.before, mutant.after, mutant.place, outcome)


class PythonJudge:
    """Runs the tests of a part against a file that was changed."""

    def __init__(self, part: Part) -> None:
        self.tests = part.tests
        self.limit_s = forked.limit_of(part, lambda limit_s: forked.run_tests(self.tests, (), None, limit_s))

    def __call__(self, path: Path, source: str) -> str:
        """Return the outcome of a changed file."""
        return forked.run_tests(self.tests, (), (path, source), self.limit_s)


def run_named() -> Iterator[Result]:
    """Run the mutants that stand for faults of an earlier review."""
    for part in PYTHON_PARTS:
        named = [mutant for mutant in NAMED if mutant.part == part.name]
        judge = PythonJudge(part) if named else None
        for mutant in named:
            path = ROOT / mutant.file
            source = path.read_text()
            if source.count(mutant.before) != 1 or judge is None:
                raise SystemExit(f"{mutant.file}: {mutant.before!r} stands there {source.count(mutant.before)} times")
            line = source[: source.index(mutant.before)].count("\n") + 1
            outcome = judge(path, source.replace(mutant.before, mutant.after))
            yield Result(NAMED_PART, mutant.file, line, mutant.before, mutant.before, mutant.after, -1, outcome)


def run_again(stored: list[Result]) -> Iterator[Result]:
    """Run the mutants that survived an earlier run once more, after tests were added; the others stay as they are."""
    judges: dict[str, PythonJudge | c_twins.Judge] = {}
    for result in stored:
        if result.outcome != forked.SURVIVED:
            continue
        name = next(n.part for n in NAMED if n.file == result.file) if result.place < 0 else result.part
        is_c = PARTS[name] in C_PARTS
        if name not in judges:
            judges[name] = c_twins.Judge(PARTS[name]) if is_c else PythonJudge(PARTS[name])
        path = ROOT / result.file
        source = path.read_text()
        if result.place < 0:
            mutated = source.replace(result.before, result.after)
        else:
            mutated = (c_mutants if is_c else python_mutants).mutated(source, result.place)
        result.outcome = judges[name](path, mutated)
        yield result


def report(result: Result) -> None:
    """Print a line for a mutant."""
    print(f"{result.outcome:14} {result.file}:{result.line} {result.before} -> {result.after}", flush=True)


def write(results: list[Result], settings: dict[str, object], out: Path | None) -> None:
    """Write the results so far."""
    if out:
        stored = {**settings, "mutants": [asdict(result) for result in results]}
        out.write_text(json.dumps(stored, indent=1) + "\n")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join((NAMED_PART, *PARTS))}; all if none")
    parser.add_argument("--sample", type=int, default=20, help="Most mutants of a file.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--constants", action="store_true", help="Numbers alone.")
    parser.add_argument("--out", type=Path, help="File for the results, as JSON, written after each mutant.")
    parser.add_argument("--again", type=Path, help="Results whose survivors are run once more; they are written again.")
    options = parser.parse_args()
    if unknown := set(options.parts) - {NAMED_PART, *PARTS}:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join((NAMED_PART, *PARTS))}")
    forked.import_libraries()
    results: list[Result] = []
    settings: dict[str, object] = {name: getattr(options, name) for name in ("sample", "seed", "constants")}
    found: Iterator[Result]
    if options.again:
        settings = json.loads(options.again.read_text())
        results = [Result(**row) for row in settings.pop("mutants")]
        for result in run_again(results):
            report(result)
            write(results, settings, options.again)
    for name in () if options.again else options.parts or [NAMED_PART, *PARTS]:
        if name == NAMED_PART:
            found = run_named()
        else:
            found = run_part(PARTS[name], options.sample, options.seed, constants=options.constants)
        for result in found:
            results.append(result)
            report(result)
            write(results, settings, options.out)
    survived = sum(result.outcome == forked.SURVIVED for result in results)
    print(f"{len(results) - survived} of {len(results)} killed")


if __name__ == "__main__":
    main()

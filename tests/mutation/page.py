"""Write the tables of docs/mutation.md: mutants killed of each part, and the survivors with the reason of each.

    python -m tests.mutation.page [RESULTS.json ...]

Results that are given are joined into `docs/mutation.json` first; of a part the newest count. The reasons are in
`tests/mutation/survivors.toml`. The page between its two marks is written anew; a survivor without a reason is listed
as one that a test should kill.
"""

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.mutation.c_twins import NOT_BUILT
from tests.mutation.forked import SURVIVED
from tests.mutation.run import NAMED_PART, PARTS
from tests.mutation.targets import ROOT

PAGE, STORED = ROOT / "docs" / "mutation.md", ROOT / "docs" / "mutation.json"
REASONS = Path(__file__).with_name("survivors.toml")
BEGIN, END = "<!-- mutants -->", "<!-- /mutants -->"
OPEN = "open: a test should notice"
Mutant = dict[str, Any]


def join(paths: list[Path]) -> None:
    """Put results into the stored ones, in the place of those of the same parts."""
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    for path in paths:
        given = json.loads(path.read_text())
        settings = {key: given[key] for key in ("sample", "seed")}
        for part in dict.fromkeys(mutant["part"] for mutant in given["mutants"]):
            mutants = [mutant for mutant in given["mutants"] if mutant["part"] == part]
            stored[part] = {**settings, "mutants": mutants}
    STORED.write_text(json.dumps(stored, indent=1) + "\n")


def reasons() -> dict[tuple[str, ...], str]:
    """Return why mutants survive, by file, line of the source, what was there and what takes its place."""
    entries = tomllib.loads(REASONS.read_text()).get("survivor", [])
    return {(e["file"], e["text"], e["before"], e["after"]): e["why"] for e in entries}


def render() -> str:
    """Return the tables."""
    stored, why = json.loads(STORED.read_text()), reasons()
    lines = ["| part | mutants of a file | mutants | killed | survived | of them equal |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    totals = [0, 0, 0]
    for name in (name for name in (NAMED_PART, *PARTS) if name in stored):
        mutants = [mutant for mutant in stored[name]["mutants"] if mutant["outcome"] != NOT_BUILT]
        survivors = [mutant for mutant in mutants if mutant["outcome"] == SURVIVED]
        equal = sum(why.get(key_of(mutant), "").startswith("equal") for mutant in survivors)
        killed = len(mutants) - len(survivors)
        sample = "as listed" if name == NAMED_PART else f"at most {stored[name]['sample']}"
        share = f"{killed} ({100 * killed / len(mutants):.0f}%)"
        lines.append(f"| {name} | {sample} | {len(mutants)} | {share} | {len(survivors)} | {equal} |")
        totals = [a + b for a, b in zip(totals, (len(mutants), killed, equal), strict=True)]
    count, killed, equal = totals
    lines.append(f"| all | | {count} | {killed} ({100 * killed / count:.0f}%) | {count - killed} | {equal} |")
    share = 100 * killed / max(1, count - equal)
    lines += ["", f"Of the mutants that are not equal {share:.0f}% were killed.", "", *survivor_lines(stored, why)]
    return "\n".join(lines)


def survivor_lines(stored: dict[str, Any], why: dict[tuple[str, ...], str]) -> Iterator[str]:
    """Yield the table of survivors."""
    yield "| file and line | change | why no test notices |"
    yield "|---|---|---|"
    for part in stored.values():
        for mutant in part["mutants"]:
            if mutant["outcome"] == SURVIVED:
                change = f"`{mutant['before']}` to `{mutant['after']}`".replace("|", "\\|")
                yield f"| `{mutant['file']}`, {mutant['line']} | {change} | {why.get(key_of(mutant), OPEN)} |"


def key_of(mutant: Mutant) -> tuple[str, ...]:
    """Return what identifies a mutant where lines have moved."""
    return mutant["file"], mutant["text"], mutant["before"], mutant["after"]


def main() -> None:
    """Join results, if any are given, and write the page."""
    if paths := [Path(name) for name in sys.argv[1:]]:
        join(paths)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{render()}\n\n{END}{after}")


if __name__ == "__main__":
    main()

"""Model files on this machine's processor and on emulated ones: `make test-cpus` and `make test-arm`.

Runs every file on the same cines with the engines' own wheels, prints the differences from this machine as a Markdown
table, and exits 1 if a file differs by more than its limit: int8 in ONNX Runtime by one bit of prob, masks, areas,
beats or EF. Emulation shows which kernels run and their results, not their speed.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from board import CPUS as ARM
from cines import DRAWN, REAL, write_cines
from compare import Row, compare, fingerprint, grouped, table
from processors import EMULATED, NATIVE, Processors, describe_native

from edgeecho.errors import EdgeEchoError
from edgeecho.model.registry import packaged_models
from edgeecho.model.sealed_file import read_verified
from edgeecho.runtime.engines.engine import usable_cores

FP32_CPUS = ("cortex-a72",)
"""ARM processors that run fp32, which takes several times as long as int8."""
MAX_DRAWN_BYTES = 2_000_000
"""Size above which a file runs on the SonoSite cine alone."""
WORKER = Path(__file__).with_name("answer.py")


@dataclass(frozen=True)
class Task:
    """One file and the cines that it runs on."""

    file: Path
    cines: tuple[str, ...]
    lowering: str
    """Lowering in the file's spec: `none` for native 3D convolutions, `2d`."""

    @property
    def label(self) -> str:
        """Folder and file name."""
        return f"{self.file.parent.name}/{self.file.name}"

    @property
    def is_exact(self) -> bool:
        """Whether the file has to give the same bits on every processor: int8 in ONNX Runtime."""
        return ".int8." in self.file.name and self.file.suffix != ".xml"

    def answers(self, folder: Path) -> Path:
        """Return the path of the file with its answers."""
        return folder / f"{self.file.parent.name}.{self.file.name}.npz"

    def skipped_on(self, processor: str) -> str:
        """Return the reason why the file does not run on a processor; empty if it does."""
        if self.file.suffix == ".xml" and self.lowering == "none" and processor in ARM:
            return "not run: 3D convolutions, written for x86; ARM takes files of `--target arm`"
        return ""


def main() -> None:
    options = parse()
    try:
        rows = run(options)
    except EdgeEchoError as error:
        sys.exit(f"error: {error}")
    failed = sum(row.failed for row in rows)
    sys.exit(f"error: {failed} of {len(rows)} comparisons are over the limit" if failed else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the emulated root; made once, kept")
    parser.add_argument("--cpus", default=",".join(EMULATED), help=f"of {','.join(EMULATED)}, or {NATIVE} alone")
    parser.add_argument("--bundle", type=Path, action="append", help="exported folder; default: the packaged models")
    parser.add_argument("--export", help="export this model for ARM in all formats, and run its files, fp32 too")
    parser.add_argument("--jobs", type=int, default=usable_cores(), help="files that run at once; default: every core")
    options = parser.parse_args()
    options.cpus = [name for name in options.cpus.split(",") if name != NATIVE]
    unknown = set(options.cpus) - set(EMULATED)
    if unknown:
        parser.error(f"unknown processors {', '.join(sorted(unknown))}; known: {', '.join((NATIVE, *EMULATED))}")
    return options


def run(options: argparse.Namespace) -> list[Row]:
    """Run every file on every processor and print the tables; the rows of the comparison."""
    begun = time.monotonic()
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    if options.export:
        say(begun, f"exporting {options.export} for ARM")
        folders, precisions = [export_for_arm(options.export, cache / "bundle")], (".int8.", ".fp32.")
    else:
        folders, precisions = options.bundle or packaged_models(), (".int8.",)
    tasks = tasks_of(folders, precisions)
    cines = cache / "cines.npz"
    write_cines(cines)
    processors = Processors(cache)
    rows: list[Row] = []
    kernels = []
    for name in (NATIVE, *options.cpus):
        chosen = [t for t in tasks if not t.skipped_on(name) and (name in (NATIVE, *FP32_CPUS) or ".int8." in t.label)]
        say(begun, f"{len(chosen)} files run on {name}")
        ended = run_tasks(processors.command(name), cache / name, cines, chosen, options.jobs)
        if ended and name == NATIVE:
            sys.exit(f"error: natively, {ended}")
        for task in tasks:
            if task in chosen and task.file.suffix == ".xml":
                kernels.append((task.label, name, kernels_of(task.answers(cache / name))))
            if name != NATIVE and (task in chosen or task.skipped_on(name)):
                rows.append(row_of(task, name, cache, ended))
    say(begun, "done")
    exact = [task for task in tasks if task.is_exact]
    report(rows, kernels, exact, cache / NATIVE)
    return rows


def export_for_arm(model: str, out: Path) -> Path:
    """Export a model for ARM in all formats; the folder."""
    from edgeecho.export.bundle import export
    from edgeecho.export.options import FORMATS, Options

    return export(model, out, Options(formats=FORMATS, target="arm")).folder


def tasks_of(folders: list[Path], precisions: tuple[str, ...]) -> list[Task]:
    """Every file of the folders that an engine opens, with its cines.

    Raises:
        SystemExit: If there is none, or two folders have one name.
    """
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        sys.exit(f"error: two folders have one name: {', '.join(names)}; rename one")
    tasks = []
    for folder in folders:
        for file in sorted(folder.resolve().iterdir()):
            if file.suffix in (".onnx", ".ort", ".xml") and any(part in file.name for part in precisions):
                small = ".int8." in file.name and file.suffix != ".xml" and file.stat().st_size <= MAX_DRAWN_BYTES
                tasks.append(Task(file, (REAL, DRAWN) if small else (REAL,), read_verified(file).spec.lowering))
    if not tasks:
        sys.exit(f"error: no {' or '.join(precisions)} model files in {', '.join(map(str, folders))}")
    return tasks


def run_tasks(command: list[str], out: Path, cines: Path, tasks: list[Task], jobs: int) -> str:
    """Run tasks on one processor, in `jobs` processes of one thread each, and those of OpenVINO apart.

    Returns:
        How workers ended that did not end well, with the last line that they wrote; empty if all ended well.
    """
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    shares = []
    for kind in ([t for t in tasks if t.file.suffix == ".xml"], [t for t in tasks if t.file.suffix != ".xml"]):
        largest_first = sorted(kind, key=lambda task: -task.file.stat().st_size)
        shares += [share for i in range(jobs) if (share := largest_first[i::jobs])]

    def work(share: list[Task]) -> str:
        listed = out / f"tasks_{shares.index(share)}.json"
        items = [{"file": str(t.file), "cines": t.cines, "out": str(t.answers(out))} for t in share]
        listed.write_text(json.dumps(items))
        done = subprocess.run([*command, str(WORKER), str(cines), str(listed)], stderr=subprocess.PIPE, text=True)
        lines = done.stderr.strip().splitlines() or [""]
        return f"the worker ended with {done.returncode}: {lines[-1]}" if done.returncode else ""

    with ThreadPoolExecutor(jobs) as pool:
        return "; ".join(dict.fromkeys(filter(None, pool.map(work, shares))))


def row_of(task: Task, processor: str, cache: Path, ended: str) -> Row:
    """The comparison of one file on one processor with this machine."""
    skipped = task.skipped_on(processor)
    if skipped:
        return Row(task.label, processor, skipped, skipped=True)
    other, native = task.answers(cache / processor), task.answers(cache / NATIVE)
    if not other.is_file():
        return Row(task.label, processor, f"no answer: {ended}")
    return Row(task.label, processor, compare(other, native))


def kernels_of(answers: Path) -> str:
    """OpenVINO's kernels of a file's convolutions."""
    if not answers.is_file():
        return "none"
    with np.load(answers) as data:
        return str(data.get("kernels", "none"))


def report(rows: list[Row], kernels: list[tuple[str, str, str]], exact: list[Task], native: Path) -> None:
    """Print everything that the documents record."""
    engines = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "openvino", "numpy"))
    print(f"native: {describe_native()}; {engines}\n")
    if rows:
        print(table(rows))
    if kernels:
        print("\n| file | processors | OpenVINO's kernels of its convolutions |\n|---|---|---|")
        for file, processors, found in grouped(kernels):
            print(f"| `{file}` | {processors} | {found} |")
    print("\nSHA-256 of the native answers of int8 in ONNX Runtime to the SonoSite cine:")
    folders = {task.file.parent: None for task in exact}
    for folder in folders:
        print(f"{fingerprint(t.answers(native) for t in exact if t.file.parent == folder)}  {folder.name}")
    print(f"{fingerprint(task.answers(native) for task in exact)}  all")
    held = [row for row in rows if row.file in {task.label for task in exact}]
    if held:
        print(f"\nint8 in ONNX Runtime: {sum(row.failed for row in held)} of {len(held)} comparisons differ in a bit")


def say(begun: float, text: str) -> None:
    """Print progress to stderr, with the time since the start and the CPU time of all workers so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = f"{time.monotonic() - begun:4.0f} s ({used.ru_utime + used.ru_stime:.0f} s of CPU)"
    print(f"{taken}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""All robustness programs one after another, and the table of `docs/reliability.md` that their figures make.

    python -m tests.robustness --out build/robustness        run everything, for about three hours on two cores
    python -m tests.robustness --out build/robustness --only bombs,calls
    python -m tests.robustness --out build/robustness --table   print the table of the figures that are there

Each program's figures are written to OUT/NAME.json. The exit code is 1 if one of them has a fault.
"""

import argparse
import json
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PROGRAMS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "silence": ("commands and engines, traced: packets, files in the home directory", "silence.watch_all", ()),
    "readers": ("damaged cines of 14 formats, read", "readers.fuzz_readers", (20_000, 1)),
    "coverage": ("inputs of ten parsers, guided by coverage", "coverage.fuzz_all", (600,)),
    "bombs": ("bombs, read with 256 MB", "bombs.try_bombs", ()),
    "flips": ("flipped bits of model files", "models.flip_files", (3000,)),
    "specs": ("specs that are absurd, sealed again", "models.forge_specs", ()),
    "graphs": ("damaged graphs, sealed again, opened and run", "models.forge_graphs", (300,)),
    "calls": ("wild calls of the public functions", "calls.call_all", (3000,)),
    "threads": ("answers of threads that share a predictor", "threads.share_all", (20,)),
    "faults": ("full disks, closed streams, odd files, places that cannot be written", "faults.try_faults", ()),
    "kills": ("kills of commands at random moments, SIGKILL and SIGTERM", "kills.kill_all", (200,)),
    "crowd": ("several processes of a command at once, in one place", "crowd.crowd_all", (5,)),
}
"""Name of a program to what it tries, and the function of this package that runs it, with its arguments."""


def run_program(name: str) -> dict[str, Any]:
    """Run a program and return its figures; it is imported here, as each needs packages of its own."""
    _, place, arguments = PROGRAMS[name]
    module, _, function = place.partition(".")
    figures: dict[str, Any] = getattr(import_module(f"tests.robustness.{module}"), function)(*arguments)
    return figures


def table(folder: Path) -> str:
    """Return the table of the figures that are in a folder, in Markdown."""
    rows = ["| program | what is tried | figures | faults |", "|---|---|---|---|"]
    for name, (what, _, _) in PROGRAMS.items():
        path = folder / f"{name}.json"
        if not path.is_file():
            continue
        figures = json.loads(path.read_text())
        texts = [
            f"{key.replace('_', ' ')} {value:,}" for key, value in figures.items() if isinstance(value, int | float)
        ]
        rows.append(f"| `{name}` | {what} | {', '.join(texts)} | {len(figures['faults'])} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(PROGRAMS), help="names of programs with commas between")
    parser.add_argument("--table", action="store_true", help="print the table alone")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    faults = 0
    for name in [] if given.table else given.only.split(","):
        print(f"{name}: {PROGRAMS[name][0]}", file=sys.stderr)
        figures = run_program(name)
        (given.out / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
        faults += len(figures["faults"])
        for fault in figures["faults"]:
            print(f"  {fault}", file=sys.stderr)
    print(table(given.out))
    print(f"\nPython {platform.python_version()}, {platform.platform()}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

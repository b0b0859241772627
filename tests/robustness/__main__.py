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
from collections.abc import Callable
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


def _readers() -> Figures:
    from tests.robustness.readers import fuzz_readers

    return fuzz_readers(20_000, seed=1).to_dict()


def _coverage() -> Figures:
    from tests.robustness.coverage import fuzz_all

    return fuzz_all(600)


def _bombs() -> Figures:
    from tests.robustness.bombs import try_bombs

    return try_bombs()


def _flips() -> Figures:
    from tests.robustness.models import flip_files

    return flip_files(3000)


def _specs() -> Figures:
    from tests.robustness.models import forge_specs

    return forge_specs()


def _graphs() -> Figures:
    from tests.robustness.models import forge_graphs

    return forge_graphs(300)


def _calls() -> Figures:
    from tests.robustness.calls import make_calls

    return make_calls(3000)


def _threads() -> Figures:
    from tests.robustness.threads import run_threads

    return run_threads(20)


def _faults() -> Figures:
    from tests.robustness.faults import try_faults

    return try_faults()


def _kills() -> Figures:
    from tests.robustness.kills import kill_all

    return kill_all(200)


def _silence() -> Figures:
    from tests.robustness.silence import watch_all

    return watch_all()


PROGRAMS: dict[str, tuple[str, Callable[[], Figures]]] = {
    "silence": ("commands and engines, traced: packets, files in the home directory", _silence),
    "readers": ("damaged cines of 14 formats, read", _readers),
    "coverage": ("inputs of ten parsers, guided by coverage", _coverage),
    "bombs": ("bombs, read with 256 MB", _bombs),
    "flips": ("flipped bits of model files", _flips),
    "specs": ("specs that are absurd, sealed again", _specs),
    "graphs": ("damaged graphs, sealed again, opened and run", _graphs),
    "calls": ("wild calls of the public functions", _calls),
    "threads": ("answers of threads that share a predictor", _threads),
    "faults": ("full disks, closed streams, odd files, places that cannot be written", _faults),
    "kills": ("kills of commands at random moments, SIGKILL and SIGTERM", _kills),
}
"""Name of a program to what it tries, and the function that runs it."""


def table(folder: Path) -> str:
    """Return the table of the figures that are in a folder, in Markdown."""
    rows = ["| program | what is tried | figures | faults |", "|---|---|---|---|"]
    for name, (what, _) in PROGRAMS.items():
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
        figures = PROGRAMS[name][1]()
        (given.out / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
        faults += len(figures["faults"])
        for fault in figures["faults"]:
            print(f"  {fault}", file=sys.stderr)
    print(table(given.out))
    print(f"\nPython {platform.python_version()}, {platform.platform()}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

"""Mutational fuzzing of every reader of cines: sound files are damaged and read, in processes with limits.

    python -m tests.robustness.readers --inputs 20000

A reader may return a cine or raise an `EdgeEchoError`. Faults are: another exception, a crash, more than 20 seconds,
more memory than the budget and a fixed part beside it, and text of a codec on standard error.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.robustness.child import HANG_SECONDS, ROOT, clean_environment, peak_mb
from tests.robustness.mutate import mutated
from tests.robustness.seeds import write_seeds

BUDGET_BYTES = 256 << 20
BESIDE_MB = 250
"""Memory of the process itself, with the libraries of all readers."""
_AT_ONCE = 500


@dataclass
class Found:
    """What a number of damaged files did."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    peak_mb: float = 0.0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)
    by_seed: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "inputs": self.inputs,
            "read": self.read,
            "refused": self.refused,
            "peak_mb": round(self.peak_mb),
            "slowest_s": round(self.slowest_s, 2),
            "faults": self.faults,
            "formats": len(self.by_seed),
        }


def fuzz_readers(inputs: int, seed: int = 0) -> dict[str, object]:
    """Damage so many files, of each format alike, read them, and return the figures."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        seeds = Path(folder, "seeds")
        write_seeds(seeds)
        first = 0
        while first < inputs:
            first = _one_process(Path(folder), seeds, first, min(first + _AT_ONCE, inputs), seed, found)
    return found.to_dict()


def _one_process(folder: Path, seeds: Path, first: int, stop: int, seed: int, found: Found) -> int:
    """Run a worker over a range of numbers, and return the number that the next one begins with."""
    log, noise = folder / "log", folder / "noise"
    log.write_text("")
    with noise.open("wb") as stderr:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.robustness.readers",
                "--worker",
                str(seeds),
                str(log),
                str(first),
                str(stop),
                str(seed),
            ],
            cwd=ROOT,
            env=clean_environment(EDGEECHO_MAX_MEMORY=str(BUDGET_BYTES)),
            stderr=stderr,
        )
        size, changed, hung = -1, time.monotonic(), False
        while process.poll() is None:
            time.sleep(0.02)
            if log.stat().st_size != size:
                size, changed = log.stat().st_size, time.monotonic()
            if time.monotonic() - changed > HANG_SECONDS:
                hung = True
                process.kill()
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    for line in lines:
        _count(line, found)
    done = sum("outcome" in line for line in lines)
    if process.returncode and done < stop - first:
        found.faults.append(f"input {first + done}: {'hung' if hung else f'ended with {process.returncode}'}")
        found.inputs += 1
        done += 1
    return first + done if done < stop - first else stop


def _count(line: dict[str, object], found: Found) -> None:
    if "outcome" not in line:
        return
    found.inputs += 1
    found.by_seed[str(line["seed"])] += 1
    found.read += line["outcome"] == "read"
    found.refused += line["outcome"] == "refused"
    found.peak_mb = max(found.peak_mb, float(str(line["peak_mb"])))
    found.slowest_s = max(found.slowest_s, float(str(line["seconds"])))
    name = f"input {line['number']} ({line['seed']})"
    if line["outcome"] not in ("read", "refused"):
        found.faults.append(f"{name}: {line['outcome']}")
    if line["noise"]:
        found.faults.append(f"{name}: a codec wrote {line['noise']}")
    if float(str(line["peak_mb"])) > BESIDE_MB + BUDGET_BYTES / (1 << 20):
        found.faults.append(f"{name}: {line['peak_mb']} MB")


def damaged(seeds: Path, number: int, seed: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a damaged file by its number."""
    files = sorted(seeds.iterdir())
    source = files[number % len(files)]
    return source.name, mutated(source.read_bytes(), np.random.default_rng((seed, number)))


def _work(seeds: Path, log: Path, first: int, stop: int, seed: int) -> None:
    from edgeecho.cine import read_cine
    from edgeecho.errors import EdgeEchoError

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, log.open("a") as out:
        for number in range(first, stop):
            name, data = damaged(seeds, number, seed)
            path = Path(folder, name)
            path.write_bytes(data)
            before, start = os.fstat(2).st_size, time.monotonic()
            try:
                read_cine(path)
                outcome = "read"
            except EdgeEchoError:
                outcome = "refused"
            except BaseException as error:
                outcome = f"{type(error).__name__}: {str(error)[:100]}"
            row = {
                "number": number,
                "seed": name,
                "outcome": outcome,
                "seconds": time.monotonic() - start,
                "peak_mb": peak_mb(),
                "noise": _written(before),
            }
            out.write(json.dumps(row) + "\n")
            out.flush()


def _written(before: int) -> str:
    """Return what was written on standard error, a file, since it had so many bytes."""
    if os.fstat(2).st_size <= before:
        return ""
    with open("/proc/self/fd/2", "rb") as file:
        file.seek(before)
        return file.read(100).decode(errors="replace")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", nargs=5, metavar="PART", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        seeds, log, *numbers = given.worker
        _work(Path(seeds), Path(log), *map(int, numbers))
        return
    print(json.dumps(fuzz_readers(given.inputs, given.seed), indent=1))


if __name__ == "__main__":
    main()

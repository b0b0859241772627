"""Model files on an emulated aarch64 board against the same files on this machine: `make test-arm`.

Exports a model for ARM, runs every file of it on both with the engines' own wheels, prints what differs as a Markdown
table, and fails where it is more than the limits. Emulation shows which kernels run and what they answer, not how fast.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from board import CPUS, Board

from edgeecho.cine import Cine, read_cine
from edgeecho.data.phantom import PhantomHeart
from edgeecho.export.bundle import export
from edgeecho.export.options import FORMATS, Options
from edgeecho.metrics import dice

FP32_CPUS, OPENVINO_CPUS = ("cortex-a72",), ("cortex-a72", "cortex-a76")
"""Those that fp32 and OpenVINO's files are run on, which take the longest."""
PHANTOM, PHANTOM_FRAMES = (7, 0, 6), 16
WORKER = Path(__file__).with_name("answer.py")
MAX_LEVELS = 1
"""By which fp32 may differ."""
MIN_DICE, MAX_EF_POINTS = 0.99, 1.0
"""Of OpenVINO's int8, which fuses and rounds differently on every kind of processor."""


@dataclass(frozen=True)
class Difference:
    """One file, over all cines."""

    values: int
    """Of prob, that there are."""
    differ: int
    """Of these, that differ at all."""
    levels: int
    """By how much at most, of 255."""
    cavity_px: int
    """Pixels of the machine's masks."""
    mask_px: int
    """Pixels of the masks that differ."""
    dice: float
    """Of the masks, worst frame that has one."""
    ef_points: float
    """Worst difference of EF; NaN, which is over any limit, if only one of two is known."""

    def holds(self, file: str) -> bool:
        """Whether a file of this name keeps to its limits."""
        if ".int8" not in file:
            return self.levels <= MAX_LEVELS
        if file.endswith(".xml"):
            return self.dice >= MIN_DICE and self.ef_points <= MAX_EF_POINTS
        return self.differ == 0


def compare(board: Path, machine: Path) -> Difference | str:
    """Two files of answers; why there is nothing to compare, if so."""
    with np.load(board) as ours, np.load(machine) as theirs:
        for where, answers in (("board", ours), ("machine", theirs)):
            if "error" in answers:
                return f"refused on the {where}: {answers['error']}"
        names = [key.removesuffix(".prob") for key in theirs.files if key.endswith(".prob")]
        prob = [(ours[f"{n}.prob"].astype(int), theirs[f"{n}.prob"].astype(int)) for n in names]
        masks = [(ours[f"{n}.mask"], theirs[f"{n}.mask"]) for n in names]
        scores = [dice(a, b) for pair in masks for a, b in zip(*pair, strict=True)]
        efs = [_apart(float(ours[f"{n}.ef"]), float(theirs[f"{n}.ef"])) for n in names]
    return Difference(
        values=sum(b.size for _, b in prob),
        differ=sum(int((a != b).sum()) for a, b in prob),
        levels=max(int(np.abs(a - b).max()) for a, b in prob),
        cavity_px=sum(int(b.sum()) for _, b in masks),
        mask_px=sum(int((a != b).sum()) for a, b in masks),
        dice=float(np.nanmin(scores)),
        ef_points=float(np.max(efs)),
    )


def _apart(a: float, b: float) -> float:
    """Points between two EFs; 0 if neither cine has one, NaN if one has."""
    return 0.0 if np.isnan(a) and np.isnan(b) else abs(a - b)


def write_cines(path: Path) -> None:
    """A beat of a drawn heart, and the SonoSite cine inside pydicom."""
    heart = PhantomHeart(PHANTOM, 256)
    times = np.linspace(0, min(heart.seconds, 1.2), PHANTOM_FRAMES)
    drawn = Cine(heart.frames(times)[0], (PHANTOM_FRAMES - 1) / times[-1], heart.spacing_mm)
    cines = {"phantom": drawn, "sonosite": read_cine(pydicom.examples.get_path("ybr_color"))}
    arrays = {}
    for name, cine in cines.items():
        values = {"frames": cine.frames, "fps": cine.fps or np.nan, "spacing_mm": cine.spacing_mm or (np.nan, np.nan)}
        arrays |= {f"{name}.{key}": value for key, value in values.items()}
    np.savez(path, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the root; made once, kept")
    parser.add_argument("--model", default="default", help="model to export, as for `edgeecho export`")
    parser.add_argument("--bundle", type=Path, help="an exported folder to run instead")
    options = parser.parse_args()
    begun = time.monotonic()
    options.cache.mkdir(parents=True, exist_ok=True)
    board = Board(options.cache)
    say(begun, "the board is there")
    folder = (
        options.bundle or export(options.model, options.cache / "bundle", Options(formats=FORMATS, target="arm")).folder
    )
    files = sorted(path for path in folder.iterdir() if path.suffix in (".onnx", ".ort", ".xml"))
    cines = options.cache / "cines.npz"
    write_cines(cines)
    machine = answers_of(options.cache / "machine", [sys.executable, str(WORKER)], cines, files)
    say(begun, "the files ran on this machine")
    print(
        "| processor | file | values of prob that differ | levels | mask pixels that differ | worst Dice | EF points ||"
    )
    print("|---|---|---|---|---|---|---|---|")
    failed = 0
    for cpu in CPUS:
        ran = [file for file in files if cpu in FP32_CPUS or ".fp32." not in file.name]
        ran = [file for file in ran if cpu in OPENVINO_CPUS or file.suffix != ".xml"]
        answers = answers_of(options.cache / cpu, board.command(cpu, WORKER), cines, ran)
        for file in ran:
            found = compare(answers / f"{file.name}.npz", machine / f"{file.name}.npz")
            failed += isinstance(found, str) or not found.holds(file.name)
            print(row(cpu, file.name, found), flush=True)
        say(begun, f"the files ran on an emulated {cpu}")
    for name in ("machine", *OPENVINO_CPUS):
        for path in sorted((options.cache / name).glob("*.xml.npz")):
            with np.load(path) as kept:
                print(f"convolutions of {path.stem} on {name}: {kept.get('kernels', 'none')}")
    sys.exit(f"error: {failed} files differ by more than the limits" if failed else 0)


def answers_of(out: Path, command: list[str], cines: Path, files: list[Path]) -> Path:
    """Run the worker on one core; the folder of what it wrote."""
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    done = subprocess.run([*command, str(cines.resolve()), str(out.resolve()), *(str(f.resolve()) for f in files)])
    if done.returncode:
        sys.exit(f"error: the worker ended with {done.returncode}: {' '.join(command[:5])}")
    return out


def row(cpu: str, file: str, found: Difference | str) -> str:
    """Of the table."""
    if isinstance(found, str):
        return f"| {cpu} | `{file}` | {found} | | | | | FAILS |"
    d = found
    values = f"{d.differ} of {d.values:,} | {d.levels} | {d.mask_px} of {d.cavity_px:,}"
    return f"| {cpu} | `{file}` | {values} | {d.dice:.4f} | {d.ef_points:.2f} | {'' if d.holds(file) else 'FAILS'} |"


def say(begun: float, text: str) -> None:
    """Progress goes to stderr."""
    print(f"{time.monotonic() - begun:4.0f} s: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""Compare C with Python on cines: every mask equal to the bit, every beat, EF to 0.01.

    python device/tests/compare.py MODEL --library FILE [--phantoms N] [--cine FILE] [--limit PART]
    python device/tests/compare.py MODEL --program 'qemu-aarch64 ... push_frames' ...

MODEL is a device file; Python runs the graph that is in it, and C by the library or by the example. `--limit` is the
part of mask pixels that may differ (and EF then by 0.1): 0 on one kind of CPU, 0.001 between kinds. Prints a line a
cine; exits 1 if one differs.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))  # in the tarball of dist.py
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))  # in the repository

from edgeecho_ctypes import Device

from edgeecho.cine import Cine, read_cine
from edgeecho.model.sealed_file import read_verified
from edgeecho.preprocess import Roi, find_roi
from edgeecho.runtime import stream

BEAT_FIELDS = ("ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm")


class StreamResult(NamedTuple):
    """Masks, areas and beats of a cine in C."""

    masks: np.ndarray
    areas: list[float]
    beats: list[dict[str, Any]]
    ef_percent: float | None


class Difference(NamedTuple):
    """Difference between C and Python on one cine."""

    frames: int
    pixels: int
    """Pixels of all masks."""
    unequal: int
    """Pixels that differ."""
    beats: tuple[int, int]
    """Number of beats in C and in Python."""
    figures: float
    """Largest difference of a figure of a beat, in its unit."""
    ef_percent: tuple[float | None, float | None]

    def is_within(self, limit: float) -> bool:
        """Whether so large a part of the mask pixels may differ."""
        ours, theirs = self.ef_percent
        allowed = 0.1 if limit else 0.01
        close = ours is theirs if ours is None or theirs is None else abs(ours - theirs) <= allowed
        sound = self.beats[0] == self.beats[1] and (limit > 0 or self.figures <= 0.01)
        return self.unequal <= limit * self.pixels and close and sound


def by_library(device: Device, cine: Cine, roi: Roi) -> StreamResult:
    """Stream a cine through the library."""
    device.start(cine.frames.shape[2], cine.frames.shape[1], cine.fps or 0, cine.spacing_mm or (0, 0))
    region = (roi.x, roi.y, roi.width, roi.height)
    found = [a for a in (device.push(frame, region) for frame in cine.frames) if a] + list(device.flush())
    assert [a.result["frame"] for a in found] == list(range(len(cine.frames)))
    masks = np.stack([a.mask for a in found])
    return StreamResult(masks, [a.result["area_px"] for a in found], device.beats(), device.read()["ef_percent"])


def by_program(program: list[str], model: Path, cine: Cine, roi: Roi) -> StreamResult:
    """Stream a cine through `push_frames`."""
    t, height, width = cine.frames.shape
    with tempfile.TemporaryDirectory() as folder:
        masks = Path(folder) / "masks.pgm"
        command = [*program, str(model), f"size={width}x{height}", f"masks={masks}"]
        command += [f"roi={roi.x},{roi.y},{roi.width},{roi.height}"]
        command += [f"fps={float(cine.fps)!r}"] if cine.fps else []
        command += ["spacing={!r},{!r}".format(*map(float, cine.spacing_mm))] if cine.spacing_mm else []
        done = subprocess.run(command, input=cine.frames.tobytes(), capture_output=True, check=True)
        header = f"P5\n{width} {height}\n1\n".encode()
        data = np.frombuffer(masks.read_bytes(), np.uint8).reshape(t, -1)[:, len(header) :]
    *rows, summary = [json.loads(line) for line in done.stdout.splitlines()]
    areas = [row["area_px"] for row in rows if "frame" in row]
    beats = [row for row in rows if "ed_frame" in row]
    return StreamResult(data.reshape(t, height, width), areas, beats, summary["ef_percent"])


def compare(run_c: Callable[[Cine, Roi], StreamResult], graph: Path, cine: Cine) -> Difference:
    """Stream a cine through C and through Python, with the same region."""
    roi = find_roi(cine.frames, cine.spacing_mm)
    python = stream(graph, threads=1, fps=cine.fps, spacing_mm=cine.spacing_mm, roi=roi)
    wanted = [r for r in map(python.push, cine.frames) if r] + python.flush()
    found = run_c(cine, roi)
    assert python.measured is not None
    assert found.masks.shape == cine.frames.shape
    assert found.areas == [float(np.count_nonzero(mask)) for mask in found.masks]
    pairs = list(zip(found.beats, python.measured.beats, strict=False))
    return Difference(
        frames=len(cine.frames),
        pixels=cine.frames.size,
        unequal=int(np.count_nonzero(found.masks != np.stack([r.mask for r in wanted]))),
        beats=(len(found.beats), len(python.measured.beats)),
        figures=max((_apart(ours[n], getattr(theirs, n)) for ours, theirs in pairs for n in BEAT_FIELDS), default=0.0),
        ef_percent=(found.ef_percent, python.measured.ef_percent),
    )


def _apart(a: Any, b: Any) -> float:
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    return abs(float(a) - float(b))


def graph_of(model: Path, folder: Path) -> Path:
    """Write the ONNX file of a device file, for Python to run, and return its path."""
    path = folder / f"{model.stem}.onnx"
    path.write_bytes(read_verified(model).data)
    return path


def cines(phantoms: int, paths: list[Path]) -> Iterator[tuple[str, Cine]]:
    """Yield real and drawn cines by name."""
    from edgeecho.synthetic.phantom import draw_cine

    for path in paths:
        yield path.name, read_cine(path)
    for seed in range(phantoms):
        yield f"phantom {seed}", draw_cine((5, seed))


def main() -> int:
    """Compare the cines of the command line; 0 if no cine differs."""
    parser = argparse.ArgumentParser(description="Compare C with Python.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--library")
    parser.add_argument("--program", type=shlex.split)
    parser.add_argument("--cine", type=Path, action="append", default=[])
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--limit", type=float, default=0.0)
    options = parser.parse_args()
    if options.program:
        run_c = lambda cine, roi: by_program(options.program, options.model, cine, roi)  # noqa: E731
    else:
        device = Device(options.library, str(options.model))
        run_c = lambda cine, roi: by_library(device, cine, roi)  # noqa: E731
    failed = total = unequal = pixels = 0
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(options.model, Path(folder))
        for name, cine in cines(options.phantoms, options.cine):
            found = compare(run_c, graph, cine)
            total, failed = total + 1, failed + (not found.is_within(options.limit))
            unequal, pixels = unequal + found.unequal, pixels + found.pixels
            sys.stdout.write(f"{name}: {found}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{total - failed} of {total} cines equal; {unequal} of {pixels} mask pixels differ\n")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())

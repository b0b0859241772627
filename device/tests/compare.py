"""Whether the C library says what Python says: every mask equal to the bit, every beat, EF to 0.01.

    python device/tests/compare.py LIBRARY MODEL [--phantoms N] [--cine FILE] [--limit PART]

MODEL is a device file; Python runs the graph that is in it. `--limit` is the part of mask pixels that may differ (and
EF then by 0.1): 0 on one kind of CPU, 0.001 between kinds. Prints a line a cine; exits 1 if one differs.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from edgeecho_ctypes import Device  # noqa: E402

from edgeecho.cine import Cine, read_cine  # noqa: E402
from edgeecho.modelfile import check  # noqa: E402
from edgeecho.preprocess import find_roi  # noqa: E402
from edgeecho.runtime import stream  # noqa: E402

BEAT_FIELDS = ("ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm")


class Difference(NamedTuple):
    """Between C and Python on one cine."""

    frames: int
    pixels: int
    """Of all masks."""
    unequal: int
    beats: tuple[int, int]
    """Of C and of Python."""
    figures: float
    """Largest difference of a figure of a beat, in its unit."""
    ef_percent: tuple[float | None, float | None]

    def is_within(self, limit: float) -> bool:
        """Whether so large a part of the mask pixels may differ."""
        ef = max(0.01, 0.1 * (limit > 0))
        close = self.ef_percent[0] == self.ef_percent[1] or (
            None not in self.ef_percent and abs(np.subtract(*self.ef_percent)) <= ef
        )
        sound = self.beats[0] == self.beats[1] and (limit > 0 or self.figures <= 0.01)
        return bool(self.unequal <= limit * self.pixels and close and sound)


def compare(device: Device, graph: Path, cine: Cine) -> Difference:
    """Stream a cine through C and through Python, with the same region."""
    roi = find_roi(cine.frames, cine.spacing_mm)
    python = stream(graph, threads=1, fps=cine.fps, spacing_mm=cine.spacing_mm, roi=roi)
    wanted = [r for r in map(python.push, cine.frames) if r] + python.flush()
    device.start(cine.frames.shape[2], cine.frames.shape[1], cine.fps or 0, cine.spacing_mm or (0, 0))
    region = (roi.x, roi.y, roi.width, roi.height)
    found = [a for a in (device.push(frame, region) for frame in cine.frames) if a] + list(device.flush())
    assert len(found) == len(wanted) == len(cine.frames)
    for frame, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        assert ours.result["frame"] == theirs.frame == frame
        assert ours.result["area_px"] == np.count_nonzero(ours.mask)
    beats, summary = device.beats(), device.read()
    assert python.measured is not None
    pairs = zip(beats, python.measured.beats, strict=False)
    return Difference(
        frames=len(found),
        pixels=cine.frames.size,
        unequal=sum(int(np.count_nonzero(a.mask != b.mask)) for a, b in zip(found, wanted, strict=True)),
        beats=(len(beats), len(python.measured.beats)),
        figures=max((_apart(ours[n], getattr(theirs, n)) for ours, theirs in pairs for n in BEAT_FIELDS), default=0.0),
        ef_percent=(summary["ef_percent"], python.measured.ef_percent),
    )


def _apart(a: Any, b: Any) -> float:
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    return abs(a - b)


def graph_of(model: Path, folder: Path) -> Path:
    """The ONNX file in a device file, for Python to run."""
    path = folder / f"{model.stem}.onnx"
    path.write_bytes(check(model).data)
    return path


def cines(phantoms: int, paths: list[Path]) -> Iterator[tuple[str, Cine]]:
    """Drawn and real cines by name."""
    from edgeecho.data.phantom import draw_cine

    for path in paths:
        yield path.name, read_cine(path)
    for seed in range(phantoms):
        yield f"phantom {seed}", draw_cine((5, seed))


def main() -> int:
    """Returns 0 if no cine differs."""
    parser = argparse.ArgumentParser(description="Compare the C library with Python.")
    parser.add_argument("library")
    parser.add_argument("model", type=Path)
    parser.add_argument("--cine", type=Path, action="append", default=[])
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--limit", type=float, default=0.0)
    asked = parser.parse_args()
    device, failed, total = Device(asked.library, str(asked.model)), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        graph = graph_of(asked.model, Path(folder))
        for name, cine in cines(asked.phantoms, asked.cine):
            found = compare(device, graph, cine)
            total, failed = total + 1, failed + (not found.is_within(asked.limit))
            sys.stdout.write(f"{name}: {found}\n")
    sys.stdout.write(f"{total - failed} of {total} cines equal\n")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())

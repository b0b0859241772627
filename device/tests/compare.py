"""Compare C with Python on cines: every mask equal to the bit, every beat and verdict, EF to 0.01.

    python device/tests/compare.py MODEL --library FILE [--graph FILE] [--phantoms N] [--wrong N] [--cine FILE]
        [--search] [--limit L]
    python device/tests/compare.py MODEL --program 'qemu-aarch64 ... push_frames' ...

MODEL is a device file; Python runs the graph that is in it, or of a native one the ONNX stream of `--graph`, in ONNX
Runtime, and C by the library or by the example. `--search` lets
both find region and orientation; without it both get the region that Python finds. `--wrong N` takes N wrong and turned
views of each kind. `--limit` is the part of mask pixels that may differ (and EF then by 0.1, and verdicts): 0 on one
kind of CPU, 0.001 between kinds. Prints a line a cine; exits 1 if one differs.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from streamed import AUTO, VERDICTS, Detail, Device, RunC, by_library, by_program, by_python

from edgeecho.cine import Cine, read_cine
from edgeecho.model.sealed_file import read_verified
from edgeecho.preprocess import Roi, find_roi

__all__ = ["VERDICTS", "Device", "by_library", "by_program", "compare", "graph_of"]
BEAT_FIELDS = ("ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm")


class Difference(NamedTuple):
    """Difference between C and Python on one cine."""

    frames: int
    pixels: int
    """Pixels of all masks."""
    unequal: int
    """Pixels that differ."""
    confidence: float
    """Largest difference of the confidence of a frame."""
    judged: int
    """Frames with another view or verdict; the end counts as a frame."""
    beats: tuple[int, int]
    """Number of beats in C and in Python."""
    judged_beats: int
    """Beats with other frames or reasons."""
    details: int
    """Frames whose probability, outline, reasons or time differ, and numbers of dropped frames that differ."""
    figures: float
    """Largest difference of a figure of a beat, in its unit."""
    ef_percent: tuple[float | None, float | None]
    verdict: str
    """Verdict of Python at the end."""

    def is_within(self, limit: float) -> bool:
        """Whether the difference is allowed where `limit`, a part of the mask pixels, may differ."""
        ours, theirs = self.ef_percent
        allowed = 0.1 if limit else 0.01
        close = ours is theirs if ours is None or theirs is None else abs(ours - theirs) <= allowed
        same = self.figures <= 0.01 and self.confidence <= 1e-6
        same = same and self.judged == self.judged_beats == self.details == 0
        sound = self.beats[0] == self.beats[1] and (limit > 0 or same)
        return self.unequal <= limit * self.pixels and close and sound


def compare(run_c: RunC, graph: Path, cine: Cine, *, roi: Roi | None, flip: str = "none") -> Difference:
    """Stream a cine through C and through Python, with the same region and flip; None and `auto` let both find them."""
    wanted, found = by_python(graph, cine, roi, flip), run_c(cine, roi, flip)
    assert found.masks.shape == cine.frames.shape
    assert found.areas == [float(np.count_nonzero(mask)) for mask in found.masks]
    assert len(found.judged) == len(wanted.judged)
    pairs = list(zip(found.beats, wanted.beats, strict=False))
    same = ("ed_frame", "es_frame", "is_used", "reasons")
    return Difference(
        frames=len(cine.frames),
        pixels=cine.frames.size,
        unequal=int(np.count_nonzero(found.masks != wanted.masks)),
        confidence=max(abs(a - b) for a, b in zip(found.confidences, wanted.confidences, strict=True)),
        judged=sum(a != b for a, b in zip(found.judged, wanted.judged, strict=True)) + (found.final != wanted.final),
        beats=(len(found.beats), len(wanted.beats)),
        details=sum(_is_other(a, b) for a, b in zip(found.details, wanted.details, strict=bool(found.details)))
        + bool(found.details and found.frames_dropped != wanted.frames_dropped),
        judged_beats=sum(any(a[name] != b[name] for name in same) for a, b in pairs),
        figures=max((_apart(ours[n], theirs[n]) for ours, theirs in pairs for n in BEAT_FIELDS), default=0.0),
        ef_percent=(found.ef_percent, wanted.ef_percent),
        verdict=wanted.final[0],
    )


def _is_other(ours: Detail, theirs: Detail) -> bool:
    """Whether details differ; the reason why there is no beat is not known in a flush of Python."""
    return ours[:-1] != theirs[:-1] or theirs.no_beat not in ("", ours.no_beat)


def _apart(a: Any, b: Any) -> float:
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    return abs(float(a) - float(b))


def graph_of(model: Path, folder: Path) -> Path:
    """Write the ONNX file of a device file, for Python to run, and return its path."""
    path = folder / f"{model.stem}.onnx"
    path.write_bytes(read_verified(model).data)
    return path


def cines(phantoms: int, wrong: int, paths: list[Path]) -> Iterator[tuple[str, Cine]]:
    """Yield real and drawn cines by name."""
    from edgeecho.synthetic.phantom import draw_cine
    from edgeecho.synthetic.turned import TURNED
    from edgeecho.synthetic.wrong_views import WRONG

    for path in paths:
        yield path.name, read_cine(path)
    for seed in range(phantoms):
        yield f"phantom {seed}", draw_cine((5, seed))
    for seed in range(wrong):
        for kind, draw in (WRONG | TURNED).items():
            yield f"{kind} {seed}", draw(seed)


def main() -> int:
    """Compare the cines of the command line; 0 if no cine differs."""
    parser = argparse.ArgumentParser(description="Compare C with Python.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--library")
    parser.add_argument("--graph", type=Path)
    parser.add_argument("--program", type=shlex.split)
    parser.add_argument("--cine", type=Path, action="append", default=[])
    parser.add_argument("--phantoms", type=int, default=0)
    parser.add_argument("--wrong", type=int, default=0)
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--limit", type=float, default=0.0)
    options = parser.parse_args()
    if options.program:
        run_c: RunC = partial(by_program, options.program, options.model)
    else:
        device = Device(options.library, str(options.model))
        run_c = partial(by_library, device)
    failed = total = unequal = pixels = 0
    with tempfile.TemporaryDirectory() as folder:
        graph = options.graph or graph_of(options.model, Path(folder))
        for name, read in cines(options.phantoms, options.wrong, options.cine):
            cine = replace(read, times_s=None) if options.program else read  # the program takes no times
            roi = None if options.search else find_roi(cine.frames, cine.spacing_mm)
            found = compare(run_c, graph, cine, roi=roi, flip=AUTO if options.search else "none")
            total, failed = total + 1, failed + (not found.is_within(options.limit))
            unequal, pixels = unequal + found.unequal, pixels + found.pixels
            sys.stdout.write(f"{name}: {found}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{total - failed} of {total} cines equal; {unequal} of {pixels} mask pixels differ\n")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())

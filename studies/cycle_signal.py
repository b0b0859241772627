"""How well is the cardiac cycle estimated from the video alone? The figures are in docs/model.md.

    python -m studies.cycle_signal DATA [DATA ...] [--split val] [--cines 50] [--json FILE]

DATA is a data set with masks on every frame, `KIND:DIR`, or the file of a cine, whose true area is then that of the
masks of the packaged default model; frozen frames at its ends are left out. Two tables are printed.

Clips: 16 frames at strides 1 to 4, from every fourth frame of every cine. For each way to estimate the cycle, the mean
size of its correlation r with the true area, the share of clips with |r| below 0.5, the mean of |r| weighted by the
confidence, and the correlation of the confidence with |r|, over all clips of a stride and over all.

Whole cines, of data sets alone: |r|, mean and worst, the share of cines with the right sign without labels, and the
Dice of the masks that training interpolates between the ED and ES labels (`edgeecho/train/interpolate_labels.py`), and
of the label nearest in time.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data import open_data
from edgeecho.metrics import dice
from edgeecho.preprocess import find_roi, to_network
from edgeecho.runtime import load
from edgeecho.train.cine_cycle import USUAL_FPS, cine_cycle, long_cycle
from edgeecho.train.cycle import SIDE_PX, Cycle, cycle_signal, moving_frames
from edgeecho.train.interpolate_labels import interpolate_labels

CLIP_FRAMES, EVERY = 16, 4
"""Length of a clip, and frames between the first frames of two clips."""
STRIDES = (1, 2, 3, 4)
ClipMethod = Callable[[Cine, np.ndarray], tuple[np.ndarray, float]]
"""Function from a cine and the indices of a clip to the signal (T,) and the confidence in it."""


def plain(cine: Cine, shown: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the first component of the clip's down-sampled frames, and twice the part of the change it explains."""
    x = _region(cine, shown).reshape(len(shown), -1).astype(np.float32)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return u[:, 0], float(min(1.0, 2 * s[0] ** 2 / max((s**2).sum(), 1e-9)))


def alone(cine: Cine, shown: np.ndarray) -> tuple[np.ndarray, float]:
    """Return our estimate from the clip alone, as training takes it for drawn hearts and for morphed stills."""
    found = cycle_signal(_region(cine, shown))
    return found.signal, found.confidence


def of_cine(cine: Cine, shown: np.ndarray) -> tuple[np.ndarray, float]:
    """Return our estimate from the whole cine, as training takes it for videos, without the confidence in its sign."""
    found = _whole(cine).clip(shown, _region(cine, shown))
    return found.signal, found.confidence


@lru_cache(1)
def _whole(cine: Cine) -> Cycle:
    """Estimate the cycle of a whole cine."""
    return long_cycle(_region(cine, np.arange(len(cine.frames))), cine.fps or USUAL_FPS)


METHODS: dict[str, ClipMethod] = {"first component": plain, "clip alone": alone, "whole cine": of_cine}


def cines_of(data: str, split: str, count: int) -> Iterator[tuple[Cine, np.ndarray]]:
    """Yield the cines of DATA with the true area of each frame, float (T,)."""
    if Path(data).is_file():
        cine = read_cine(Path(data))
        area = load().segment(cine).mask.sum(axis=(1, 2)).astype(float)
        first, last = moving_frames(cine.frames)
        yield replace(cine, frames=cine.frames[first:last], times_s=None), area[first:last]
        return
    for item in open_data(data).items(split)[:count]:
        cine = item.read()
        if len(cine.labels) == len(cine.frames):
            yield cine, np.array([float(cine.labels[k].sum()) for k in range(len(cine.frames))])


def clip_rows(pairs: list[tuple[Cine, np.ndarray]]) -> dict[str, dict[str, float]]:
    """Measure each method on all clips, by stride and over all."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for cine, area in pairs:
        for stride in STRIDES:
            for start in range(0, len(area) - (CLIP_FRAMES - 1) * stride, EVERY):
                shown = start + stride * np.arange(CLIP_FRAMES)
                if not area[shown].std() > 0:
                    continue
                for name, method in METHODS.items():
                    signal, confidence = method(cine, shown)
                    pair = abs(_r(signal, area[shown])), confidence
                    for group in (f"stride {stride}", "all"):
                        found.setdefault((name, group), []).append(pair)
    rows = {}
    for (name, group), values in sorted(found.items()):
        r, confidence = np.array(values).T
        rows[f"{name}, {group}"] = {
            "clips": len(r),
            "|r|": float(r.mean()),
            "below 0.5": float((r < 0.5).mean()),
            "confidence": float(confidence.mean()),
            "|r| by confidence": float((r * confidence).sum() / confidence.sum()),
            "r of both": _r(confidence, r),
        }
    return rows


def cine_row(pairs: list[tuple[Cine, np.ndarray]]) -> dict[str, float]:
    """Measure our estimate on whole cines with labels."""
    r, interpolated, nearest = [], list[float](), list[float]()
    for cine, area in pairs:
        r.append(_r(_whole(cine).signal, area))
        truth = np.stack([cine.labels[k] for k in range(len(area))])
        masks, between = interpolate_labels(truth * 255, cine.phases, cine_cycle(cine).signal)
        for t in np.flatnonzero(between):
            interpolated.append(dice(masks[t] > 127, truth[t]))
            nearest.append(dice(truth[min(cine.phases, key=lambda k: abs(k - t))], truth[t]))
    return {
        "cines": len(r),
        "|r|": float(np.mean(np.abs(r))),
        "worst": float(np.min(np.abs(r))),
        "sign right": float(np.mean(np.array(r) > 0)),
        "interpolated label": float(np.mean(interpolated)),
        "nearest label": float(np.mean(nearest)),
    }


def _region(cine: Cine, shown: np.ndarray) -> np.ndarray:
    """Return frames of a cine's region, down-sampled, uint8 (T, SIDE_PX, SIDE_PX)."""
    return to_network(cine.frames[shown], find_roi(cine.frames, cine.pixel_shape), SIDE_PX)


def _r(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation, 0 if one of both is constant."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--split", default="val")
    parser.add_argument("--cines", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    files: list[tuple[Cine, np.ndarray]] = []
    found: dict[str, dict[str, dict[str, float]]] = {}
    for data in options.data:
        pairs = list(cines_of(data, options.split, options.cines))
        if Path(data).is_file():
            files += pairs
        name = Path(data).stem if Path(data).is_file() else data.partition(":")[0]
        found[name] = clip_rows(pairs)
        if not Path(data).is_file():
            found[name]["whole cines"] = cine_row(pairs)
    if len(files) > 1:
        found["all files"] = clip_rows(files)
    for name, rows in found.items():
        for method, row in rows.items():
            line = "  ".join(f"{key} {value:.3g}" for key, value in row.items())
            sys.stdout.write(f"{name:24} {method:26} {line}\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

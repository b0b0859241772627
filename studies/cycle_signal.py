"""How well is the cardiac cycle estimated from the video alone? The figures are in docs/model.md.

    python -m studies.cycle_signal KIND:DIR [KIND:DIR ...] [--split val] [--json FILE]

The data set needs masks on every frame. For each cine the study measures the correlation of the signal with the true
area (its size, and whether its sign is right without labels), and for each marked ED and ES the number of frames, and
of milliseconds, to the nearest peak or trough of the signal. `first component` is the baseline: the first principal
component of the detrended video, four times down-sampled, with the sign by the frames' spread of grey levels.
`interpolated label` is the Dice of the masks that training interpolates between the ED and ES labels by the signal
(`edgeecho/train/interpolate_labels.py`), against the true ones; `nearest label` is that of the label nearest in time.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import open_data
from edgeecho.metrics import dice
from edgeecho.train.cycle import cycle_signal, orient_by_labels, running_mean
from edgeecho.train.interpolate_labels import interpolate_labels

Estimate = Callable[[np.ndarray, float], np.ndarray]


@dataclass
class Tally:
    """Figures of one method on one data set, a value for each cine or event."""

    correlation: list[float] = field(default_factory=list)
    ed_frames: list[float] = field(default_factory=list)
    es_frames: list[float] = field(default_factory=list)
    ed_ms: list[float] = field(default_factory=list)
    es_ms: list[float] = field(default_factory=list)
    interpolated: list[float] = field(default_factory=list)
    nearest: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """Return the figures that are printed."""
        size = np.abs(self.correlation)
        return {
            "cines": len(size),
            "|r| mean": float(size.mean()),
            "|r| worst": float(size.min()),
            "sign right": float(np.mean(np.array(self.correlation) > 0)),
            "ED frames": float(np.mean(self.ed_frames)),
            "ES frames": float(np.mean(self.es_frames)),
            "ED ms": float(np.mean(self.ed_ms)),
            "ES ms": float(np.mean(self.es_ms)),
            "interpolated label": float(np.mean(self.interpolated)),
            "nearest label": float(np.mean(self.nearest)),
        }


def first_component(frames: np.ndarray, fps: float) -> np.ndarray:
    """Estimate the cycle by the baseline: mean of 3 frames less mean of 1.2 s, then the first principal component.

    It is the plain form of temporal singular vectors, which Patel et al. take after a robust PCA (American Heart
    Association, abstract 4373195). The sign is that of the standard deviation over the pixels of a frame, the signal in
    `hccdice` of `simlvseg/loss.py`, https://github.com/52HZMercury/SimLVSeg-with-SegMamba.
    """
    h, w = frames.shape[1:]
    small = [cv2.resize(f, (w // 4, h // 4), interpolation=cv2.INTER_AREA).ravel() for f in frames]
    x = np.stack(small).astype(np.float32)
    long = max(3, round(1.2 * fps)) | 1
    detrended = running_mean(x, 3) - running_mean(x, long)
    signal = np.linalg.svd(detrended - detrended.mean(axis=0), full_matrices=False)[0][:, 0]
    spread = x.std(axis=1)[:, None]
    spread = (running_mean(spread, 3) - running_mean(spread, long))[:, 0]
    return np.asarray(signal * np.sign(signal @ spread or 1.0))


def ours(frames: np.ndarray, fps: float) -> np.ndarray:
    """Estimate the cycle as training does."""
    return cycle_signal(frames, fps).signal


METHODS: dict[str, Estimate] = {"first component": first_component, "ours": ours}


def measure(tally: Tally, signal: np.ndarray, area: np.ndarray, phases: dict[int, str], fps: float) -> None:
    """Add one cine; its sign is corrected for the frame errors, as it is by labels in training."""
    r = float(np.corrcoef(signal, area)[0, 1]) if signal.std() > 0 else 0.0
    tally.correlation.append(r)
    signal = signal * (np.sign(r) or 1.0)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(signal))) != 0) + 1
    tops = [k for k in turns if signal[k] >= signal[k - 1]]
    dips = [k for k in turns if signal[k] < signal[k - 1]]
    for k, phase in phases.items():
        marks, frames, ms = (
            (tops, tally.ed_frames, tally.ed_ms) if phase == "ED" else (dips, tally.es_frames, tally.es_ms)
        )
        apart = min((abs(k - mark) for mark in marks), default=len(signal))
        frames.append(float(apart))
        ms.append(apart / fps * 1000)


def measure_interpolation(tally: Tally, signal: np.ndarray, cine: Cine) -> None:
    """Add the frames of one cine that have no label in training."""
    truth = np.stack([cine.labels[k] for k in range(len(cine.frames))])
    level = np.asarray(signal - signal.mean(), np.float32) / (signal.std() + 1e-9)
    masks, interpolated = interpolate_labels(truth * 255, cine.phases, orient_by_labels(level, cine.phases)[0])
    for t in np.flatnonzero(interpolated):
        tally.interpolated.append(dice(masks[t] > 127, truth[t]))
        tally.nearest.append(dice(truth[min(cine.phases, key=lambda k: abs(k - t))], truth[t]))


def run(data: str, split: str) -> dict[str, dict[str, float]]:
    """Measure every method on a split."""
    tallies = {name: Tally() for name in METHODS}
    for item in open_data(data).items(split):
        cine = item.read()
        if cine.fps is None or len(cine.labels) < len(cine.frames):
            continue
        area = np.array([float(cine.labels[k].sum()) for k in range(len(cine.frames))])
        for name, method in METHODS.items():
            signal = method(cine.frames, cine.fps)
            measure(tallies[name], signal, area, cine.phases, cine.fps)
            measure_interpolation(tallies[name], signal, cine)
    return {name: tally.row() for name, tally in tallies.items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--split", default="val")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {}
    for data in options.data:
        kind = data.partition(":")[0]
        found[kind] = run(data, options.split)
        for method, row in found[kind].items():
            sys.stdout.write(f"{kind:12} {method:16} " + "  ".join(f"{k} {v:.3g}" for k, v in row.items()) + "\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

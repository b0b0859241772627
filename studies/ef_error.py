"""How far may the EF of a model be from that of an expert's outlines, and does the interval of EF contain it?

    python -m studies.ef_error camus:DIR [--split val] [--models NAME ...] [--threads N] [--out FILE]

Each patient's ED and ES stills are set in motion (`camus-cines`), segmented with the default settings, and measured;
the reference is the same measurement of the expert's outlines. Results that are withheld are left out. `low` and `high`
are the conformal quantiles of reference minus model for an interval of 90%. Coverage is measured on patients that the
quantiles were not made from: the mean over 200 random halves, each half tested with the quantiles of the other.
`--out` writes `edgeecho/runtime/ef_errors.json`. The command is in docs/trust.md.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import edgeecho
from edgeecho.data import open_data
from edgeecho.files import atomic
from edgeecho.measure import measure
from edgeecho.model.registry import packaged_models
from edgeecho.runtime.ef_interval import LEVEL

HALVES = 200


def quantiles(errors: np.ndarray) -> tuple[float, float]:
    """Return the conformal quantiles of errors (N,) that leave (1 - LEVEL) / 2 of patients on either side."""
    place = max(1.0, (len(errors) + 1) * (1 - LEVEL) / 2)
    ordered, ranks = np.sort(errors), np.arange(1, len(errors) + 1)
    return float(np.interp(place, ranks, ordered)), float(np.interp(len(errors) + 1 - place, ranks, ordered))


def coverage(errors: np.ndarray, seed: int = 0) -> float:
    """Return the mean part of one half of the errors within the quantiles of the other half."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(HALVES):
        order = rng.permutation(len(errors))
        half = len(errors) // 2
        for made, tested in ((order[:half], order[half:]), (order[half:], order[:half])):
            low, high = quantiles(errors[made])
            parts.append(np.mean((errors[tested] >= low) & (errors[tested] <= high)))
    return float(np.mean(parts))


def errors_on(model: str, data: str, split: str, threads: int) -> tuple[np.ndarray, int]:
    """Return reference minus model EF in points, (N,), and the number of cines without one."""
    predictor = edgeecho.load(model, threads=threads)
    errors, missing = [], 0
    for item in open_data(data).items(split):
        cine = item.read()
        ef = predictor.segment(cine).ef_percent
        masks = np.stack([cine.labels[frame] for frame in range(len(cine.frames))])
        areas = masks.sum(axis=(1, 2)).astype(np.float32)
        reference = measure(masks, areas, cine.fps, cine.spacing_mm).ef_percent
        if ef is None or reference is None:
            missing += 1
        else:
            errors.append(reference - ef)
    return np.array(errors), missing


def main() -> None:
    """Print the table and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--split", default="val")
    parser.add_argument("--models", nargs="+", default=[folder.name for folder in packaged_models()])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    data = options.data.replace("camus:", "camus-cines:")
    models = {}
    sys.stdout.write(
        "| model | cines | no EF | MAE | bias | low | high | half-width | coverage |\n" + "|---" * 9 + "|\n"
    )
    for model in map(str, options.models):
        errors, missing = errors_on(model, data, options.split, options.threads)
        low, high = quantiles(errors)
        models[model] = {"low": round(low, 2), "high": round(high, 2), "cines": len(errors)}
        sys.stdout.write(
            f"| `{model}` | {len(errors)} | {missing} | {np.abs(errors).mean():.1f} | {-errors.mean():+.1f} "
            f"| {low:+.1f} | {high:+.1f} | {(high - low) / 2:.1f} | {coverage(errors):.3f} |\n"
        )
        sys.stdout.flush()
    if options.out:
        values = {"data": f"{open_data(data).kind}, {options.split}", "level": LEVEL, "models": models}
        with atomic(options.out) as temporary:
            temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""How large are the temporal errors of true masks? They are the thresholds in docs/evaluation.md.

    python -m studies.consistency_thresholds phantom: --out FILE [--split train] [--cines N]

The thresholds of the package are in `edgeecho/metrics/consistency_thresholds.json`, which this study wrote. The data
set needs exact masks on every frame, and a spacing, since the bounds are in millimetres.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgeecho.data import open_data
from edgeecho.data.io.phases import longest_run
from edgeecho.errors import DataError
from edgeecho.files import atomic
from edgeecho.metrics import CAMUS_TRAINING, MIN_CINES, Thresholds, derive_thresholds, mask_attributes
from edgeecho.revision import revision

Curves = tuple[float, dict[str, np.ndarray]]


def consistency_thresholds(
    data: str, split: str = "train", cines: int | None = None, min_cines: int = MIN_CINES
) -> Thresholds:
    """Derive thresholds.

    Args:
        data: Data set as `KIND:DIR`.
        split: `train`, `val` or `test`.
        cines: Number of cines, from the first on; None for all.
        min_cines: Number of cines below which a band of frame rates gets no thresholds.

    Raises:
        ConfigError: If the data set or the split is unknown.
        DataError: If no band of frame rates has enough cines with reference masks on consecutive frames.
        VideoError: If a cine cannot be read.
    """
    source = open_data(data)
    items = source.items(split)[:cines]
    rates: list[float] = []

    def read() -> Iterator[Curves]:
        for item in items:
            cine = item.read()
            run = longest_run(cine.labels)
            if cine.fps and cine.spacing_mm and len(run) > 2:
                rates.append(cine.fps)
                yield cine.fps, mask_attributes(np.stack([cine.labels[i] for i in run]), cine.spacing_mm)

    thresholds = derive_thresholds(read(), CAMUS_TRAINING.bounds, f"{source.kind} {split}", min_cines)
    description = (
        f"{thresholds.source}, {min(rates):.0f} to {max(rates):.0f} frames a second, taken at every second, third and "
        f"so on frame too; bounds: {CAMUS_TRAINING.bounds_from}"
    )
    kind = data if data.endswith(":") else f"{source.kind}:DIR"
    some = f" --cines {cines}" if cines else ""
    command = f"python -m studies.consistency_thresholds {kind} --split {split}{some} --out FILE"
    return Thresholds(description, thresholds.bands, command, revision())


def main() -> None:
    """Run the command line."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="KIND:DIR, such as phantom:")
    parser.add_argument("--split", default="train")
    parser.add_argument("--cines", type=int)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        found = consistency_thresholds(options.data, options.split, options.cines)
    except DataError as error:
        parser.exit(1, f"error: {error}\n")
    with atomic(options.out) as temporary:
        temporary.write_text(json.dumps(found.to_dict(), indent=1) + "\n")
    names = list(found.bands[0].thresholds)
    table = Table("frames a second", "cines", "frames", *names)
    for band in found.bands:
        cells = (f"{band.thresholds[name]:.4f}" for name in names)
        table.add_row(f"{band.fps[0]:g} to {band.fps[1]:g}", str(band.cines), str(band.frames), *cells)
    Console().print(table)


if __name__ == "__main__":
    main()

"""How well does int8 agree with fp32 on given cines? The figures are in models/cl_unet_edge/README.md.

    python -m studies.agreement CINE... [camus:DIR]

Each row is a cine, or all cines of the validation list of a data set, and each column an engine and a precision.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.cine import Cine, find_cines, read_cine
from edgeecho.data import KINDS, open_data
from edgeecho.metrics import dice
from edgeecho.runtime import load

VARIANTS = (("ort", "int8"), ("openvino", "fp32"), ("openvino", "int8"))
"""Engines and precisions that are compared with fp32 in ONNX Runtime."""


def cines(arguments: list[str]) -> Iterator[tuple[str, list[Cine]]]:
    """Yield the name and the cines of each row: one cine of a file, or the validation list of `KIND:DIR`."""
    for argument in arguments:
        if argument.partition(":")[0] in KINDS:
            data = open_data(argument)
            yield f"{data.kind} val", [item.read() for item in data.items("val")]
        else:
            for path in find_cines([argument]):
                yield path.name, [read_cine(path)]


def main(arguments: list[str]) -> None:
    """Print Dice of the masks over all pixels of each cine, and the difference of EF."""
    reference = load("default", runtime="ort", precision="fp32")
    others = [load("default", runtime=runtime, precision=precision) for runtime, precision in VARIANTS]
    headings = [f"{precision} {runtime}" for runtime, precision in VARIANTS]
    table = Table("cines", "n", *headings, "EF fp32", "EF int8", title="mask Dice against fp32 ort: mean (worst)")
    for name, rows in cines(arguments):
        expected = [reference.segment(cine, flip="none") for cine in rows]
        cells = []
        for other in others:
            found = [other.segment(cine, flip="none") for cine in rows]
            scores = [dice(f.mask, e.mask) for f, e in zip(found, expected, strict=True)]
            cells.append(f"{np.mean(scores):.4f} ({np.min(scores):.4f})")
            if other is others[0]:
                ef = (
                    (expected[0].measurement.ef_percent, found[0].measurement.ef_percent)
                    if len(rows) == 1
                    else (None, None)
                )
        table.add_row(name, str(len(rows)), *cells, *("-" if value is None else f"{value:.1f}" for value in ef))
    Console(width=110).print(table)


if __name__ == "__main__":
    main([str(Path(a).expanduser()) if ":" not in a else a for a in sys.argv[1:]])

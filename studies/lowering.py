"""Which lowering is fastest in which engine, 2D convolutions or native 3D ones? The figures are in docs/export.md.

    python -m studies.lowering MODEL [MODEL ...] [--frames 32] [--runs 30]

Both forms of each clip graph of a bundle run with one thread, in turns; the times are medians. `export --lower auto`
takes the fastest (`AUTO` in `edgeecho.export.options`). The last column is the largest difference of `prob` between the
two forms, in levels of 255.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.errors import ModelFileError
from edgeecho.export.check.engine_times import median_seconds
from edgeecho.export.graph.to_conv3d import conv3d_graph
from edgeecho.export.options import USUAL_FORMATS
from edgeecho.export.write.clip_files import SUFFIX
from edgeecho.export.write.sealed import NO_STAMP
from edgeecho.export.write.writers import WRITERS
from edgeecho.model.registry import locate, model_folder
from edgeecho.model.sealed_file import read_verified
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.interface import Engine

LOWERINGS = ("2d", "none")
PRECISIONS = ("fp32", "int8")


def engines_of(source: Path, kind: str, folder: Path) -> dict[str, Engine]:
    """Write a clip graph in both lowerings, and open both in one engine."""
    data, spec, *_ = read_verified(source)
    graph = onnx.load_from_string(data)
    opened = {}
    for lowering in LOWERINGS:
        path = folder / f"{spec.precision}.{lowering}{SUFFIX[kind]}"
        built = conv3d_graph(graph) if lowering == "none" else graph
        WRITERS[path.suffix](path, built, replace(spec, lowering=lowering), NO_STAMP)
        opened[lowering] = open_engine(locate(path), threads=1).engine
    return opened


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="Packaged models or folders of a bundle.")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    rows: list[tuple[str, str, str, float, float, int]] = []
    for name in options.models:
        folder = model_folder(name)
        if folder is None:
            raise ModelFileError(f"no model {name!r}")
        for kind in track([(k, p) for k in USUAL_FORMATS for p in PRECISIONS], description=name, transient=True):
            format_, precision = kind
            source = folder / f"clip.{precision}.onnx"
            clip = speckle_clip(options.frames, read_verified(source).spec.size_px)
            with tempfile.TemporaryDirectory() as scratch:
                engines = engines_of(source, format_, Path(scratch))
            prob = {lowering: engine.infer(clip).astype(int) for lowering, engine in engines.items()}
            flat_s, native_s = median_seconds([engines[lowering] for lowering in LOWERINGS], clip, options.runs)
            apart = int(np.abs(prob["2d"] - prob["none"]).max())
            rows.append((folder.name, format_, precision, 1000 * flat_s, 1000 * native_s, apart))
    table = Table(title=f"Clips of {options.frames} frames, one thread, {options.runs} runs in turns")
    for heading in ("model", "format", "precision", "2d, ms", "none, ms", "none / 2d", "apart"):
        table.add_column(heading, justify="left" if heading in ("model", "format", "precision") else "right")
    for model, format_, precision, flat, native, apart in rows:
        table.add_row(model, format_, precision, f"{flat:.1f}", f"{native:.1f}", f"{native / flat:.2f}x", str(apart))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()

"""What do ways to smaller and faster files cost in Dice? docs/export.md and docs/smaller-runtimes.md have the figures.

    python -m studies.int8_ways camus:DIR [--model cl_unet_edge] [--limit 50]

All ways are calibrated on the same frames (`--calib` of the export, by default drawn hearts and pydicom's cine), and
measured on the validation stills, by their Dice, their agreement with fp32 and their time for one clip of 32 frames,
with one thread and in turns. `nncf`, which only this study uses, must be installed for its row: pip install nncf.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
from rich.console import Console
from rich.table import Table

from edgeecho.cine import Cine
from edgeecho.data import open_data
from edgeecho.export.bundle import find_source
from edgeecho.export.check.engine_times import median_seconds
from edgeecho.export.graph.to_conv3d import conv3d_graph
from edgeecho.export.int8.calibrate import gather
from edgeecho.export.int8.quantize import quantize
from edgeecho.export.int8.ranges import find_ranges
from edgeecho.export.write.sealed import NO_STAMP
from edgeecho.export.write.writers import WRITERS
from edgeecho.metrics import dice
from edgeecho.model.registry import locate, model_folder
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.interface import Engine
from edgeecho.runtime.engines.openvino_engine import OpenVinoEngine, openvino_core
from edgeecho.runtime.predictor import Predictor

T, RUNS, WARM_UP_RUNS = 32, 28, 2
PHASES = ("ED", "ES")


def by_nncf(xml: Path, clips: list[np.ndarray], name: str) -> Engine:
    """Quantize the fp32 OpenVINO file by NNCF, with symmetric weights and mixed activations, as it recommends."""
    import nncf
    import openvino as ov

    model = openvino_core().read_model(xml)
    data = nncf.Dataset([np.ascontiguousarray(clip[:, None]) for clip in clips])
    quantized = nncf.quantize(model, data, subset_size=len(clips), preset=nncf.QuantizationPreset.MIXED)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nncf.xml"
        ov.save_model(quantized, path, compress_to_fp16=False)
        return OpenVinoEngine(path.read_bytes(), path.with_suffix(".bin").read_bytes(), name, 1)


def make(model: str, calib: str | None, folder: Path) -> tuple[ModelSpec, dict[str, Engine]]:
    """Make the engine of every way."""
    found = model_folder(model)
    source = (found / "clip.fp32.onnx") if found else find_source(model)
    data, spec, *_ = read_verified(source)
    graph = onnx.load_from_string(data)
    frames = gather(calib, spec.size_px)
    engines: dict[str, Engine] = {}

    def add(way: str, suffix: str, built: onnx.ModelProto) -> None:
        path = folder / (way.replace(" ", "_") + suffix)
        precision = next((p for p in ("fp32", "fp16") if p in way), "int8")
        WRITERS[suffix](path, built, replace(spec, precision=precision), NO_STAMP)
        engines[way] = open_engine(locate(path), threads=1).engine

    add("fp32, ORT", ".onnx", graph)
    add("fp32, ORT format", ".ort", graph)
    add("fp32, OpenVINO", ".xml", graph)
    add("fp16, OpenVINO", ".xml", graph)
    whole = find_ranges(graph, frames.calibration)
    int8 = quantize(graph, whole)
    add("QDQ minmax, ORT", ".onnx", int8)
    add("QDQ minmax, ORT format", ".ort", int8)
    add("QDQ percentile, ORT", ".onnx", quantize(graph, find_ranges(graph, frames.calibration, "percentile")))
    add("QDQ minmax, 8-bit weights, ORT", ".onnx", quantize(graph, whole, weight_bits=8))
    add("QDQ minmax, OpenVINO", ".xml", int8)
    add("QDQ minmax native 3D, OpenVINO", ".xml", conv3d_graph(int8))
    if find_spec("nncf"):
        engines["NNCF, OpenVINO"] = by_nncf(folder / "fp32,_OpenVINO.xml", frames.calibration, spec.name)
    return spec, engines


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="camus:DIR")
    parser.add_argument("--model", default="cl_unet_edge")
    parser.add_argument("--calib")
    parser.add_argument("--limit", type=int, default=1000, help="Stills.")
    options = parser.parse_args()
    stills = [item.read() for item in open_data(options.data).items("val")[: options.limit]]
    with tempfile.TemporaryDirectory() as folder:
        spec, engines = make(options.model, options.calib, Path(folder))
    masks = {way: segment(engine, spec, stills) for way, engine in engines.items()}
    times = time_all(engines, spec.size_px)
    table = Table(title=f"{spec.name}: ways to int8, {len(stills)} stills, one thread, clips of {T} frames")
    for heading in ("way", "ED Dice", "ES Dice", "mask Dice with fp32, mean", "worst", "time / fp32 ORT"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, found in masks.items():
        agreement = [dice(a, b) for a, b in zip(found, masks["fp32, ORT"], strict=True)]
        by_phase = [
            np.mean([dice(m, c.labels[0]) for m, c in zip(found, stills, strict=True) if is_of(c, p)]) for p in PHASES
        ]
        cells = [*by_phase, np.mean(agreement), np.min(agreement), times[way] / times["fp32, ORT"]]
        table.add_row(way, *(f"{value:.4f}" for value in cells))
    Console(width=130).print(table)


def is_of(cine: Cine, phase: str) -> bool:
    """Whether a still is of this phase."""
    return cine.phases.get(0) == phase


def segment(engine: Engine, spec: ModelSpec, stills: Sequence[Cine]) -> list[np.ndarray]:
    """Segment stills, and return masks uint8 (H, W)."""
    predictor = Predictor(engine, replace(spec, form="clip"), "")
    return [predictor.segment(cine, flip="none").mask[0] for cine in stills]


def time_all(engines: dict[str, Engine], size_px: int) -> dict[str, float]:
    """Return the median seconds of each engine for a clip, measured in turns."""
    clip = np.random.default_rng(0).integers(0, 256, (T, 1, size_px, size_px), dtype=np.uint8)
    return dict(zip(engines, median_seconds(list(engines.values()), clip, RUNS, WARM_UP_RUNS), strict=True))


if __name__ == "__main__":
    main()

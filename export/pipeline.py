"""From a checkpoint to graphs: exported, quantized, written and proven, file by file."""

import hashlib
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.errors import ConfigError, ExportError, MissingExtraError, ModelFileError
from edgeecho.export.check.acceptance import Figure, Reference, assess, make_reference
from edgeecho.export.check.acceptance_cines import acceptance_cines
from edgeecho.export.check.proof import (
    WINDOWS,
    Verdict,
    compare_cuts,
    logit_error,
    open_file,
    open_graph,
    require_all,
    run_file,
    same_levels,
)
from edgeecho.export.int8.calibrate import Frames, gather, packaged_cine
from edgeecho.export.int8.quantize import count_int8
from edgeecho.export.int8.ranges import find_ranges
from edgeecho.export.int8.search import Int8Graph, quantize_accepted, refusal_of, refusals_of
from edgeecho.export.options import Options
from edgeecho.export.write.clip_files import SUFFIX, Stamps, formats_of, make_stamps, write_clips
from edgeecho.export.write.device_files import write_device_files
from edgeecho.export.write.ort_format import write_operators
from edgeecho.export.write.stream_files import write_streams
from edgeecho.model.device_file import header_fields
from edgeecho.model.registry import locate
from edgeecho.model.sealed_file import check
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.engine import open_engine

Progress = Callable[[str], None]
CUT = ("onnx", "ort")
"""Formats whose clip graphs are compared with themselves, cut."""
REAL_CLIPS = 4
"""Held-out clips that a stream is proven on, besides a moving cine."""
TIMED_RUNS = 5
QUANTIZED = ("int8", "fp16")
"""Precisions that the acceptance test looks at."""


@dataclass(frozen=True)
class Bundle:
    """What an export wrote."""

    folder: Path
    spec: ModelSpec
    """Of the network."""
    frames: Frames
    verdicts: list[Verdict]
    gate: list[Figure] = field(default_factory=list)
    """Figures of the acceptance test; empty where nothing was quantized."""
    gate_cines: int = 0
    """Cines of the acceptance test."""
    kept_float: list[str] = field(default_factory=list)
    """Convolutions that the acceptance test gave back to float."""
    costs: list[tuple[str, float]] = field(default_factory=list)
    """Of `Int8Graph`."""
    int8: bool = False
    """Whether int8 files were written."""

    @property
    def calibration(self) -> str | None:
        """What int8 was calibrated on."""
        return self.frames.source if self.int8 else None

    @property
    def refusals(self) -> list[str]:
        """Why the acceptance test refuses files, a sentence a file; empty if it accepts all."""
        return refusals_of(self.gate)


def write_graphs(source: Path, folder: Path, options: Options, progress: Progress) -> Bundle:
    """Write every graph that is asked for into a folder, and prove it.

    Raises:
        ConfigError: If a device file cannot hold the model's spec.
        ModelFileError: If the source is no checkpoint and no fp32 clip graph.
        ExportError: If a file does not answer as the source does, or the acceptance test refuses one.
    """
    data, spec, *_ = check(source)
    if spec.form != "checkpoint" and (source.suffix != ".onnx" or spec.precision != "fp32"):
        raise ModelFileError(f"{source.name}: export starts from a checkpoint or an fp32 ONNX graph, not this file")
    if spec.form == "clip" and (spec.lowering != "2d" or spec.frames):
        raise ModelFileError(
            f"{source.name}: a graph of native 3D convolutions or a fixed T; start from its checkpoint"
        )
    fp32 = replace(spec, form="clip", precision="fp32")
    header_fields(fp32)  # before minutes of work
    frames = gather(options.calib, spec.size_px)
    noise = noise_clips(spec.size_px)
    proving = [*frames.held_out, *noise]
    verdicts: list[Verdict] = []
    if source.suffix == ".safetensors":
        progress("exporting the clip graph")
        shutil.copyfile(source, folder / f"{spec.name}.safetensors")
        graph, against = _from_checkpoint(source, spec, proving, verdicts), "PyTorch"
    else:
        graph, against = onnx.load_from_string(data), source.name
    bundle = Bundle(folder, replace(spec, form="checkpoint"), frames, verdicts)
    graphs = {"fp32": (graph, fp32)}
    gate = _Gate(graph, fp32, frames, options, progress) if options.precision in QUANTIZED else None
    refusal = None
    if gate and options.precision == "int8":
        found = gate.quantize()
        refusal = found.refusal
        verdicts += found.proof
        bundle = replace(bundle, gate=found.figures, kept_float=found.kept_float, costs=found.costs, int8=True)
        graphs["int8"] = (found.model, replace(fp32, precision="int8"))
    if options.precision == "fp16":
        graphs["fp16"] = (graph, replace(fp32, precision="fp16"))
    if gate:
        bundle = replace(bundle, gate_cines=len(gate.reference.cines))
    reference = run_file(source, proving)
    for built, its_spec in graphs.values():
        refused = refusal if its_spec.precision in QUANTIZED else None
        stamps = make_stamps(built, its_spec, options, refused)
        clips = write_clips(folder, built, its_spec, stamps, proving, reference, against, options, progress)
        verdicts += clips
        openvino = folder / f"clip.{its_spec.precision}.xml"
        if gate and its_spec.precision in QUANTIZED and openvino.is_file():  # it fuses and rounds in its own way
            figures = gate.assess(openvino)
            bundle.gate.extend(figures)
            refusal = refusal or refusal_of(figures)
            if refusal and options.gate == "enforce":
                raise ExportError(
                    f"refused: {refusal}. Calibrate on other data (--calib), leave this format out (--format), or look "
                    "at the files with --gate report"
                )
            if refusal and not refused:
                stamps = make_stamps(built, its_spec, options, refusal)
                write_clips(folder, built, its_spec, stamps, proving, reference, against, options, progress)
        require_all(verdicts)
        _prove_in_time(bundle, built, its_spec, stamps, noise, options, progress)
    _compare_times(folder, spec.size_px, progress)
    if "clip" not in options.forms:
        for path in folder.glob("clip.*"):
            path.unlink()
    if "ort" in options.formats:
        write_operators(folder)
    write_device_files(folder)
    for text in bundle.refusals:
        progress(f"the acceptance test refuses: {text}")
    return bundle


def _reference(graph: bytes, spec: ModelSpec, calib: str | None, groups: tuple[str, ...], seed: int) -> Reference:
    """What fp32 answers to the acceptance cines; kept for the next export of the same graph in this process."""
    key = hashlib.sha256(graph).hexdigest(), calib, groups, seed
    if key not in _references:
        cines = acceptance_cines(calib, groups, spec.size_px, seed)
        run = open_graph(onnx.load_from_string(graph), spec).probabilities
        _references.clear()
        _references[key] = make_reference(run, cines, spec.threshold)
    return _references[key]


_references: dict[tuple[str, str | None, tuple[str, ...], int], Reference] = {}


class _Gate:
    """The acceptance test of one export."""

    def __init__(
        self, graph: onnx.ModelProto, spec: ModelSpec, frames: Frames, options: Options, progress: Progress
    ) -> None:
        self.graph, self.spec, self.frames, self.options, self.progress = graph, spec, frames, options, progress
        progress("gathering cines for the acceptance test, and fp32's answers to them, plain and under noise")
        self.reference = _reference(
            graph.SerializeToString(deterministic=True), spec, options.calib, frames.held_out_groups, options.gate_seed
        )

    def quantize(self) -> Int8Graph:
        """Find the int8 graph."""
        self.progress(f"quantizing on {self.frames.source}")
        ranges = find_ranges(self.graph, self.frames.calibration, self.options.method)
        found = quantize_accepted(self.graph, ranges, self.reference, self.spec, self.options, self.progress)
        done, convolutions = count_int8(found.model)
        if done < convolutions:
            self.progress(f"{convolutions - done} of {convolutions} convolutions stay in float")
        return found

    def assess(self, path: Path) -> list[Figure]:
        """Measure a file."""
        return assess(path.name, open_file(path).probabilities, self.reference, self.options.limits)


def noise_clips(size_px: int) -> list[np.ndarray]:
    """Draw the random clips that files are proven on besides real ones, uint8 (T, S, S) each."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (t, size_px, size_px), dtype=np.uint8) for t in (1, 7)]


def _prove_in_time(
    bundle: Bundle,
    built: onnx.ModelProto,
    spec: ModelSpec,
    stamps: Stamps,
    noise: list[np.ndarray],
    options: Options,
    progress: Progress,
) -> None:
    """Cut cines, and write streams, of the graph of one precision."""
    folder, cine, name = bundle.folder, moving_cine(bundle.spec.size_px), spec.precision
    suffixes = [SUFFIX[kind] for kind in formats_of(name, options)]
    for suffix in (SUFFIX[kind] for kind in formats_of(name, options) if "clip" in options.forms and kind in CUT):
        progress(f"cutting cines for clip.{name}{suffix}")
        verdict = compare_cuts(folder / f"clip.{name}{suffix}", [cine, noise_like(cine)], same_levels(name))
        bundle.verdicts.append(verdict)
    if "stream" in options.forms:
        real = [cine, *bundle.frames.held_out[:REAL_CLIPS]]
        bundle.verdicts.extend(write_streams(folder, built, spec, stamps, suffixes, real, noise, progress))
    require_all(bundle.verdicts)


def _compare_times(folder: Path, size_px: int, progress: Progress) -> None:
    """Tell whether int8 is worth its while on this machine."""
    cine = moving_cine(size_px)
    for suffix in SUFFIX.values():
        files = [folder / f"clip.{name}{suffix}" for name in ("int8", "fp32")]
        if all(path.is_file() for path in files):
            ratio = _relative_time(files[0], files[1], cine)
            verdict = "" if ratio < 1 else "; int8 is not faster on this machine, take fp32 here"
            progress(f"{files[0].name} takes {ratio:.2f} of the time of {files[1].name}{verdict}")


def _relative_time(path: Path, other: Path, cine: np.ndarray) -> float:
    """Median time of one file's run over another's, in turns."""
    opened = [open_engine(locate(each)) for each in (path, other)]
    frames = opened[0].spec.frames or len(cine)
    clip = np.resize(cine, (frames, *cine.shape[1:]))[:, None]
    seconds: list[list[float]] = [[], []]
    for _ in range(TIMED_RUNS + 1):
        for model, taken in zip(opened, seconds, strict=True):
            begun = time.perf_counter()
            model.engine.infer(clip)
            taken.append(time.perf_counter() - begun)
    ours, theirs = (statistics.median(taken[1:]) for taken in seconds)
    return ours / theirs


def moving_cine(size_px: int) -> np.ndarray:
    """A frame more than the longest window, of pydicom's cine to and fro, else of noise: uint8 (T, S, S)."""
    try:
        cine = packaged_cine(size_px)
    except MissingExtraError:
        cine = np.random.default_rng(1).integers(0, 256, (max(WINDOWS), size_px, size_px), dtype=np.uint8)
    return np.concatenate([cine, cine[::-1]])[: max(WINDOWS) + 1]


def noise_like(cine: np.ndarray) -> np.ndarray:
    """Draw a random cine of the same shape."""
    return np.random.default_rng(2).integers(0, 256, cine.shape, dtype=np.uint8)


def _from_checkpoint(
    source: Path, spec: ModelSpec, proving: list[np.ndarray], verdicts: list[Verdict]
) -> onnx.ModelProto:
    import torch

    from edgeecho.export.graph.clip import clip_graph
    from edgeecho.nn.checkpoint import load_checkpoint

    network, _ = load_checkpoint(source)
    if spec.pooled_frames > 1:
        raise ConfigError(f"{source.name}: {spec.family} pools along time and cannot stream; it is for comparison only")
    graph = clip_graph(network, spec.size_px)
    clip = max(proving, key=len)
    with torch.inference_mode():
        logits = network.forward_frames(torch.from_numpy(clip[:, None].copy()).float() * (1.0 / 255.0)).numpy()
    verdicts.append(logit_error(graph, clip, logits, "clip.fp32 graph"))
    return graph

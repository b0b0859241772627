"""From a checkpoint to graphs: exported, quantized, written and proven, file by file."""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.catalog import locate
from edgeecho.errors import ConfigError, MissingExtraError, ModelFileError
from edgeecho.export.calibrate import Frames, gather, packaged_cine
from edgeecho.export.device_files import write_device_files
from edgeecho.export.fixed import fix_frames
from edgeecho.export.gate import Answers, judge, quantize_gated
from edgeecho.export.native import native_graph
from edgeecho.export.options import Options
from edgeecho.export.ort_format import write_operators
from edgeecho.export.proof import (
    WINDOWS,
    Verdict,
    compare_cuts,
    compare_levels,
    compare_lowering,
    compare_masks,
    logit_error,
    open_file,
    require_all,
    run_file,
    run_graph,
    same_levels,
)
from edgeecho.export.quantize import count_int8
from edgeecho.export.ranges import find_ranges
from edgeecho.export.stream_files import write_streams
from edgeecho.export.writers import WRITERS
from edgeecho.modelfile import check
from edgeecho.runtime.engine import open_engine
from edgeecho.spec import ModelSpec

Progress = Callable[[str], None]
SUFFIX = {"onnx": ".onnx", "openvino": ".xml", "ort": ".ort"}
CUT = ("onnx", "ort")
"""Formats whose clip graphs are compared with themselves, cut."""
REAL_CLIPS = 4
"""Held-out clips that a stream is proven on, besides a moving cine."""
TIMED_RUNS = 5


@dataclass(frozen=True)
class Bundle:
    """What an export wrote."""

    folder: Path
    spec: ModelSpec
    """Of the network."""
    frames: Frames
    verdicts: list[Verdict]
    gate: list[Verdict] = field(default_factory=list)
    """int8 against fp32 in clinical units; empty without int8."""
    kept_float: list[str] = field(default_factory=list)
    """Convolutions that the gate gave back to float."""

    @property
    def calibration(self) -> str | None:
        """What int8 was calibrated on."""
        return self.frames.source if self.gate else None


def write_graphs(source: Path, folder: Path, options: Options, progress: Progress) -> Bundle:
    """Write every graph that is asked for into a folder, and prove it.

    Raises:
        ModelFileError: If the source is no checkpoint and no fp32 clip graph.
        ExportError: If a file does not say the same as the source, or int8 fails the gate.
    """
    data, spec, _ = check(source)
    if spec.form != "checkpoint" and (source.suffix != ".onnx" or spec.precision != "fp32"):
        raise ModelFileError(f"{source.name}: export starts from a checkpoint or an fp32 ONNX graph, not this file")
    if spec.form == "clip" and (spec.lowering != "2d" or spec.frames):
        raise ModelFileError(
            f"{source.name}: a graph of native 3D convolutions or a fixed T; start from its checkpoint"
        )
    frames = gather(options.calib, spec.size_px)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (t, spec.size_px, spec.size_px), dtype=np.uint8) for t in (1, 7)]
    proving = [*frames.held_out, *noise]
    verdicts: list[Verdict] = []
    if source.suffix == ".safetensors":
        progress("exporting the clip graph")
        shutil.copyfile(source, folder / f"{spec.name}.safetensors")
        graph, against = _from_checkpoint(source, spec, proving, verdicts), "PyTorch"
    else:
        graph, against = onnx.load_from_string(data), source.name
    reference = run_file(source, proving)
    fp32 = replace(spec, form="clip", precision="fp32")
    bundle = Bundle(folder, replace(spec, form="checkpoint"), frames, verdicts)
    graphs = {"fp32": (graph, fp32)}
    if options.precision == "int8":
        progress(f"quantizing on {frames.source}")
        ranges = find_ranges(graph, frames.calibration, options.method)
        gated = quantize_gated(graph, ranges, frames, fp32, progress, reduce_range=options.reduce_range)
        bundle = replace(bundle, gate=gated.verdicts, kept_float=gated.kept_float)
        graphs["int8"] = (gated.model, replace(fp32, precision="int8"))
        done, convolutions = count_int8(gated.model)
        if done < convolutions:
            progress(f"{convolutions - done} of {convolutions} convolutions stay in float")
    if options.precision == "fp16":
        graphs["fp16"] = (graph, replace(fp32, precision="fp16"))
    for built, its_spec in graphs.values():
        for path, answers in _write_clips(folder, built, its_spec, proving, verdicts, options, progress):
            if its_spec.precision == "fp32":
                verdicts.append(compare_levels(path.name, against, answers, reference))
            else:
                n = len(frames.held_out)
                verdicts.append(compare_masks(path.name, against, answers[:n], reference[:n], spec.threshold))
    openvino = folder / "clip.int8.xml"
    if openvino.is_file():  # it fuses and rounds in its own way; ONNX Runtime was judged before
        said = Answers.ask(open_file(openvino), frames.judges)
        bundle.gate.extend(judge(openvino.name, "clip.fp32.onnx", said, gated.fp32, frames.judges))
    require_all([*verdicts, *bundle.gate])
    _prove_in_time(bundle, graphs, noise, options, progress)
    if "clip" not in options.forms:
        for path in folder.glob("clip.*"):
            path.unlink()
    if "ort" in options.formats:
        write_operators(folder)
    write_device_files(folder)
    return bundle


def _formats(precision: str, options: Options) -> list[str]:
    return [kind for kind in options.formats if precision != "fp16" or kind == "openvino"]


def _write_clips(
    folder: Path,
    built: onnx.ModelProto,
    spec: ModelSpec,
    proving: list[np.ndarray],
    verdicts: list[Verdict],
    options: Options,
    progress: Progress,
) -> Iterator[tuple[Path, list[np.ndarray]]]:
    """Write a clip graph in every format, lowered as is best there; each file and what it answers to the clips."""
    lowered = {"2d": built}
    if any(options.lowering(kind, spec.context_frames) == "none" for kind in _formats(spec.precision, options)):
        lowered["none"] = native_graph(built)
        verdicts.append(compare_lowering(lowered["none"], built, spec, proving))
    for kind in _formats(spec.precision, options):
        path = folder / f"clip.{spec.precision}{SUFFIX[kind]}"
        progress(f"writing and proving {path.name}")
        lowering = options.lowering(kind, spec.context_frames)
        clip = fix_frames(lowered[lowering], options.frames, spec) if options.frames else lowered[lowering]
        its = replace(spec, frames=options.frames, lowering=lowering)
        WRITERS[path.suffix](path, clip, its)
        answers = run_file(path, proving)
        if kind == "ort":
            same = run_graph(clip, its, proving)
            verdicts.append(compare_levels(path.name, "its ONNX graph", answers, same, same_levels(spec.precision)))
        yield path, answers


def _prove_in_time(
    bundle: Bundle,
    graphs: dict[str, tuple[onnx.ModelProto, ModelSpec]],
    noise: list[np.ndarray],
    options: Options,
    progress: Progress,
) -> None:
    """Cut cines, write streams, and say whether int8 is worth its while on this machine."""
    folder, cine = bundle.folder, _moving_cine(bundle.spec.size_px)
    for name, (built, its_spec) in graphs.items():
        for suffix in (SUFFIX[kind] for kind in _formats(name, options) if "clip" in options.forms and kind in CUT):
            progress(f"cutting cines for clip.{name}{suffix}")
            verdict = compare_cuts(folder / f"clip.{name}{suffix}", [cine, _noise_like(cine)], same_levels(name))
            bundle.verdicts.append(verdict)
        if "stream" in options.forms:
            suffixes = [SUFFIX[kind] for kind in _formats(name, options)]
            real = [cine, *bundle.frames.held_out[:REAL_CLIPS]]
            bundle.verdicts.extend(write_streams(folder, built, its_spec, suffixes, real, noise, progress))
    require_all(bundle.verdicts)
    for suffix in SUFFIX.values():
        files = [folder / f"clip.{name}{suffix}" for name in ("int8", "fp32")]
        if all(path.is_file() for path in files):
            ratio = _relative_time(*files, cine)
            verdict = "" if ratio < 1 else "; int8 is not faster on this machine, take fp32 here"
            progress(f"{files[0].name} takes {ratio:.2f} of the time of {files[1].name}{verdict}")


def _relative_time(path: Path, other: Path, cine: np.ndarray) -> float:
    """Median time of one file's run over another's, in turns."""
    opened = [open_engine(locate(each)) for each in (path, other)]
    frames = opened[0][1].frames or len(cine)
    clip = np.resize(cine, (frames, *cine.shape[1:]))[:, None]
    engines = [engine for engine, _, _ in opened]
    seconds: list[list[float]] = [[], []]
    for _ in range(TIMED_RUNS + 1):
        for engine, taken in zip(engines, seconds, strict=True):
            begun = time.perf_counter()
            engine.infer(clip)
            taken.append(time.perf_counter() - begun)
    ours, theirs = (statistics.median(taken[1:]) for taken in seconds)
    return ours / theirs


def _moving_cine(size_px: int) -> np.ndarray:
    """A frame more than the longest window, of pydicom's cine to and fro, else of noise: uint8 (T, S, S)."""
    try:
        cine = packaged_cine(size_px)
    except MissingExtraError:
        cine = np.random.default_rng(1).integers(0, 256, (max(WINDOWS), size_px, size_px), dtype=np.uint8)
    return np.concatenate([cine, cine[::-1]])[: max(WINDOWS) + 1]


def _noise_like(cine: np.ndarray) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, cine.shape, dtype=np.uint8)


def _from_checkpoint(
    source: Path, spec: ModelSpec, proving: list[np.ndarray], verdicts: list[Verdict]
) -> onnx.ModelProto:
    import torch

    from edgeecho.export.graph import clip_graph
    from edgeecho.nn.checkpoint import load_checkpoint
    from edgeecho.nn.unet3d import UNet3D

    network, _ = load_checkpoint(source)
    if isinstance(network, UNet3D):
        raise ConfigError(f"{source.name}: {spec.family} pools along time and cannot stream; it is for comparison only")
    graph = clip_graph(network, spec.size_px)
    clip = max(proving, key=len)
    with torch.inference_mode():
        logits = network.forward_frames(torch.from_numpy(clip[:, None].copy()).float() * (1.0 / 255.0)).numpy()
    verdicts.append(logit_error(graph, clip, logits, "clip.fp32 graph"))
    return graph

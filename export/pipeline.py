"""Pipeline from a checkpoint to graphs, which are exported, quantized, written and proven, file by file."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.errors import ConfigError, ExportError, ModelFileError
from edgeecho.export.check.acceptance import Reference, assess, make_reference
from edgeecho.export.check.acceptance_cines import acceptance_cines
from edgeecho.export.check.engine_times import relative_time
from edgeecho.export.check.figures import Figure
from edgeecho.export.check.proof import (
    CheckResult,
    allowed_levels,
    compare_selftest,
    compare_windows,
    logit_error,
    open_file,
    open_graph,
    require_all,
    run_file,
)
from edgeecho.export.check.proving_clips import REAL_CLIPS, moving_cine, noise_clips, noise_like
from edgeecho.export.int8.calibrate import Frames, gather
from edgeecho.export.int8.quantize import count_int8
from edgeecho.export.int8.ranges import find_ranges
from edgeecho.export.int8.search import Int8Graph, quantize_accepted, refusal_of, refusals_of
from edgeecho.export.options import Options
from edgeecho.export.write.clip_files import (
    SUFFIX,
    WINDOWED_FORMATS,
    Expected,
    Stamps,
    formats_of,
    make_stamps,
    write_clips,
)
from edgeecho.export.write.native_device_file import make_native_device_file
from edgeecho.export.write.ort_format import write_operators
from edgeecho.export.write.stream_files import write_streams
from edgeecho.model.device_copy import write_device_files
from edgeecho.model.device_file import header_fields
from edgeecho.model.registry import NATIVE_SUFFIX
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.native_engine import is_built

Progress = Callable[[str], None]
QUANTIZED = ("int8", "fp16")
"""Precisions whose files the acceptance test measures."""


@dataclass(frozen=True)
class Bundle:
    """Result of an export: the folder, and what was found while it was written."""

    folder: Path
    spec: ModelSpec
    """Specification of the network."""
    frames: Frames
    proof: list[CheckResult]
    gate: list[Figure] = field(default_factory=list)
    """Figures of the acceptance test; empty where nothing was quantized."""
    gate_cines: int = 0
    """Number of cines of the acceptance test."""
    kept_float: list[str] = field(default_factory=list)
    """Names of the convolutions that stay in float, so that the acceptance test accepts the graph."""
    costs: list[tuple[str, float]] = field(default_factory=list)
    """Field `costs` of `Int8Graph`."""
    int8: bool = False
    """Whether int8 files were written."""

    @property
    def calibration(self) -> str | None:
        """Description of the calibration set; None without int8 files."""
        return self.frames.source if self.int8 else None

    @property
    def refusals(self) -> list[str]:
        """Reasons why the acceptance test refuses files, a sentence a file; empty if it accepts all."""
        return refusals_of(self.gate)


def write_graphs(source: Path, folder: Path, options: Options, progress: Progress) -> Bundle:
    """Write every requested graph into a folder, and prove it.

    Raises:
        ConfigError: If a device file cannot hold the model's specification.
        ModelFileError: If the source is no checkpoint and no fp32 clip graph.
        ExportError: If a file differs from the source, or the acceptance test refuses one.
    """
    data, spec = _read_source(source)
    fp32 = replace(spec, form="clip", precision="fp32")
    header_fields(fp32)  # before minutes of work
    frames = gather(options.calib, spec.size_px)
    noise = noise_clips(spec.size_px)
    proving = [*frames.held_out, *noise]
    proof: list[CheckResult] = []
    if source.suffix == ".safetensors":
        progress("exporting the clip graph")
        shutil.copyfile(source, folder / f"{spec.name}.safetensors")
        graph, against = _from_checkpoint(source, spec, proving, proof), "PyTorch"
    else:
        graph, against = onnx.load_from_string(data), source.name
    bundle = Bundle(folder, replace(spec, form="checkpoint"), frames, proof)
    graphs, refusal = [(graph, fp32)], None
    gate = _Gate(graph, fp32, frames, options, progress) if options.precision in QUANTIZED else None
    if gate and options.precision == "int8":
        found = gate.quantize()
        refusal = found.refusal
        proof += found.proof
        bundle = replace(bundle, gate=found.figures, kept_float=found.kept_float, costs=found.costs, int8=True)
        graphs.append((found.model, replace(fp32, precision="int8")))
    if options.precision == "fp16":
        graphs.append((graph, replace(fp32, precision="fp16")))
    if gate:
        bundle = replace(bundle, gate_cines=len(gate.reference.cines))
    files = _Files(bundle, Expected(against, proving, run_file(source, proving)), noise, gate, options, progress)
    for built, its_spec in graphs:
        files.write(built, its_spec, refusal)
    files.complete()
    return bundle


def _read_source(source: Path) -> tuple[bytes, ModelSpec]:
    """Verify a source, and return its bytes and its specification.

    Raises:
        ModelFileError: If it is neither a checkpoint nor an fp32 clip graph of 2D convolutions and free T.
    """
    data, spec, *_ = read_verified(source)
    if spec.form != "checkpoint" and (source.suffix != ".onnx" or spec.precision != "fp32"):
        raise ModelFileError(f"{source.name}: export starts from a checkpoint or an fp32 ONNX graph, not this file")
    if spec.form == "clip" and (spec.lowering != "2d" or spec.frames):
        raise ModelFileError(
            f"{source.name}: a graph of native 3D convolutions or a fixed T; start from its checkpoint"
        )
    return data, spec


class _Files:
    """Files of a bundle: written in every format, proven, and measured by the acceptance test."""

    def __init__(
        self,
        bundle: Bundle,
        expected: Expected,
        noise: list[np.ndarray],
        gate: "_Gate | None",
        options: Options,
        progress: Progress,
    ) -> None:
        self.bundle, self.expected, self.noise, self.gate = bundle, expected, noise, gate
        self.options, self.progress, self.folder = options, progress, bundle.folder

    def write(self, graph: onnx.ModelProto, spec: ModelSpec, refusal: str | None) -> None:
        """Write and prove the clip files and stream files of one precision.

        Args:
            graph: Clip graph of this precision.
            spec: Specification of the graph.
            refusal: Reason why the acceptance test refused the int8 graph, or None.

        Raises:
            ExportError: If a file differs from the source, or the acceptance test refuses it.
        """
        quantized = spec.precision in QUANTIZED
        stamps = make_stamps(graph, spec, self.options, refusal if quantized else None)
        self.bundle.proof.extend(self._write_clips(graph, spec, stamps))
        openvino = self.folder / f"clip.{spec.precision}.xml"
        if self.gate and quantized and openvino.is_file():  # OpenVINO fuses and rounds in another way
            figures = self.gate.assess(openvino)
            self.bundle.gate.extend(figures)
            found = refusal or refusal_of(figures)
            if found and self.options.gate == "enforce":
                raise ExportError(
                    f"refused: {found}. Calibrate on other data (--calib), leave this format out (--format), or look "
                    "at the files with --gate report"
                )
            if found and not refusal:
                stamps = make_stamps(graph, spec, self.options, found)
                self._write_clips(graph, spec, stamps)
        require_all(self.bundle.proof)
        self._prove_windows(spec.precision)
        self._write_streams(graph, spec, stamps)
        require_all(self.bundle.proof)

    def _write_clips(self, graph: onnx.ModelProto, spec: ModelSpec, stamps: Stamps) -> list[CheckResult]:
        return write_clips(self.folder, graph, spec, stamps, self.expected, self.options, self.progress)

    def _prove_windows(self, precision: str) -> None:
        """Compare the clip files of a precision with themselves in other windows."""
        cine = moving_cine(self.bundle.spec.size_px)
        for kind in formats_of(precision, self.options):
            if "clip" in self.options.forms and kind in WINDOWED_FORMATS:
                path = self.folder / f"clip.{precision}{SUFFIX[kind]}"
                self.progress(f"cutting cines for {path.name}")
                result = compare_windows(path, [cine, noise_like(cine)], allowed_levels(precision))
                self.bundle.proof.append(result)

    def _write_streams(self, graph: onnx.ModelProto, spec: ModelSpec, stamps: Stamps) -> None:
        """Write and prove the stream files of a precision, if streams are requested."""
        if "stream" in self.options.forms:
            suffixes = [SUFFIX[kind] for kind in formats_of(spec.precision, self.options)]
            real = [moving_cine(self.bundle.spec.size_px), *self.bundle.frames.held_out[:REAL_CLIPS]]
            found = write_streams(self.folder, graph, spec, stamps, suffixes, real, self.noise, self.progress)
            self.bundle.proof.extend(found)

    def complete(self) -> None:
        """Compare times, remove clip files that are not requested, and write and prove what depends on all files.

        Raises:
            ExportError: If a device file does not give the results of its self-test.
        """
        self._compare_times()
        if "clip" not in self.options.forms:
            for path in self.folder.glob("clip.*"):
                path.unlink()
        if "ort" in self.options.formats:
            write_operators(self.folder)
        device_files = write_device_files(self.folder)
        self.progress("proving the device files")
        self.bundle.proof.extend(compare_selftest(path) for path in device_files)
        self._write_native()
        require_all(self.bundle.proof)
        for text in self.bundle.refusals:
            self.progress(f"the acceptance test refuses: {text}")

    def _write_native(self) -> None:
        """Write and prove the native device file of the int8 stream, where its engine is built and has all kernels."""
        graph = self.folder / "stream.int8.onnx"
        if not graph.is_file() or not is_built():
            return
        self.progress("writing and proving the native device file")
        try:
            made = make_native_device_file(graph)
        except ExportError as error:
            self.progress(f"no native device file: {error}")
            return
        self.bundle.proof.extend(made.proof)
        (self.folder / f"stream.int8{NATIVE_SUFFIX}").write_bytes(made.data)

    def _compare_times(self) -> None:
        """Report whether int8 is faster than fp32 on this machine."""
        cine = moving_cine(self.bundle.spec.size_px)
        for suffix in SUFFIX.values():
            files = [self.folder / f"clip.{name}{suffix}" for name in ("int8", "fp32")]
            if all(path.is_file() for path in files):
                ratio = relative_time(files[0], files[1], cine)
                advice = "" if ratio < 1 else "; int8 is not faster on this machine, take fp32 here"
                self.progress(f"{files[0].name} takes {ratio:.2f} of the time of {files[1].name}{advice}")


def _reference(graph: bytes, spec: ModelSpec, calib: str | None, groups: tuple[str, ...], seed: int) -> Reference:
    """Run fp32 on the acceptance cines; the result is kept for the next export of the same graph in this process."""
    key = hashlib.sha256(graph).hexdigest(), calib, groups, seed
    if key not in _references:
        cines = acceptance_cines(calib, groups, spec.size_px, seed)
        run = open_graph(onnx.load_from_string(graph), spec).probabilities
        _references.clear()
        _references[key] = make_reference(run, cines, spec.threshold)
    return _references[key]


_references: dict[tuple[str, str | None, tuple[str, ...], int], Reference] = {}


class _Gate:
    """Acceptance test of one export."""

    def __init__(
        self, graph: onnx.ModelProto, spec: ModelSpec, frames: Frames, options: Options, progress: Progress
    ) -> None:
        self.graph, self.spec, self.frames, self.options, self.progress = graph, spec, frames, options, progress
        progress("gathering cines for the acceptance test, and fp32's answers to them, plain and under noise")
        self.reference = _reference(
            graph.SerializeToString(deterministic=True), spec, options.calib, frames.held_out_groups, options.gate_seed
        )

    def quantize(self) -> Int8Graph:
        """Search the int8 graph that the acceptance test accepts."""
        self.progress(f"quantizing on {self.frames.source}")
        ranges = find_ranges(self.graph, self.frames.calibration, self.options.method)
        found = quantize_accepted(self.graph, ranges, self.reference, self.spec, self.options, self.progress)
        done, convolutions = count_int8(found.model)
        if done < convolutions:
            self.progress(f"{convolutions - done} of {convolutions} convolutions stay in float")
        return found

    def assess(self, path: Path) -> list[Figure]:
        """Measure a file on the acceptance cines."""
        return assess(path.name, open_file(path).probabilities, self.reference, self.options.limits)


def _from_checkpoint(
    source: Path, spec: ModelSpec, proving: list[np.ndarray], proof: list[CheckResult]
) -> onnx.ModelProto:
    """Export the fp32 clip graph of a checkpoint, and prove it against PyTorch."""
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
    proof.append(logit_error(graph, clip, logits, "clip.fp32 graph"))
    return graph

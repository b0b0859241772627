"""Clip files of a bundle: written in every format, each with its self-test, each proven against the source."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.export.check.proof import (
    CheckResult,
    allowed_levels,
    compare_levels,
    compare_lowering,
    compare_selftest,
    open_graph,
    run_file,
    run_graph,
)
from edgeecho.export.graph.fix_frames import fix_frames
from edgeecho.export.graph.to_conv3d import conv3d_graph
from edgeecho.export.int8.quantize import PROCESSORS, count_int8
from edgeecho.export.options import Options
from edgeecho.export.write.sealed import Stamp
from edgeecho.export.write.writers import WRITERS
from edgeecho.model.selftest_record import MAX_LEVELS, MIN_DICE
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.selftest_cine import make_record, selftest_inputs

SUFFIX = {"onnx": ".onnx", "openvino": ".xml", "ort": ".ort"}
WINDOWED_FORMATS = ("onnx", "ort")
"""Formats whose clip files are proven to be invariant to windows."""


def formats_of(precision: str, options: Options) -> list[str]:
    """Return the formats that a precision is written in."""
    return [kind for kind in options.formats if precision != "fp16" or kind == "openvino"]


@dataclass(frozen=True)
class Stamps:
    """Stamps of the files of one precision: equality for an engine that computes exactly, else a tolerance."""

    near: Stamp
    """Stamp for OpenVINO, which rounds in another way."""
    exact: Stamp

    def of(self, suffix: str) -> Stamp:
        """Return the stamp for files of a suffix."""
        return self.near if suffix == ".xml" else self.exact


def make_stamps(clip: onnx.ModelProto, spec: ModelSpec, options: Options, refusal: str | None) -> Stamps:
    """Compute the self-test of a clip graph, which its stream graph shares.

    Args:
        clip: Clip graph of free T, as ONNX Runtime runs it.
        spec: Specification of the graph.
        options: Options of the export.
        refusal: Reason why the acceptance test refused the graph, or None.
    """
    prob = open_graph(clip, spec).probabilities(selftest_inputs(spec.size_px))
    if spec.precision == "fp32":
        record = make_record(prob, spec.threshold, max_levels=MAX_LEVELS)
        return Stamps(near=Stamp(record, refusal), exact=Stamp(record, refusal))
    near = make_record(prob, spec.threshold, min_dice=MIN_DICE)
    in_int8, convolutions = count_int8(clip)
    if in_int8 < convolutions:  # convolutions in float round differently on each kind of processor
        return Stamps(near=Stamp(near, refusal), exact=Stamp(near, refusal))
    exact = make_record(prob, spec.threshold, processors=PROCESSORS[options.weight_bits])
    return Stamps(near=Stamp(near, refusal), exact=Stamp(exact, refusal))


@dataclass(frozen=True, eq=False)
class Expected:
    """Predictions of the source, which clip files are compared with."""

    against: str
    """Name of the source."""
    clips: list[np.ndarray]
    """Clips, uint8 (T, S, S) each."""
    prob: list[np.ndarray]
    """Probabilities that the source predicts on them, uint8 (T, S, S) each."""


def write_clips(
    folder: Path,
    built: onnx.ModelProto,
    spec: ModelSpec,
    stamps: Stamps,
    expected: Expected,
    options: Options,
    progress: Callable[[str], None],
) -> list[CheckResult]:
    """Write a clip graph in every format, with the lowering of that format, and prove each file.

    Args:
        folder: Folder of the files.
        built: Clip graph of 2D convolutions and free T.
        spec: Specification of the graph.
        stamps: Stamps of the files.
        expected: Predictions of the source.
        options: Options of the export.
        progress: Function that is called with what is being done.
    """
    proof: list[CheckResult] = []
    lowered = {"2d": built}
    kinds = formats_of(spec.precision, options)
    if any(options.lowering(kind, spec.context_frames) == "none" for kind in kinds):
        lowered["none"] = conv3d_graph(built)
        proof.append(compare_lowering(lowered["none"], built, spec, expected.clips))
    for kind in kinds:
        path = folder / f"clip.{spec.precision}{SUFFIX[kind]}"
        progress(f"writing and proving {path.name}")
        lowering = options.lowering(kind, spec.context_frames)
        clip = fix_frames(lowered[lowering], options.frames, spec) if options.frames else lowered[lowering]
        its = replace(spec, frames=options.frames, lowering=lowering)
        WRITERS[path.suffix](path, clip, its, stamps.of(path.suffix))
        prob = run_file(path, expected.clips)
        if kind == "ort":
            same = run_graph(clip, its, expected.clips)
            proof.append(compare_levels(path.name, "its ONNX graph", prob, same, allowed_levels(spec.precision)))
        if spec.precision == "fp32":  # the acceptance test measures the others
            proof.append(compare_levels(path.name, expected.against, prob, expected.prob))
        proof.append(compare_selftest(path))
    return proof

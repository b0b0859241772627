"""The clip files of a bundle: written in every format, each proven against the source, each with its self-test."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.export.check.proof import (
    Verdict,
    compare_levels,
    compare_lowering,
    compare_selftest,
    open_graph,
    run_file,
    run_graph,
    same_levels,
)
from edgeecho.export.graph.fix_frames import fix_frames
from edgeecho.export.graph.to_conv3d import native_graph
from edgeecho.export.int8.quantize import PROCESSORS, count_int8
from edgeecho.export.options import Options
from edgeecho.export.write.sealed import Stamp
from edgeecho.export.write.writers import WRITERS
from edgeecho.model.selftest_record import MAX_LEVELS, MIN_DICE
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.selftest_cine import make_record, selftest_inputs

SUFFIX = {"onnx": ".onnx", "openvino": ".xml", "ort": ".ort"}


def formats_of(precision: str, options: Options) -> list[str]:
    """Formats that a precision is written in."""
    return [kind for kind in options.formats if precision != "fp16" or kind == "openvino"]


@dataclass(frozen=True)
class Stamps:
    """What the files of one precision carry: equality where the engine gives it, a tolerance elsewhere."""

    near: Stamp
    """For an engine that rounds in its own way."""
    exact: Stamp

    def of(self, suffix: str) -> Stamp:
        """The one for files of a suffix."""
        return self.near if suffix == ".xml" else self.exact


def make_stamps(clip: onnx.ModelProto, spec: ModelSpec, options: Options, refusal: str | None) -> Stamps:
    """Compute the self-test of a clip graph, which its stream graph shares.

    Args:
        clip: The clip graph of any T, as ONNX Runtime runs it.
        spec: Its spec.
        options: Of the export.
        refusal: Of the acceptance test.
    """
    prob = open_graph(clip, spec).probabilities(selftest_inputs(spec.size_px))
    if spec.precision == "fp32":
        record = make_record(prob, spec.threshold, max_levels=MAX_LEVELS)
        return Stamps(near=Stamp(record, refusal), exact=Stamp(record, refusal))
    near = make_record(prob, spec.threshold, min_dice=MIN_DICE)
    in_int8, convolutions = count_int8(clip)
    if in_int8 < convolutions:  # those in float round on each kind of processor in its own way
        return Stamps(near=Stamp(near, refusal), exact=Stamp(near, refusal))
    exact = make_record(prob, spec.threshold, processors=PROCESSORS[options.weight_bits])
    return Stamps(near=Stamp(near, refusal), exact=Stamp(exact, refusal))


def write_clips(
    folder: Path,
    built: onnx.ModelProto,
    spec: ModelSpec,
    stamps: Stamps,
    proving: list[np.ndarray],
    reference: list[np.ndarray],
    against: str,
    options: Options,
    progress: Callable[[str], None],
) -> list[Verdict]:
    """Write a clip graph in every format, lowered as is best there, and prove each file.

    Args:
        folder: Where the files go.
        built: The 2D clip graph of any T.
        spec: Its spec.
        stamps: What the files carry.
        proving: Clips, uint8 (T, S, S) each.
        reference: What the source answers to them.
        against: The source's name.
        options: Of the export.
        progress: Told what is being done.
    """
    verdicts: list[Verdict] = []
    lowered = {"2d": built}
    kinds = formats_of(spec.precision, options)
    if any(options.lowering(kind, spec.context_frames) == "none" for kind in kinds):
        lowered["none"] = native_graph(built)
        verdicts.append(compare_lowering(lowered["none"], built, spec, proving))
    for kind in kinds:
        path = folder / f"clip.{spec.precision}{SUFFIX[kind]}"
        progress(f"writing and proving {path.name}")
        lowering = options.lowering(kind, spec.context_frames)
        clip = fix_frames(lowered[lowering], options.frames, spec) if options.frames else lowered[lowering]
        its = replace(spec, frames=options.frames, lowering=lowering)
        WRITERS[path.suffix](path, clip, its, stamps.of(path.suffix))
        answers = run_file(path, proving)
        if kind == "ort":
            same = run_graph(clip, its, proving)
            verdicts.append(compare_levels(path.name, "its ONNX graph", answers, same, same_levels(spec.precision)))
        if spec.precision == "fp32":  # the acceptance test looks at the others
            verdicts.append(compare_levels(path.name, against, answers, reference))
        verdicts.append(compare_selftest(path))
    return verdicts

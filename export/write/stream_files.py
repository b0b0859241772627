"""The stream files of a bundle, each proven against the clip file beside it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.errors import ExportError
from edgeecho.export.check.proof import (
    Verdict,
    compare_levels,
    compare_masks,
    compare_selftest,
    run_file,
    run_stream,
    same_levels,
    stream_logit_error,
)
from edgeecho.export.graph.stream import stream_graph
from edgeecho.export.write.clip_files import Stamps
from edgeecho.export.write.writers import WRITERS
from edgeecho.model.spec import ModelSpec


def write_streams(
    folder: Path,
    clip: onnx.ModelProto,
    clip_spec: ModelSpec,
    stamps: Stamps,
    suffixes: list[str],
    real: list[np.ndarray],
    noise: list[np.ndarray],
    progress: Callable[[str], None],
) -> list[Verdict]:
    """Rewrite a clip graph to its stream, write it in every format, and compare each file with its clip file.

    fp32 must agree to 1e-4 on logits and to a level of `prob`; int8 to the bit in ONNX Runtime, by its masks in
    OpenVINO, which fuses the two graphs differently; 16 bits by their masks.

    Args:
        folder: Where the clip files stand, and the stream files go.
        clip: The clip graph.
        clip_spec: Its spec.
        stamps: What the files carry; the self-test is the clip's.
        suffixes: Of `.onnx`, `.ort` and `.xml`.
        real: Real clips, uint8 (T, S, S) each; int8 masks are compared on them.
        noise: Random clips.
        progress: Told what is being done.

    Raises:
        ExportError: If the graph cannot be streamed.
    """
    streamed = stream_graph(clip)
    spec = replace(clip_spec, form="stream", state=streamed.state)
    if streamed.delay_frames != spec.context_frames[1]:
        raise ExportError(f"stream comes {streamed.delay_frames} frames late, its spec says {spec.context_frames[1]}")
    verdicts = []
    if spec.precision == "fp32":
        graph = f"stream.{spec.precision} graph"
        verdicts.append(stream_logit_error(streamed.model, clip, spec, [*real, *noise], graph))
    for suffix in suffixes:
        path, beside = (folder / f"{form}.{spec.precision}{suffix}" for form in ("stream", "clip"))
        progress(f"writing and proving {path.name}")
        WRITERS[suffix](path, streamed.model, spec, stamps.of(suffix))
        verdicts += [compare_stream(path, beside, spec, real, noise), compare_selftest(path)]
    return verdicts


def compare_stream(
    path: Path, beside: Path, spec: ModelSpec, real: list[np.ndarray], noise: list[np.ndarray]
) -> Verdict:
    """Compare a stream file with the clip file beside it, by the rule of `write_streams`."""
    clips = [*real, *noise]
    answers, reference = run_stream(path, clips), run_file(beside, clips)
    if spec.precision == "fp16" or (spec.precision == "int8" and path.suffix == ".xml"):
        n = len(real)
        return compare_masks(path.name, beside.name, answers[:n], reference[:n], spec.threshold)
    return compare_levels(path.name, beside.name, answers, reference, same_levels(spec.precision))

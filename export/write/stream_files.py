"""Stream files of a bundle, each proven against its clip file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from edgeecho.errors import ExportError
from edgeecho.export.check.proof import (
    CheckResult,
    allowed_levels,
    compare_levels,
    compare_masks,
    compare_selftest,
    run_file,
    run_stream,
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
) -> list[CheckResult]:
    """Rewrite a clip graph to its stream, write it in every format, and compare each file with its clip file.

    fp32 must agree to 1e-4 on logits and to a level of `prob`; int8 to the bit in ONNX Runtime, by its masks in
    OpenVINO, which fuses the two graphs differently; 16 bits by masks.

    Args:
        folder: Folder of the clip files, to which the stream files are written.
        clip: The clip graph.
        clip_spec: Specification of the clip graph.
        stamps: Stamps of the files; the self-test is that of the clip.
        suffixes: Suffixes of the formats, of `.onnx`, `.ort` and `.xml`.
        real: Real clips, uint8 (T, S, S) each; int8 masks are compared on them.
        noise: Clips of noise, uint8 (T, S, S) each.
        progress: Function that is called with what is being done.

    Raises:
        ExportError: If the graph cannot be streamed.
    """
    streamed = stream_graph(clip)
    spec = replace(clip_spec, form="stream", state=streamed.state)
    if streamed.delay_frames != spec.context_frames[1]:
        raise ExportError(f"stream comes {streamed.delay_frames} frames late, its spec says {spec.context_frames[1]}")
    proof = []
    if spec.precision == "fp32":
        graph = f"stream.{spec.precision} graph"
        proof.append(stream_logit_error(streamed.model, clip, spec, [*real, *noise], graph))
    for suffix in suffixes:
        path, clip_path = (folder / f"{form}.{spec.precision}{suffix}" for form in ("stream", "clip"))
        progress(f"writing and proving {path.name}")
        WRITERS[suffix](path, streamed.model, spec, stamps.of(suffix))
        proof += [compare_stream(path, clip_path, spec, real, noise), compare_selftest(path)]
    return proof


def compare_stream(
    path: Path, clip_path: Path, spec: ModelSpec, real: list[np.ndarray], noise: list[np.ndarray]
) -> CheckResult:
    """Compare a stream file with its clip file, by the rule of `write_streams`."""
    clips = [*real, *noise]
    found, reference = run_stream(path, clips), run_file(clip_path, clips)
    if spec.precision == "fp16" or (spec.precision == "int8" and path.suffix == ".xml"):
        n = len(real)
        return compare_masks(path.name, clip_path.name, found[:n], reference[:n], spec.threshold)
    return compare_levels(path.name, clip_path.name, found, reference, allowed_levels(spec.precision))

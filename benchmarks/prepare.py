"""A peer's network, built, exported and quantized like ours, in a process of its own, with a job on stdin."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.errors import EdgeEchoError, MissingExtraError

SEED = 0


def export_peer(family: str, config: dict[str, Any], folder: str, frames_file: str, precisions: list[str]) -> None:
    """Write clip.{precision}.onnx and .xml of a network with random weights.

    Args:
        family: As in `ModelSpec`.
        config: Fields of the network's configuration.
        folder: Where to.
        frames_file: .npy, uint8 (T, 1, S, S); the shape to export, and the one clip that calibrates int8.
        precisions: `fp32`, `int8`.

    Raises:
        MissingExtraError: If torch, onnx or openvino is missing.
    """
    try:
        import torch

        from edgeecho.export.graph import clip_graph
        from edgeecho.export.quantize import quantize
        from edgeecho.export.ranges import find_ranges
        from edgeecho.export.sealed import write_onnx, write_openvino
        from edgeecho.nn import build, new_spec
    except ImportError as error:
        raise MissingExtraError(f"{error.name} is not installed: pip install 'edgeecho[export]'") from error
    frames = np.load(frames_file)
    torch.manual_seed(SEED)
    spec = new_spec(family, **config)
    graph = clip_graph(build(spec), frames.shape[2], frames=len(frames))
    spec = replace(spec, form="clip", frames=len(frames), size_px=frames.shape[2], lowering="none")
    for precision in precisions:
        model = quantize(graph, find_ranges(graph, [frames[:, 0]])) if precision == "int8" else graph
        stem = Path(folder) / f"clip.{precision}"
        write_onnx(stem.with_name(f"{stem.name}.onnx"), model, replace(spec, precision=precision))
        write_openvino(stem.with_name(f"{stem.name}.xml"), model, replace(spec, precision=precision))


if __name__ == "__main__":
    try:
        export_peer(**json.load(sys.stdin))
    except EdgeEchoError as error:
        sys.exit(str(error))

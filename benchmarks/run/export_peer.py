"""Export of a peer: its network is built, exported and quantized like ours, by a process with a job on stdin."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.benchmarks.peers.peers import PEERS, STORED_PRECISIONS
from edgeecho.errors import ConfigError, EdgeEchoError, ExportError, MissingExtraError
from edgeecho.model.spec import ModelSpec

BATCH_NORM_FRAMES = 8
"""Number of frames for the statistics of BatchNorm in networks that treat every frame alone."""
COMPARED_FRAMES = 3
"""Number of frames for the comparison of a graph of free T; it was traced with another number."""
MAX_RELATIVE_LOGIT_ERROR = 1e-3
"""Largest difference of logits between PyTorch and the fp32 graph, relative to the largest logit if that is above 1."""


def export_peer(
    name: str, config: dict[str, Any], folder: str, frames_file: str, formats: dict[str, list[str]]
) -> None:
    """Write clip.{precision}.onnx and clip.{precision}.xml of a network with random weights.

    T is free if the network treats every frame alone, so that one graph runs clips and single frames. Otherwise it is
    the clip's.

    Args:
        name: A key of `PEERS`.
        config: Arguments of its builder.
        folder: Folder for the files.
        frames_file: .npy, uint8 (T, 1, S, S); the shape to export, and the one clip that calibrates int8.
        formats: Precision, of `STORED_PRECISIONS`, to the runtimes that get a file of it: `ort`, `openvino`.

    Raises:
        ConfigError: If the name is unknown, or the network cannot take a clip of that shape.
        MissingExtraError: If torch, onnx, openvino or a package of the network is missing.
        ExportError: If the graph's logits differ from the network's.
    """
    if name not in PEERS:
        raise ConfigError(f"unknown peer {name!r}; known: {', '.join(PEERS)}")
    if set(formats) - set(STORED_PRECISIONS):
        raise ConfigError(f"a peer is stored in {' and '.join(STORED_PRECISIONS)}, got {', '.join(formats)}")
    peer = replace(PEERS[name], config=config)
    try:
        from edgeecho.export.graph.clip import clip_graph
        from edgeecho.export.int8.quantize import quantize
        from edgeecho.export.int8.ranges import find_ranges
        from edgeecho.export.write.sealed import write_onnx, write_openvino
        from edgeecho.nn import count_parameters
    except ImportError as error:
        raise MissingExtraError(f"{error.name} is not installed: pip install 'edgeecho[export]'") from error
    frames = np.load(frames_file)
    fixed, size_px = peer.frames(len(frames)), frames.shape[2]
    network = peer.build()
    _set_batch_norm_statistics(network, _reduced(frames) if fixed else frames[:BATCH_NORM_FRAMES], name)
    compared = frames[: fixed or COMPARED_FRAMES]
    logits = _logits(network, compared, name)
    graph = clip_graph(network, size_px, fixed)
    _require_same(graph, compared, logits, name)
    spec = ModelSpec(
        name=name,
        family=name,
        config=config,
        params=count_parameters(network),
        size_px=size_px,
        form="clip",
        frames=fixed,
        lowering="none" if fixed else "2d",
    )
    for precision, runtimes in formats.items():
        model = graph
        if precision == "int8":  # 7 bits of weights, as 8 saturate on x86 without VNNI; timed, not compared bit by bit
            model = quantize(graph, find_ranges(graph, [frames[:, 0]]), weight_bits=7, exact_sums=False)
        stem = Path(folder) / f"clip.{precision}"
        if "ort" in runtimes:
            write_onnx(stem.with_name(f"{stem.name}.onnx"), model, replace(spec, precision=precision))
        if "openvino" in runtimes:
            write_openvino(stem.with_name(f"{stem.name}.xml"), model, replace(spec, precision=precision))


def _reduced(frames: np.ndarray) -> np.ndarray:
    """Return every second pixel of a clip, cut to a multiple of 16: it runs in a quarter of the time."""
    side = frames.shape[2] // 2 // 16 * 16
    return frames[:, :, ::2, ::2][:, :, :side, :side] if side else frames


def _set_batch_norm_statistics(network: Any, frames: np.ndarray, name: str) -> None:
    """Set the statistics of BatchNorm to those of frames uint8 (T, 1, S, S).

    With its initial statistics it does not normalise, and dozens of random layers bring all frames to one value. Then
    neither a wrong graph nor the steps of int8 would be noticed, and denormal values could slow a CPU down.
    """
    import torch

    norms = [m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    for norm in norms:
        norm.train().momentum = 1.0
    _logits(network, frames, name)
    network.eval()


def _logits(network: Any, frames: np.ndarray, name: str) -> np.ndarray:
    """Return PyTorch's logits of frames uint8 (T, 1, S, S), or refuse frames that do not fit."""
    import torch

    try:
        with torch.inference_mode():
            logits: np.ndarray = network.forward_frames(torch.from_numpy(frames).float() * (1.0 / 255.0)).numpy()
    except (ValueError, RuntimeError) as error:  # networks of libraries raise errors of their own
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise ConfigError(f"{name} cannot take a clip of {frames.shape}: {reason}") from error
    if logits.shape != frames.shape:
        raise ConfigError(f"{name} must answer frames {frames.shape} by logits of the same shape, got {logits.shape}")
    return logits


def _require_same(graph: Any, frames: np.ndarray, logits: np.ndarray, name: str) -> None:
    """Refuse a graph whose logits in ONNX Runtime differ from PyTorch's."""
    from edgeecho.export.check.proof import logit_error

    error = logit_error(graph, frames[:, 0], logits, name).value / max(1.0, float(np.abs(logits).max()))
    if not error <= MAX_RELATIVE_LOGIT_ERROR:
        limit = f"limit {MAX_RELATIVE_LOGIT_ERROR:g}"
        raise ExportError(f"{name}: its graph differs from PyTorch by {error:.2g} of its logits, {limit}")


if __name__ == "__main__":
    try:
        export_peer(**json.load(sys.stdin))
    except EdgeEchoError as error:
        sys.exit(str(error))

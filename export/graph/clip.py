"""Checkpoint to ONNX clip graph: uint8 frames in, uint8 probability out, the whole pipeline inside."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import onnxsim
import torch
from torch import Tensor, nn

OPSET = 20


class ClipPipeline(nn.Module):
    """Frames uint8 (T, 1, H, W) to prob uint8 (T, 1, H, W): scaling, network, sigmoid, rounding."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        logits = self.network.forward_frames(frames.to(torch.float32) * (1.0 / 255.0))
        return torch.round(torch.sigmoid(logits) * 255.0).to(torch.uint8)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks a lot and warns of itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def clip_graph(network: nn.Module, size_px: int, frames: int | None = None) -> onnx.ModelProto:
    """Export and simplify the clip graph.

    Args:
        network: In any mode; exported in eval mode, BatchNorm folded.
        size_px: Height and width of its frames.
        frames: A fixed T, or None for a free one (named `T`).
    """
    pipeline = ClipPipeline(network).eval()
    example = torch.zeros((frames or 8, 1, size_px, size_px), dtype=torch.uint8)
    buffer = io.BytesIO()
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            pipeline,
            (example,),
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=["frames"],
            output_names=["prob"],
            dynamic_shapes=None if frames else ({0: torch.export.Dim("T", min=1, max=4096)},),
            verbose=False,
        )
        program.save(buffer)
        model, ok = onnxsim.simplify(onnx.load_from_string(buffer.getvalue()))
    if not ok:
        raise AssertionError("onnxsim could not validate its own output")
    del model.metadata_props[:]
    model.doc_string = ""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return model

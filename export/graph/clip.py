"""Export of a network to an ONNX clip graph, from uint8 frames to uint8 probability, with all steps inside."""

import tempfile
from typing import Protocol

import onnx
import onnxsim
import torch
from torch import Tensor, nn

from edgeecho.errors import OutputError
from edgeecho.export.quiet import quiet

OPSET = 20


class FrameNetwork(Protocol):
    """Interface of a network that takes any number of frames."""

    def forward_frames(self, x: Tensor) -> Tensor:
        """Return the logits of frames float (T, 1, S, S), of the same shape."""
        ...


class ClipPipeline(nn.Module):
    """Module from frames uint8 (T, 1, H, W) to prob uint8 (T, 1, H, W): scaling, network, sigmoid, rounding."""

    def __init__(self, network: FrameNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        logits = self.network.forward_frames(frames.to(torch.float32) * (1.0 / 255.0))
        return torch.round(torch.sigmoid(logits) * 255.0).to(torch.uint8)


def clip_graph(network: FrameNetwork, size_px: int, frames: int | None = None) -> onnx.ModelProto:
    """Export and simplify the clip graph.

    Args:
        network: An `nn.Module` in any mode; it is exported in eval mode with folded BatchNorm.
        size_px: Height and width of its frames.
        frames: Fixed T, or None for a free one (named `T`).

    Raises:
        OutputError: If there is no folder for temporary files, without which PyTorch's exporter fails in many lines.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise OutputError(f"{error.strerror}; set TMPDIR to a folder that can be written") from error
    pipeline = ClipPipeline(network).eval()
    example = torch.zeros((frames or 8, 1, size_px, size_px), dtype=torch.uint8)
    with quiet("torch.onnx", "onnxscript", "onnx_ir"), torch.no_grad():
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
        if program is None:
            raise AssertionError("torch.onnx.export with dynamo=True always returns a program")
        model: onnx.ModelProto
        model, ok = onnxsim.simplify(program.model_proto)
    if not ok:
        raise AssertionError("onnxsim could not validate its own output")
    del model.metadata_props[:]
    model.doc_string = ""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return model

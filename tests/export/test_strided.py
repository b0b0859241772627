"""The network with a strided entry, quantized: its stream and its native 3D form equal its clip graph to the bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxsim")

from edgeecho.export.check.proof import compare_levels, compare_lowering, run_graph, run_stream  # noqa: E402
from edgeecho.export.graph.clip import clip_graph  # noqa: E402
from edgeecho.export.graph.stream import stream_graph  # noqa: E402
from edgeecho.export.graph.to_conv3d import conv3d_graph  # noqa: E402
from edgeecho.export.int8.quantize import count_int8, quantize  # noqa: E402
from edgeecho.export.int8.ranges import find_ranges  # noqa: E402
from edgeecho.export.write.sealed import NO_STAMP, write_onnx  # noqa: E402
from edgeecho.nn import build, new_spec  # noqa: E402
from tests.helpers import TINY_SIZE_PX, network_frames  # noqa: E402


def test_stream_and_native_form_equal_the_clip_graph(tmp_path: Path) -> None:
    torch.manual_seed(0)
    spec = replace(new_spec("strided", widths=(8, 16, 16)), size_px=TINY_SIZE_PX, form="clip", precision="int8")
    network = build(replace(spec, form="checkpoint", precision="fp32"))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.bias.data.normal_(0, 0.3)
    clips = [network_frames(frames, seed) for frames, seed in ((1, 1), (2, 2), (11, 3))]
    graph = clip_graph(network, TINY_SIZE_PX)
    int8 = quantize(graph, find_ranges(graph, clips))
    done, convolutions = count_int8(int8)
    assert done == convolutions == 15
    expected = run_graph(int8, spec, clips)
    assert np.ptp(expected[2]) > 20  # not a constant
    streamed = stream_graph(int8)
    assert streamed.delay_frames == spec.context_frames[1] == 3
    path = tmp_path / "stream.int8.onnx"
    write_onnx(path, streamed.model, replace(spec, form="stream", state=streamed.state), NO_STAMP)
    assert compare_levels(path.name, "clip", run_stream(path, clips), expected, limit=0).holds
    assert compare_lowering(conv3d_graph(int8), int8, spec, clips).holds

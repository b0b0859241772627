"""Weights inside a graph of ONNX Runtime's own format: all are found, and those that are no number are refused."""

from pathlib import Path

import numpy as np
import pytest

import edgeecho
from edgeecho.errors import ModelFileError
from edgeecho.model.ort_flatbuffer import require_sound_ort_tensors
from edgeecho.model.sealed_file import read_verified
from tests.helpers import MakeOnce
from tests.robustness.models import NANO, _sealed_again

onnx = pytest.importorskip("onnx")
pytest.importorskip("flatbuffers")

from edgeecho.export.write.ort_format import write_ort  # noqa: E402

FLOAT = 1


@pytest.fixture(scope="module")
def nano(make_once: MakeOnce) -> bytes:
    """The packaged stream of nano in ONNX Runtime's own format."""

    def write(folder: Path) -> None:
        source = read_verified(NANO / "stream.int8.onnx")
        write_ort(folder / "stream.int8.ort", onnx.load_from_string(source.data), source.spec)

    return (make_once("ort-nano", write) / "stream.int8.ort").read_bytes()


def float_places(data: bytes) -> list[int]:
    """Return where the values of each initializer of floats begin, as ONNX Runtime's own reader finds them."""
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    graph = InferenceSession.GetRootAs(data).Model().Graph()
    tensors = [graph.Initializers(k) for k in range(graph.InitializersLength())]
    return [t._tab.Vector(t._tab.Offset(12)) for t in tensors if t.DataType() == FLOAT and t.RawDataLength()]


def with_float(data: bytes, at: int, value: float) -> bytes:
    return data[:at] + np.float32(value).tobytes() + data[at + 4 :]


def test_a_weight_that_is_no_number_is_refused_wherever_it_is(nano: bytes) -> None:
    require_sound_ort_tensors(nano)
    places = float_places(nano)
    assert len(places) > 20
    for at in places:
        for value in (np.nan, np.inf):
            with pytest.raises(ModelFileError, match="one of its weights is no finite number"):
                require_sound_ort_tensors(with_float(nano, at, value))


def test_a_sealed_file_with_such_a_weight_is_refused_by_its_name(nano: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stream.int8.ort"
    path.write_bytes(_sealed_again(with_float(nano, float_places(nano)[0], np.nan)))
    with pytest.raises(ModelFileError, match=r"^stream\.int8\.ort: one of its weights is no finite number"):
        edgeecho.stream(path, threads=1)
    path.write_bytes(_sealed_again(nano))
    edgeecho.stream(path, threads=1)


def graph(initializers: int, *, shared_bytes: int = 4, external: bool = False) -> bytes:
    """Return a file whose initializers are one table, listed so often."""
    import flatbuffers

    builder = flatbuffers.Builder()
    raw = builder.CreateByteVector(bytes(shared_bytes))
    builder.StartObject(7)
    builder.PrependInt32Slot(3, FLOAT, 0)
    builder.PrependUOffsetTRelativeSlot(4, raw, 0)
    builder.PrependInt64Slot(6, 0 if external else -1, -1)
    tensor = builder.EndObject()
    builder.StartVector(4, initializers, 4)
    for _ in range(initializers):
        builder.PrependUOffsetTRelative(tensor)
    inner = builder.EndVector()
    for fields, at in ((1, 0), (8, 7), (2, 1)):
        builder.StartObject(fields)
        builder.PrependUOffsetTRelativeSlot(at, inner, 0)
        inner = builder.EndObject()
    builder.Finish(inner, file_identifier=b"ORTM")
    return bytes(builder.Output())


def test_weights_in_another_file_are_refused() -> None:
    require_sound_ort_tensors(graph(1))
    with pytest.raises(ModelFileError, match="its weights are in another file"):
        require_sound_ort_tensors(graph(1, external=True))


def test_values_that_are_no_whole_number_of_floats_are_refused() -> None:
    with pytest.raises(ModelFileError, match="no finite number"):
        require_sound_ort_tensors(graph(1, shared_bytes=5))


@pytest.mark.parametrize("size", [1, 7, 40])
def test_a_file_that_ends_too_early_is_no_graph(size: int) -> None:
    with pytest.raises(ModelFileError, match="no sound ORT file"):
        require_sound_ort_tensors(graph(1)[:size])


def test_lists_longer_than_the_file_are_refused() -> None:
    data = bytearray(graph(3))
    require_sound_ort_tensors(bytes(data))
    data[data.index(bytes([3, 0, 0, 0])) + 3] = 0x40  # 3 + 2^30 initializers
    with pytest.raises(ModelFileError, match=r"no sound ORT file \(past the end\)"):
        require_sound_ort_tensors(bytes(data))

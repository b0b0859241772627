"""Calibration: ranges of a graph's tensors, found clip by clip in bounded memory."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.export.int8 import ranges  # noqa: E402
from edgeecho.export.int8.moves import joins  # noqa: E402
from edgeecho.export.int8.ranges import BINS, Histogram, find_ranges  # noqa: E402
from tests.export.small_graph import small_graph  # noqa: E402
from tests.helpers import network_frames  # noqa: E402


def test_a_histogram_counts_all_values() -> None:
    """The order does not matter: doubling the width merges bins and loses no count."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, scale, 5000) for scale in (0.001, 1, 30, 0.1)]
    values = np.concatenate(parts)
    for order in (parts, parts[::-1]):
        histogram = Histogram()
        for part in order:
            histogram.add(part.astype(np.float32))
        assert histogram.counts.sum() == len(values)
        assert histogram.counts.shape == (BINS,)
        assert (histogram.low, histogram.high) == (np.float32(values.min()), np.float32(values.max()))
        low, high = histogram.percentile_range(99.0)
        wanted = np.percentile(values, [0.5, 99.5])
        np.testing.assert_allclose([low, high], wanted, atol=2 * histogram.width)
        assert histogram.percentile_range(100.0) == (histogram.low, histogram.high)


def test_a_histogram_of_odd_values() -> None:
    histogram = Histogram()
    histogram.add(np.array([np.nan, np.inf], np.float32))
    assert histogram.percentile_range(99.0) == (0.0, 0.0)
    histogram.add(np.array([2.0, np.nan, -np.inf], np.float32))
    assert histogram.percentile_range(100.0) == (2.0, 2.0)
    zeros = Histogram()
    zeros.add(np.zeros(10, np.float32))
    assert zeros.percentile_range(99.0) == (0.0, 0.0)


def test_percentiles_worked_out_on_paper() -> None:
    """2000 whole numbers in bins of 1: of 90% a twentieth is left out at either end."""
    histogram = Histogram()
    histogram.add(np.arange(2000, dtype=np.float32))
    assert histogram.width == 1
    assert histogram.percentile_range(90) == (100, 1900)
    assert histogram.percentile_range(100) == (0, 1999)
    both = Histogram()
    both.add(np.arange(-1000, 1000, dtype=np.float32))
    assert both.percentile_range(90) == (-900, 899.5)
    assert both.percentile_range(99) == (-990, 989.5)
    both.add(np.float32([2047]))
    assert both.width == 1  # the outermost bin; one more would double the width
    both.add(np.float32([2048]))
    assert both.width == 2
    assert both.percentile_range(100) == (-1000, 2048)


@pytest.mark.parametrize(("count", "counted"), [(65_536, 65_536), (65_537, 32_769), (131_073, 43_691)])
def test_of_very_many_values_some_are_counted(count: int, counted: int) -> None:
    histogram = Histogram()
    values = np.zeros(count, np.float32)
    values[1] = 3
    histogram.add(values)
    assert histogram.counts.sum() == counted
    assert histogram.high == 3


@pytest.mark.parametrize(("outliers", "kept"), [(1, False), (10, True)])
def test_the_percentile_leaves_out_one_value_in_two_hundred_thousand(outliers: int, kept: bool) -> None:
    """Of 262,144 values 1.3 are left out at either end: one outlier is clipped, ten are not."""
    clip = np.random.default_rng(0).integers(0, 100, (64, 64, 64), dtype=np.uint8)
    clip[0].flat[:outliers] = 255
    found = find_ranges(small_graph(), [clip], "percentile")
    assert (found.of["x"][1] > 0.9) is kept
    assert find_ranges(small_graph(), [clip]).of["x"][1] == pytest.approx(1)
    assert found.of["a"][0] == pytest.approx(0, abs=0.01)  # of 1 x and of 0.75 - 0.5 x
    assert found.frames == 64


def test_every_frame_of_every_clip_counts() -> None:
    """Frames are run in windows, of which the last is shorter."""
    clips = [np.full((n, 4, 4), 10 * n, np.uint8) for n in (9, 17)]
    clips[1][16] = 200
    told: list[int] = []
    found = find_ranges(small_graph(), clips, advance=lambda: told.append(1))
    assert found.of["x"] == pytest.approx((90 / 255, 200 / 255))
    assert (found.frames, found.method, len(told)) == (26, "minmax", 2)


def test_ranges_are_those_of_the_tensors(tiny_bundle: Path) -> None:
    """Ranges equal those of each tensor as an output; an outlier is outside the percentile range alone."""
    import onnxruntime as ort

    model = onnx.load(tiny_bundle / "clip.fp32.onnx")
    name = next(node for node in model.graph.node if node.op_type == "Relu").output[0]
    clips = [network_frames(40, seed) for seed in range(2)]  # so many values that the percentile leaves some out
    clips[0][3, 20, 20] = 255
    found = find_ranges(model, clips)
    assert (found.frames, found.method) == (80, "minmax")
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    tapped.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(tapped.SerializeToString(), providers=["CPUExecutionProvider"])
    values = np.concatenate([session.run([name], {"frames": clip[:, None]})[0] for clip in clips])
    np.testing.assert_allclose(found.of[name], (values.min(), values.max()), rtol=1e-6)
    narrower = find_ranges(model, clips, "percentile")
    assert narrower.of.keys() == found.of.keys()
    assert all(narrower.of[n][1] <= found.of[n][1] for n in found.of)
    assert narrower.of[name][1] < found.of[name][1]
    with pytest.raises(ConfigError, match="unknown calibration method 'entropy'; known: minmax, percentile"):
        find_ranges(model, clips, "entropy")


def test_a_join_of_frames_has_the_range_of_its_tensor(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It repeats some frames, so that its own percentile is another; a stream has no join, and would differ."""
    model = onnx.load(tiny_bundle / "clip.fp32.onnx")
    monkeypatch.setattr(ranges, "PERCENT", 90)
    found, joined = find_ranges(model, [network_frames(9, 0)], "percentile"), joins(model)
    assert len(joined) > 2
    assert {found.of[join] == found.of[source] for join, source in joined.items()} == {True}

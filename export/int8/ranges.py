"""Ranges of the tensors of a graph on the calibration set, from which the scales of int8 follow.

Clips are run one at a time. Of each tensor only a minimum, a maximum and a histogram of fixed size are kept, so memory
does not grow with the number of clips (the percentile method of ONNX Runtime keeps all values).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, shape_inference

from edgeecho.errors import ConfigError
from edgeecho.export.int8.moves import joins

METHODS = ("minmax", "percentile")
PERCENT = 99.999
"""Percentage of a tensor's values that the percentile method keeps within the range."""
BINS = 4096
WINDOW_FRAMES = 8
"""Number of frames in one run, which bounds the memory of its tensors."""
MAX_SAMPLES = 1 << 16
"""Largest number of values that a run adds to a histogram, evenly spaced; minimum and maximum are of all values."""


@dataclass(frozen=True)
class Ranges:
    """Lowest and highest value of each tensor."""

    of: dict[str, tuple[float, float]]
    method: str
    frames: int
    """Number of frames of the calibration set."""


class Histogram:
    """Histogram with bins about zero, whose width doubles whenever a value lies outside."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.width = 0.0
        self.low, self.high = np.inf, -np.inf

    def add(self, values: np.ndarray) -> None:
        """Count values, float of any shape; values that are not finite are ignored."""
        flat = values.ravel()
        low, high = float(flat.min()), float(flat.max())
        if not np.isfinite([low, high]).all():
            flat = flat[np.isfinite(flat)]
            if not len(flat):
                return
            low, high = float(flat.min()), float(flat.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        reach = max(-low, high, 1e-30)
        if not self.width:
            self.width = float(2.0 ** np.ceil(np.log2(reach / (BINS / 2))))
        while reach >= self.width * BINS / 2:
            self._widen()
        sample = flat[:: -(-len(flat) // MAX_SAMPLES)]
        bins = np.floor(sample / self.width).astype(np.int64) + BINS // 2
        self.counts += np.bincount(bins, minlength=BINS)

    def _widen(self) -> None:
        pairs = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts = np.zeros_like(self.counts)
        self.counts[BINS // 4 : 3 * BINS // 4] = pairs
        self.width *= 2

    def percentile_range(self, percent: float) -> tuple[float, float]:
        """Return the range of this percentage of the values, with equal parts of the others below and above."""
        total = self.counts.sum()
        if not total:
            return 0.0, 0.0
        outside = (100 - percent) / 200 * total
        below = np.cumsum(self.counts)
        first = int(np.searchsorted(below, outside, side="right"))
        last = int(np.searchsorted(below, total - outside, side="left"))
        edges = (np.array([first, last + 1]) - BINS // 2) * self.width
        return max(float(edges[0]), self.low), min(float(edges[1]), self.high)


def find_ranges(
    model: onnx.ModelProto,
    clips: Iterable[np.ndarray],
    method: str = "minmax",
    advance: Callable[[], None] = lambda: None,
) -> Ranges:
    """Run an fp32 clip graph over clips, and find the range of every tensor.

    Args:
        model: Graph that `clip_graph` returned, uint8 in and out.
        clips: Clips, uint8 (T, S, S) each.
        method: `minmax`, or `percentile`, which keeps `PERCENT` of a tensor's values and clips the others.
        advance: Function that is called after each clip.

    Raises:
        ConfigError: If the method is unknown.
    """
    if method not in METHODS:
        raise ConfigError(f"unknown calibration method {method!r}; known: {', '.join(METHODS)}")
    extended, names = _with_all_outputs(model)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(extended.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seen = {name: Histogram() for name in names}
    frames = 0
    length = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value or WINDOW_FRAMES
    for clip in clips:
        for start in range(0, len(clip), length):
            window = np.ascontiguousarray(clip[start : start + length, None])
            for name, values in zip(names, session.run(names, {"frames": window}), strict=True):
                seen[name].add(values)
        frames += len(clip)
        advance()
    percent = PERCENT if method == "percentile" else 100.0
    whole = method == "minmax"
    of = {
        name: (h.low, h.high) if whole else h.percentile_range(percent)
        for name, h in seen.items()
        if np.isfinite(h.low)
    }
    # A percentile of repeated frames is another: a join would have a scale of its own, and a stream has no join.
    of |= {name: of[source] for name, source in joins(model).items() if source in of}
    return Ranges(of, method, frames)


def _with_all_outputs(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[str]]:
    """Return a copy in which every float tensor is an output, and the names of these tensors."""
    extended = shape_inference.infer_shapes(model)
    inside = {v.name: v.type.tensor_type.elem_type for v in extended.graph.value_info}
    outputs = {v.name for v in extended.graph.output}
    made = [name for node in extended.graph.node if node.op_type != "Constant" for name in node.output]
    names = [name for name in made if name not in outputs and inside.get(name) == TensorProto.FLOAT]
    for name in names:
        extended.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return extended, names

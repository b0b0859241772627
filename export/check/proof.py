"""Proof that an exported graph predicts what its checkpoint predicts, in any windows and as a stream.

fp32 is compared by levels and logits, int8 by masks; an int8 stream equals its int8 clip to the bit.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from edgeecho.errors import ExportError
from edgeecho.metrics import dice
from edgeecho.model.registry import locate
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.engine import open_engine, usable_cores
from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine
from edgeecho.runtime.frame_stream import FrameStream
from edgeecho.runtime.predictor import Predictor
from edgeecho.runtime.selftest import run_selftest

MAX_LOGIT_ERROR = 1e-4
MAX_RELATIVE_LOGIT_ERROR = 1e-5
"""Largest difference of logits between two lowerings of one fp32 graph, relative to the largest logit above 1."""
MAX_LEVELS = 1
"""Largest difference of `prob` between two fp32 runs, in levels: a rounding may go the other way."""
MIN_MASK_DICE = 0.99
WINDOWS = (1, 2, 3, 5, 7, 16, 32)
"""Window lengths in frames that clip files are proven on."""
SPLIT_CINE_FRAMES = 9
"""Length in frames of the cine that is cut in two at every frame, and into windows shorter than it."""


@dataclass(frozen=True)
class CheckResult:
    """Result of comparing one file with what it must equal."""

    file: str
    against: str
    figure: str
    """Name of the figure that is compared, such as `levels`, `logits` or `mask Dice`."""
    value: float
    worst: float
    """Worst value of a single clip."""
    limit: float
    holds: bool


def logit_error(model: onnx.ModelProto, clip: np.ndarray, reference: np.ndarray, file: str) -> CheckResult:
    """Compare the logits of an fp32 graph in ONNX Runtime with those of PyTorch.

    Args:
        model: The graph.
        clip: Clip, uint8 (T, S, S).
        reference: Logits of PyTorch, float32 (T, 1, S, S).
        file: Name of the graph, for the record.
    """
    logits = _LogitGraph(model).infer(np.ascontiguousarray(clip[:, None]))
    error = float(np.abs(logits.reshape(reference.shape) - reference).max())
    return CheckResult(file, "PyTorch", "logits", error, error, MAX_LOGIT_ERROR, error <= MAX_LOGIT_ERROR)


class _LogitGraph:
    """Engine in ONNX Runtime that returns the logits of an fp32 graph in place of `prob`."""

    runtime, version = "ort", str(ort.__version__)

    def __init__(self, model: onnx.ModelProto) -> None:
        tapped = onnx.ModelProto()
        tapped.CopyFrom(model)
        self.logits: str = next(n for n in reversed(tapped.graph.node) if n.op_type == "Sigmoid").input[0]
        tapped.graph.output.append(onnx.helper.make_tensor_value_info(self.logits, onnx.TensorProto.FLOAT, None))
        self._session = ort.InferenceSession(tapped.SerializeToString(), providers=["CPUExecutionProvider"])

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Return the logits of frames uint8 (T, 1, S, S)."""
        return self.run(["prob"], {"frames": frames})[0]

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run as a `StreamEngine`, with logits in place of `prob`."""
        found: list[np.ndarray] = self._session.run([self.logits, *outputs[1:]], inputs)
        return found


def stream_logit_error(
    stream: onnx.ModelProto, clip: onnx.ModelProto, spec: ModelSpec, clips: list[np.ndarray], file: str
) -> CheckResult:
    """Compare the logits of an fp32 stream graph with those of its clip graph, in ONNX Runtime.

    Args:
        stream: The stream graph.
        clip: The clip graph.
        spec: Specification of the stream graph.
        clips: Clips, uint8 (T, S, S) each.
        file: Name of the graph, for the record.
    """
    frame_by_frame, whole = FrameStream(_LogitGraph(stream), spec), _LogitGraph(clip)
    errors = []
    for frames in clips:
        reference = whole.infer(np.ascontiguousarray(frames[:, None])).reshape(frames.shape)
        errors.append(float(np.abs(frame_by_frame.whole(frames) - reference).max()))
    error = max(errors)
    return CheckResult(file, "its clip", "logits", error, error, MAX_LOGIT_ERROR, error <= MAX_LOGIT_ERROR)


def run_file(path: Path, clips: list[np.ndarray]) -> list[np.ndarray]:
    """Run a model file in its engine, and return `prob` of each clip, uint8 (T, S, S)."""
    model = open_engine(locate(path))
    if model.spec.form == "checkpoint":
        return [model.engine.infer(np.ascontiguousarray(clip[:, None]))[:, 0] for clip in clips]
    predictor = Predictor(model.engine, model.spec, "", window_frames=max(map(len, clips)))
    return [predictor.probabilities(clip) for clip in clips]


def open_file(path: Path) -> Predictor:
    """Open a clip file in its engine, without a notice of its licence."""
    model = open_engine(locate(path))
    return Predictor(model.engine, model.spec, "")


def open_graph(model: onnx.ModelProto, spec: ModelSpec, threads: int | None = None) -> Predictor:
    """Open a clip graph in ONNX Runtime before it is a file; by default with every usable core."""
    return Predictor(OrtEngine(model.SerializeToString(), spec.name, threads or usable_cores()), spec, "")


def run_graph(model: onnx.ModelProto, spec: ModelSpec, clips: list[np.ndarray]) -> list[np.ndarray]:
    """Run a clip graph in ONNX Runtime before it is a file, and return `prob` of each clip, uint8 (T, S, S)."""
    predictor = open_graph(model, spec)
    predictor.window_frames = max(map(len, clips))
    return [predictor.probabilities(clip) for clip in clips]


def allowed_levels(precision: str) -> int:
    """Return the number of levels by which two runs of one graph in ONNX Runtime may differ."""
    return 0 if precision == "int8" else MAX_LEVELS


def run_stream(path: Path, clips: list[np.ndarray]) -> list[np.ndarray]:
    """Run a stream file frame by frame in its engine, and return `prob` of each clip, uint8 (T, S, S)."""
    model = open_engine(locate(path, form="stream"))
    stream = FrameStream(model.stream_engine, model.spec)
    return [stream.whole(clip) for clip in clips]


def compare_lowering(
    native: onnx.ModelProto, flat: onnx.ModelProto, spec: ModelSpec, clips: list[np.ndarray]
) -> CheckResult:
    """Compare a graph of native 3D convolutions with the 2D one, in ONNX Runtime: int8 to the bit, fp32 on logits.

    Args:
        native: Graph of native 3D convolutions.
        flat: Graph of 2D convolutions.
        spec: Specification of both.
        clips: Clips, uint8 (T, S, S) each.
    """
    file, against = f"clip.{spec.precision} native", f"clip.{spec.precision} 2d"
    if spec.precision == "int8":
        found, reference = (run_graph(graph, spec, clips) for graph in (native, flat))
        return compare_levels(file, against, found, reference, limit=0)
    graphs = [_LogitGraph(graph) for graph in (native, flat)]
    pairs = [[g.infer(np.ascontiguousarray(clip[:, None])).ravel() for g in graphs] for clip in clips]
    error = max(float(np.abs(a - b).max() / max(1.0, np.abs(b).max())) for a, b in pairs)
    return CheckResult(
        file, against, "logits, relative", error, error, MAX_RELATIVE_LOGIT_ERROR, error <= MAX_RELATIVE_LOGIT_ERROR
    )


def compare_windows(path: Path, clips: list[np.ndarray], limit: int) -> CheckResult:
    """Compare a clip file with itself: cines in one piece, in windows, and cut in two at every frame.

    Args:
        path: The file.
        clips: Clips, uint8 (T, S, S) each, at least one frame longer than the longest window.
        limit: Largest difference of `prob` in levels.
    """
    pairs = [pair for clip in clips for pair in _windows(path, clip)]
    return compare_levels(path.name, "window invariance", [a for a, _ in pairs], [b for _, b in pairs], limit)


def _windows(path: Path, clip: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return `prob` of a clip in pieces, each paired with `prob` of the clip in one."""
    predictor = open_file(path)
    predictor.window_frames = len(clip)
    before, after = predictor.spec.context_frames
    short = clip[:SPLIT_CINE_FRAMES]
    whole, whole_short = predictor.probabilities(clip), predictor.probabilities(short)
    pairs = []
    for cut in range(1, len(short)):
        low = max(0, cut - before)
        first = predictor.probabilities(short[: cut + after])[:cut]
        pairs.append((np.concatenate([first, predictor.probabilities(short[low:])[cut - low :]]), whole_short))
    for predictor.window_frames in WINDOWS:
        is_short = predictor.window_frames < len(short)
        pairs.append((predictor.probabilities(short if is_short else clip), whole_short if is_short else whole))
    return pairs


def compare_levels(
    file: str, against: str, found: list[np.ndarray], reference: list[np.ndarray], limit: int = MAX_LEVELS
) -> CheckResult:
    """Compare `prob` by its largest difference in levels."""
    levels = [float(np.abs(a.astype(int) - b).max()) for a, b in zip(found, reference, strict=True)]
    return CheckResult(file, against, "levels", max(levels), max(levels), limit, max(levels) <= limit)


def compare_masks(
    file: str, against: str, found: list[np.ndarray], reference: list[np.ndarray], threshold: int
) -> CheckResult:
    """Compare masks by their mean Dice over the clips that have masks; without any the comparison fails."""
    pairs = zip(found, reference, strict=True)
    scores = [dice(a >= threshold, b >= threshold) for a, b in pairs]
    valid = [score for score in scores if not np.isnan(score)] or [0.0]
    mean = float(np.mean(valid))
    return CheckResult(file, against, "mask Dice", mean, min(valid), MIN_MASK_DICE, mean >= MIN_MASK_DICE)


def compare_selftest(path: Path) -> CheckResult:
    """Run the self-test that a written file contains, in its engine."""
    report = run_selftest(path)
    different = len(report.different)
    figure = f"self-test, frames off ({report.tolerance})"
    return CheckResult(path.name, "its record", figure, different, different, 0, report.holds)


def require_all(proof: list[CheckResult]) -> None:
    """Refuse an export in which any comparison fails.

    Raises:
        ExportError: If a comparison fails; the message describes the first one.
    """
    for v in proof:
        if not v.holds:
            raise ExportError(
                f"{v.file} differs from {v.against}: {v.figure} {v.value:.5g}, limit {v.limit:g}; refused"
            )

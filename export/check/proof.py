"""Proof that an exported graph says what its checkpoint says, however a cine is cut or streamed.

fp32 is judged by its levels and logits, int8 by its masks; an int8 stream equals its int8 clip to the bit.
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
MAX_LOWERED = 1e-5
"""Of logits between two lowerings of one fp32 graph, as a part of the largest logit where that is above 1."""
MAX_LEVELS = 1
"""fp32 `prob` may differ by one grey level, where a rounding falls the other way."""
MIN_MASK_DICE = 0.99
WINDOWS = (1, 2, 3, 5, 7, 16, 32)
"""Frames answered per run."""
CUT_FRAMES = 9
"""Of a cine that is cut in two at every frame, and into windows that are shorter."""


@dataclass(frozen=True)
class Verdict:
    """One file against the reference."""

    file: str
    against: str
    figure: str
    """Which figure decides: `levels`, `logits` or `mask Dice`."""
    value: float
    worst: float
    """Over single clips."""
    limit: float
    holds: bool


def logit_error(model: onnx.ModelProto, clip: np.ndarray, reference: np.ndarray, file: str) -> Verdict:
    """Largest difference of logits between PyTorch and a tapped copy of an fp32 graph in ONNX Runtime.

    Args:
        model: The graph.
        clip: uint8 (T, S, S).
        reference: PyTorch's logits, float32 (T, 1, S, S).
        file: For the record.
    """
    logits = _Tapped(model).infer(np.ascontiguousarray(clip[:, None]))
    error = float(np.abs(logits.reshape(reference.shape) - reference).max())
    return Verdict(file, "PyTorch", "logits", error, error, MAX_LOGIT_ERROR, error <= MAX_LOGIT_ERROR)


class _Tapped:
    """A copy of an fp32 graph in ONNX Runtime that gives logits where the graph gives `prob`."""

    runtime, version = "ort", str(ort.__version__)

    def __init__(self, model: onnx.ModelProto) -> None:
        tapped = onnx.ModelProto()
        tapped.CopyFrom(model)
        self.logits: str = next(n for n in reversed(tapped.graph.node) if n.op_type == "Sigmoid").input[0]
        tapped.graph.output.append(onnx.helper.make_tensor_value_info(self.logits, onnx.TensorProto.FLOAT, None))
        self._session = ort.InferenceSession(tapped.SerializeToString(), providers=["CPUExecutionProvider"])

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Frames uint8 (T, 1, S, S) to logits of T frames."""
        return self.run(["prob"], {"frames": frames})[0]

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """As a `StreamEngine`, with logits for `prob`."""
        found: list[np.ndarray] = self._session.run([self.logits, *outputs[1:]], inputs)
        return found


def stream_logit_error(
    stream: onnx.ModelProto, clip: onnx.ModelProto, spec: ModelSpec, clips: list[np.ndarray], file: str
) -> Verdict:
    """Largest difference of logits between an fp32 stream graph and its clip graph, tapped, in ONNX Runtime.

    Args:
        stream: The stream graph.
        clip: The clip graph.
        spec: Of the stream graph.
        clips: uint8 (T, S, S) each.
        file: For the record.
    """
    frame_by_frame, whole = FrameStream(_Tapped(stream), spec), _Tapped(clip)
    errors = []
    for frames in clips:
        reference = whole.infer(np.ascontiguousarray(frames[:, None])).reshape(frames.shape)
        errors.append(float(np.abs(frame_by_frame.whole(frames) - reference).max()))
    error = max(errors)
    return Verdict(file, "its clip", "logits", error, error, MAX_LOGIT_ERROR, error <= MAX_LOGIT_ERROR)


def run_file(path: Path, clips: list[np.ndarray]) -> list[np.ndarray]:
    """What a model file answers, through the engine that users get: uint8 (T, S, S) a clip."""
    model = open_engine(locate(path))
    if model.spec.form == "checkpoint":
        return [model.engine.infer(np.ascontiguousarray(clip[:, None]))[:, 0] for clip in clips]
    predictor = Predictor(model.engine, model.spec, "", window_frames=max(map(len, clips)))
    return [predictor.probabilities(clip) for clip in clips]


def open_file(path: Path) -> Predictor:
    """A clip file in the engine that users get; nothing is said of its licence."""
    model = open_engine(locate(path))
    return Predictor(model.engine, model.spec, "")


def open_graph(model: onnx.ModelProto, spec: ModelSpec, threads: int | None = None) -> Predictor:
    """A clip graph in ONNX Runtime before it is a file; by default with every usable core."""
    return Predictor(OrtEngine(model.SerializeToString(), spec.name, threads or usable_cores()), spec, "")


def run_graph(model: onnx.ModelProto, spec: ModelSpec, clips: list[np.ndarray]) -> list[np.ndarray]:
    """What a clip graph answers in ONNX Runtime before it is a file: uint8 (T, S, S) a clip."""
    predictor = open_graph(model, spec)
    predictor.window_frames = max(map(len, clips))
    return [predictor.probabilities(clip) for clip in clips]


def same_levels(precision: str) -> int:
    """By how many levels two runs of one graph in ONNX Runtime may differ."""
    return 0 if precision == "int8" else MAX_LEVELS


def run_stream(path: Path, clips: list[np.ndarray]) -> list[np.ndarray]:
    """What a stream graph answers frame by frame, through the engine that users get: uint8 (T, S, S) a clip."""
    model = open_engine(locate(path, form="stream"))
    stream = FrameStream(model.stream_engine, model.spec)
    return [stream.whole(clip) for clip in clips]


def compare_lowering(
    native: onnx.ModelProto, flat: onnx.ModelProto, spec: ModelSpec, clips: list[np.ndarray]
) -> Verdict:
    """A graph of native 3D convolutions against the 2D one, in ONNX Runtime: int8 to the bit, fp32 on logits.

    Args:
        native: Of the one lowering.
        flat: Of the other.
        spec: Of both.
        clips: uint8 (T, S, S) each.
    """
    file, against = f"clip.{spec.precision} native", f"clip.{spec.precision} 2d"
    if spec.precision == "int8":
        answers, reference = (run_graph(graph, spec, clips) for graph in (native, flat))
        return compare_levels(file, against, answers, reference, limit=0)
    graphs = [_Tapped(graph) for graph in (native, flat)]
    pairs = [[g.infer(np.ascontiguousarray(clip[:, None])).ravel() for g in graphs] for clip in clips]
    error = max(float(np.abs(a - b).max() / max(1.0, np.abs(b).max())) for a, b in pairs)
    return Verdict(file, against, "logits, relative", error, error, MAX_LOWERED, error <= MAX_LOWERED)


def compare_cuts(path: Path, clips: list[np.ndarray], limit: int) -> Verdict:
    """A clip graph against itself: cines in one piece, in windows, and cut in two at every frame.

    Args:
        path: The file.
        clips: uint8 (T, S, S) each, at least a frame more than the longest window.
        limit: Levels by which answers may differ.
    """
    pairs = [pair for clip in clips for pair in _cut(path, clip)]
    return compare_levels(path.name, "itself, cut", [a for a, _ in pairs], [b for _, b in pairs], limit)


def _cut(path: Path, clip: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Answers in pieces, each beside the answer in one."""
    predictor = open_file(path)
    predictor.window_frames = len(clip)
    before, after = predictor.spec.context_frames
    short = clip[:CUT_FRAMES]
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
    file: str, against: str, answers: list[np.ndarray], reference: list[np.ndarray], limit: int = MAX_LEVELS
) -> Verdict:
    """The largest difference in grey levels of `prob`."""
    levels = [float(np.abs(a.astype(int) - b).max()) for a, b in zip(answers, reference, strict=True)]
    return Verdict(file, against, "levels", max(levels), max(levels), limit, max(levels) <= limit)


def compare_masks(
    file: str, against: str, answers: list[np.ndarray], reference: list[np.ndarray], threshold: int
) -> Verdict:
    """int8 against fp32: mean Dice of the masks, over clips that have one; without any, nothing is proven."""
    pairs = zip(answers, reference, strict=True)
    scores = [dice(a >= threshold, b >= threshold) for a, b in pairs]
    known = [score for score in scores if not np.isnan(score)] or [0.0]
    mean = float(np.mean(known))
    return Verdict(file, against, "mask Dice", mean, min(known), MIN_MASK_DICE, mean >= MIN_MASK_DICE)


def compare_selftest(path: Path) -> Verdict:
    """A written file against the self-test that it carries, through the engine that users get."""
    report = run_selftest(path)
    different = len(report.different)
    figure = f"self-test, frames off ({report.tolerance})"
    return Verdict(path.name, "its record", figure, different, different, 0, report.holds)


def require_all(verdicts: list[Verdict]) -> None:
    """Refuse an export in which any verdict fails.

    Raises:
        ExportError: Naming the first that does.
    """
    for v in verdicts:
        if not v.holds:
            raise ExportError(
                f"{v.file} differs from {v.against}: {v.figure} {v.value:.5g}, limit {v.limit:g}; refused"
            )

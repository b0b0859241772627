"""Proof that an exported graph says what its checkpoint says; int8 is judged by its masks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from edgeecho.errors import ExportError
from edgeecho.metrics import dice
from edgeecho.runtime.catalog import locate
from edgeecho.runtime.engine import open_engine

MAX_LOGIT_ERROR = 1e-4
MAX_LEVELS = 1
"""fp32 `prob` may differ by one grey level, where a rounding falls the other way."""
MIN_MASK_DICE = 0.99


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
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    sigmoid = next(n for n in tapped.graph.node if n.op_type == "Sigmoid")
    tapped.graph.output.append(onnx.helper.make_tensor_value_info(sigmoid.input[0], onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(tapped.SerializeToString(), providers=["CPUExecutionProvider"])
    logits = session.run([sigmoid.input[0]], {"frames": np.ascontiguousarray(clip[:, None])})[0]
    error = float(np.abs(logits.reshape(reference.shape) - reference).max())
    return Verdict(file, "PyTorch", "logits", error, error, MAX_LOGIT_ERROR, error <= MAX_LOGIT_ERROR)


def run_file(path: Path, clips: list[np.ndarray]) -> list[np.ndarray]:
    """What a model file answers, through the engine that users get: uint8 (T, S, S) a clip."""
    engine, _, _ = open_engine(locate(path))
    return [engine.infer(np.ascontiguousarray(clip[:, None]))[:, 0] for clip in clips]


def compare_levels(file: str, against: str, answers: list[np.ndarray], reference: list[np.ndarray]) -> Verdict:
    """fp32 against fp32: the largest difference in grey levels of `prob`."""
    levels = [float(np.abs(a.astype(int) - b).max()) for a, b in zip(answers, reference, strict=True)]
    return Verdict(file, against, "levels", max(levels), max(levels), MAX_LEVELS, max(levels) <= MAX_LEVELS)


def compare_masks(
    file: str, against: str, answers: list[np.ndarray], reference: list[np.ndarray], threshold: int
) -> Verdict:
    """int8 against fp32: mean Dice of the masks, over clips that have one; without any, nothing is proven."""
    pairs = zip(answers, reference, strict=True)
    scores = [dice(a >= threshold, b >= threshold) for a, b in pairs]
    known = [score for score in scores if not np.isnan(score)] or [0.0]
    mean = float(np.mean(known))
    return Verdict(file, against, "mask Dice", mean, min(known), MIN_MASK_DICE, mean >= MIN_MASK_DICE)


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

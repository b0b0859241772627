"""Self-test of a model file: whether this processor computes the results that the file was proven with."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import ModelRef, find_files, runtime_of
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.selftest_record import SelfTest
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.engine import LoadedModel, open_engine
from edgeecho.runtime.frame_stream import FrameStream
from edgeecho.runtime.predictor import Predictor
from edgeecho.runtime.selftest_cine import frame_answers, selftest_inputs

CHECKPOINT = ".safetensors"
"""Suffix of files that hold no graph, and so no self-test."""


@dataclass(frozen=True)
class FrameComparison:
    """Comparison of one frame of the test cine."""

    frame: int
    holds: bool
    area_px: int
    proven_area_px: int
    levels: int | None
    """Largest difference of `prob`; None where the file contains digests alone and they differ."""
    dice: float | None
    """Dice of the masks, where the file contains a reference."""


@dataclass(frozen=True)
class SelfTestReport:
    """Results of one file on this processor, compared with its record."""

    file: str
    runtime: str
    runtime_version: str
    tolerance: str
    """Tolerance of the comparison, in words."""
    processors: str
    """Processors that compute the proven results, as the file's record states them."""
    frames: tuple[FrameComparison, ...]
    seconds: float
    """Time of the test, opening the file included."""

    @property
    def different(self) -> list[int]:
        """Frames that differ by more than the tolerance."""
        return [compared.frame for compared in self.frames if not compared.holds]

    @property
    def holds(self) -> bool:
        """Whether this processor computes the proven results."""
        return not self.different

    def sentence(self) -> str:
        """Return the result as a sentence."""
        if self.holds:
            return f"this processor gives the proven answers ({self.tolerance})"
        first = next(compared for compared in self.frames if not compared.holds)
        more = f" and {len(self.different) - 1} more" if len(self.different) > 1 else ""
        levels = "" if first.levels is None else f", prob by {first.levels} levels"
        return (
            f"frame {first.frame}{more} differ{'' if more else 's'} from the proven answers ({self.tolerance}): area "
            f"{first.area_px} px instead of {first.proven_area_px}{levels}; the file is proven on {self.processors}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {**asdict(self), "holds": self.holds, "sentence": self.sentence()}


def run_selftest(path: Path, threads: int | None = None) -> SelfTestReport:
    """Run a model file on the test cine and compare.

    Args:
        path: A graph: `.onnx`, `.ort`, `.xml` or a device file.
        threads: Worker threads; None means every usable core.

    Raises:
        ModelFileError: If the file does not verify, its engine refuses it, or it contains no self-test.
        MissingExtraError: If its engine is not installed.
    """
    start = time.perf_counter()
    checked = read_verified(path)
    if checked.selftest is None:
        raise ModelFileError(f"{path.name}: carries no self-test; export the model again with this EdgeEcho")
    model = open_engine(ModelRef(path, runtime_of(path) or "ort", None, checked.spec.form), threads)
    prob = answer_selftest(model, len(checked.selftest.answers))
    frames = compare_answers(checked.selftest, prob, model.spec)
    return SelfTestReport(
        file=path.name,
        runtime=model.engine.runtime,
        runtime_version=model.engine.version,
        tolerance=checked.selftest.tolerance,
        processors=checked.selftest.processors,
        frames=frames,
        seconds=time.perf_counter() - start,
    )


def answer_selftest(model: LoadedModel, frames: int) -> np.ndarray:
    """Return `prob` of the test cine, uint8 (frames, S, S), from a clip or stream graph."""
    inputs = selftest_inputs(model.spec.size_px, frames)
    if model.spec.form == "stream":
        return FrameStream(model.stream_engine, model.spec).whole(inputs)
    return Predictor(model.engine, model.spec, model.sha256).probabilities(inputs)


def compare_answers(record: SelfTest, prob: np.ndarray, spec: ModelSpec) -> tuple[FrameComparison, ...]:
    """Compare results with a record, frame by frame.

    Args:
        record: Record of the file.
        prob: Maps of the test cine, uint8 (T, S, S).
        spec: Spec of the file.
    """
    answers, masks = frame_answers(prob, spec.threshold)
    reference = None if record.reference is None else np.frombuffer(record.reference, np.uint8).reshape(prob.shape)
    proven_masks = None if reference is None else frame_answers(reference, spec.threshold)[1]
    compared = []
    for k, (answer, proven) in enumerate(zip(answers, record.answers, strict=True)):
        levels: int | None = 0 if answer == proven else None
        overlap = None
        if reference is not None and proven_masks is not None:
            levels = int(np.abs(prob[k].astype(int) - reference[k]).max())
            overlap = _dice(masks[k], proven_masks[k])
        if record.min_dice is not None:
            holds = overlap is not None and overlap >= record.min_dice
        else:
            holds = levels is not None and levels <= record.max_levels
        compared.append(FrameComparison(k, holds, answer.area_px, proven.area_px, levels, overlap))
    return tuple(compared)


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice of two masks; 1 where both are empty, and so equal."""
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0


def files_to_test(model: str, runtime: str | None = None) -> list[Path]:
    """List the graphs of a model.

    Args:
        model: A packaged model's name, a folder or a file.
        runtime: `ort`, `openvino` or `native` for the files of one engine; None for all.

    Raises:
        ConfigError: If the runtime is unknown.
        ModelFileError: If there is no such model, or it has no graph.
    """
    if runtime not in (None, "ort", "openvino", "native"):
        raise ConfigError(f"unknown runtime {runtime!r} of a self-test; known: ort, openvino, native")
    found = [path for path in find_files(model) if path.suffix != CHECKPOINT]
    if runtime:
        found = [path for path in found if runtime_of(path) == runtime]
    if not found:
        raise ModelFileError(f"{model}: has no graph to test; export it with `edgeecho export`")
    return found

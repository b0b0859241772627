"""The gate: int8 is accepted by what a clinician reads, masks, ejection fraction, end-diastole and end-systole.

If it fails, convolutions go back to float, the one that costs most first, until it holds; if that does not help, the
export is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort

from edgeecho.cine import Cine
from edgeecho.errors import ExportError, MeasurementError
from edgeecho.export.calibrate import Frames
from edgeecho.export.proof import Verdict, open_graph
from edgeecho.export.quantize import quantize
from edgeecho.export.ranges import Ranges
from edgeecho.measure.volumes import disc_volume
from edgeecho.metrics import dice
from edgeecho.runtime.predictor import Predictor, Segmentation
from edgeecho.spec import ModelSpec

LIMITS = {
    "Dice": 0.99,
    "Dice lost": 0.002,
    "EF, mean": 1.0,
    "EF, worst": 2.0,
    "ED, ES frames": 1.0,
    "no beat any more": 0.15,
}
"""At least: mean Dice with fp32. At most: mean Dice lost against truth, mean and worst change of EF in points, largest
shift of an ED or ES in frames, part of the cines on which fp32 finds a beat and int8 does not."""
UNSURE = 0.8
"""A cine on which fp32 itself is below this Dice of the truth is no yardstick but for the masks."""


@dataclass(frozen=True)
class Answers:
    """What a graph says of the judges."""

    of: list[Segmentation]

    @classmethod
    def ask(cls, predictor: Predictor, judges: list[Cine]) -> "Answers":
        """Segment every cine, as a user would."""
        return cls([predictor.segment(cine) for cine in judges])


def judge(file: str, against: str, int8: Answers, fp32: Answers, judges: list[Cine]) -> list[Verdict]:
    """Compare int8 with fp32 on whole cines; a figure that no cine has is left out.

    Args:
        file: The int8 file, for the record.
        against: The fp32 file.
        int8: Its answers.
        fp32: Its answers.
        judges: The cines; some may carry labels.
    """
    found: dict[str, list[float]] = {name: [] for name in LIMITS}
    for cine, a, b in zip(judges, int8.of, fp32.of, strict=True):
        found["Dice"].append(dice(a.mask, b.mask))
        truth, sure = _against_truth(cine, a, b), True
        if truth:
            sure = truth[1] >= UNSURE
        if truth and sure:
            found["Dice lost"].append(truth[1] - truth[0])
        if not sure or b.ef_percent is None:
            continue
        found["no beat any more"].append(float(a.ef_percent is None))
        # Whether a curve is too rough for a beat is yes or no: where int8 says no, its masks say EF at fp32's frames.
        ef = _ef_at(b, a.mask, cine) if a.ef_percent is None else a.ef_percent
        for name in ("EF, mean", "EF, worst"):
            found[name].append(abs(ef - b.ef_percent))
        if a.ef_percent is not None:
            for ours, theirs in ((a.ed_frames, b.ed_frames), (a.es_frames, b.es_frames)):
                found["ED, ES frames"].append(_shift(ours, theirs))
    verdicts = []
    for name, values in found.items():
        known = [v for v in values if not np.isnan(v)]
        if known or name == "Dice":
            verdicts.append(_verdict(file, against, name, known or [0.0]))
    return verdicts


def _ef_at(fp32: Segmentation, mask: np.ndarray, cine: Cine) -> float:
    """EF in percent of other masks at the frames of fp32's beats, median over beats; infinite of empty masks."""
    efs = []
    for beat in fp32.beats:
        try:
            ed, es = (disc_volume(mask[frame], cine.spacing_mm) for frame in (beat.ed_frame, beat.es_frame))
        except MeasurementError:  # no mask there
            return float("inf")
        efs.append(100 * (ed - es) / ed)
    return float(np.median(efs))


def _verdict(file: str, against: str, name: str, values: list[float]) -> Verdict:
    limit, larger = LIMITS[name], name == "Dice"
    worst = min(values) if larger else max(values)
    value = worst if name in ("EF, worst", "ED, ES frames") else float(np.mean(values))
    return Verdict(file, against, name, value, worst, limit, value >= limit if larger else value <= limit)


def _against_truth(cine: Cine, a: Segmentation, b: Segmentation) -> tuple[float, float] | None:
    """Mean Dice of both over labelled frames, if there are any."""
    pairs = [(dice(a.mask[k], m), dice(b.mask[k], m)) for k, m in cine.labels.items()]
    pairs = [pair for pair in pairs if not np.isnan(pair).any()]
    return (float(np.mean([p[0] for p in pairs])), float(np.mean([p[1] for p in pairs]))) if pairs else None


def _shift(ours: list[int], theirs: list[int]) -> float:
    """Largest distance in frames from an event of one to the nearest of the other; infinite if one has none."""
    if not ours or not theirs:
        return 0.0 if ours == theirs else float("inf")
    apart = np.abs(np.subtract.outer(ours, theirs))
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max()))


@dataclass(frozen=True)
class Gated:
    """An int8 graph that passed."""

    model: onnx.ModelProto
    verdicts: list[Verdict]
    kept_float: list[str]
    """Convolutions that had to stay in float, the one that cost most first."""
    fp32: Answers
    """What fp32 says of the judges."""


def quantize_gated(
    model: onnx.ModelProto,
    ranges: Ranges,
    frames: Frames,
    spec: ModelSpec,
    say: Callable[[str], None],
    *,
    reduce_range: bool = False,
) -> Gated:
    """Quantize, judge, and give convolutions back to float until the gate holds.

    Args:
        model: fp32 clip graph.
        ranges: Of its tensors.
        frames: With the judges, and the held-out clips that a convolution's cost is measured on.
        spec: Of the fp32 clip graph.
        say: Told what goes on.
        reduce_range: Weights of 7 bits.

    Raises:
        ExportError: If half of the convolutions in float do not help.
    """
    fp32 = Answers.ask(open_graph(model, spec), frames.judges)
    kept: list[str] = []
    order: list[str] = []
    # The first and the last stand at the pipeline's own fixed scales.
    convolutions = [node.name for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")][1:-1]
    while True:
        int8 = quantize(model, ranges, keep_float=kept, reduce_range=reduce_range)
        answers = Answers.ask(open_graph(int8, spec), frames.judges)
        verdicts = judge("clip.int8.onnx", "clip.fp32.onnx", answers, fp32, frames.judges)
        failed = [v for v in verdicts if not v.holds]
        if not any(v.figure == "EF, mean" for v in verdicts):
            say("EF is not judged: fp32 itself finds none on the cines that int8 is judged on")
        if not failed:
            return Gated(int8, verdicts, kept, fp32)
        if 2 * len(kept) >= len(convolutions):
            v = failed[0]
            raise ExportError(
                f"int8 differs from fp32 in {v.figure}: {v.value:.4g}, limit {v.limit:g}, even with {len(kept)} of "
                f"{len(convolutions)} convolutions in float; calibrate on other data (--calib) or export --fp32"
            )
        if not order:
            say(f"int8 differs in {failed[0].figure} ({failed[0].value:.4g}); measuring what each convolution costs")
            order = rank(model, ranges, frames.held_out, convolutions)
        kept.append(order[len(kept)])
        say(f"back to float: {kept[-1]}")


def rank(model: onnx.ModelProto, ranges: Ranges, clips: list[np.ndarray], convolutions: list[str]) -> list[str]:
    """Convolutions by what giving each back to float, alone, takes off the error of `prob`; the largest first."""
    clips = [np.ascontiguousarray(clip[:16, None]) for clip in clips[:3]]

    def run(graph: onnx.ModelProto) -> np.ndarray:
        session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        return np.concatenate([session.run(["prob"], {"frames": clip})[0] for clip in clips]).astype(float)

    reference = run(model)
    errors = {
        name: float(np.abs(run(quantize(model, ranges, keep_float=[name])) - reference).mean()) for name in convolutions
    }
    return sorted(convolutions, key=lambda name: errors[name])

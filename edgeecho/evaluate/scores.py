"""Result of an evaluation: figures, items, patients, skipped items."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from edgeecho.evaluate.figures import Figure, finite, mean
from edgeecho.evaluate.patients import PatientScore, score_biplane
from edgeecho.evaluate.video import TimeScore, VideoScore
from edgeecho.measure.measurement import median
from edgeecho.metrics import SAMPLES, SEED, Population
from edgeecho.runtime.segmentation import ModelInfo

DEFINITIONS = {
    "dice_mean": "mean over a video's labelled frames, then over videos",
    "dice_pooled": "2 sum(I) / (sum(U) + sum(I)) over all frames, as EchoNet-Dynamic reports it",
    "hd95": "larger of the two directional 95th percentiles; a missed ventricle counts as the frame's diagonal",
    "assd": "mean over the pixels of both surfaces together",
    "phases": "ED and ES as the data set marks them; other: labelled frames that are neither; all: every labelled one",
    "volumes": "single-plane discs of the labelled ED and ES frames, not in PSAX; difference = model - reference",
    "edv_biplane_masks": "biplane discs of patients labelled in 4CH and 2CH, each phase with the longer view's length; "
    "esv_ and ef_ alike; ef_biplane_clinical and ef_biplane_floor as ef_clinical and ef_floor",
    "ef_masks": "model's masks against the reference masks, labelled frames",
    "ef_clinical": "model's masks of the labelled frames against the EF that the data set states",
    "ef_floor": "reference masks against the EF that the data set states: what perfect masks would give",
    "ef_beats_masks": "model's masks and the beats found in them, no labels used, against the reference masks",
    "ef_beats_clinical": "model's masks and the beats found in them, no labels used, against the EF stated",
    "phase_frames": "marked ED or ES to the nearest that was found; cines of 3 frames or more, as all figures of time",
    "consistency": "e_t = a_t - (a_(t-1) + a_(t+1)) / 2, a in units of the population's range (Painchaud 2022); "
    "inconsistent where |e| is over the threshold for the cine's frame rate, see populations",
    "roughness": "rms of the area's second derivative at 20 Hz, over its range; over_reference: ratio to that of the "
    "reference masks of the same frames",
    "area_pearson_r": "model's area with that of reference masks on consecutive frames, mean of cines",
    "area_mae": "mean distance of the two, over the reference's largest area",
    "frame_to_frame_dice": "falls with true motion and rises with frame rate: compare on the same cines only",
}


@dataclass(frozen=True)
class Failure:
    """Item that was skipped, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class WorstFrame:
    """A labelled frame of low Dice, kept for the overlay sheet."""

    name: str
    frame: int
    phase: str
    dice: float
    image: np.ndarray
    """uint8 (H, W)."""
    mask: np.ndarray
    """Mask of the model, uint8 {0, 1} (H, W)."""
    reference: np.ndarray
    """Mask of the data set, uint8 {0, 1} (H, W)."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Result of a model on a split."""

    model: ModelInfo
    data: str
    split: str
    figures: list[Figure]
    videos: list[VideoScore]
    patients: list[PatientScore]
    populations: list[Population]
    """Populations that temporal consistency was measured against; empty if it could be measured for no cine."""
    notes: list[str]
    """Figures that the data set does not allow, and why, each a sentence."""
    failed: list[Failure]
    """Items that could not be read or segmented; `edgeecho eval` ends with exit code 1 if there are any."""
    worst: list[WorstFrame]
    """Labelled frames of lowest Dice, worst first."""

    def figure(self, topic: str, metric: str, phase: str = "all") -> Figure | None:
        """Return the figure of that name, None if the data set does not allow it."""
        names = (topic, metric, phase)
        return next((f for f in self.figures if (f.topic, f.metric, f.phase) == names), None)

    @cached_property
    def biplane(self) -> list[PatientScore]:
        """Biplane scores of the patients who have both apical views labelled."""
        return score_biplane(self.videos)

    @property
    def counts(self) -> dict[str, int]:
        """Number of items, frames and patients that were evaluated, and of those that the model missed."""
        frames = [frame for video in self.videos for frame in video.labelled]
        empty = [f for f in frames if f.overlap.union_px == 0]
        both_volumes = [p for p in self.patients if p.reference.ef_percent is not None]
        return {
            "patients": len({video.group for video in self.videos}),
            "videos": len(self.videos),
            "cines": sum(video.time is not None for video in self.videos),
            "labelled_frames": len(frames),
            "missed_frames": sum(f.overlap.intersection_px == 0 for f in frames) - len(empty),
            "both_empty_frames": len(empty),
            "reference_ef": len(both_volumes),
            "missing_ef": sum(p.model.ef_percent is None for p in both_volumes),
            "failed": len(self.failed),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; NaN becomes None."""
        return {
            **subject(self.model, self.data, self.split),
            "counts": self.counts,
            "phases": self._phases(),
            "figures": [asdict(figure) for figure in self.figures],
            "intervals": {"method": "bootstrap over patients, percentile 95%", "samples": SAMPLES, "seed": SEED},
            "definitions": DEFINITIONS,
            "notes": self.notes,
            "populations": [population.to_dict() for population in self.populations],
            "failed": [asdict(failure) for failure in self.failed],
            "worst": [{"name": w.name, "frame": w.frame, "phase": w.phase, "dice": w.dice} for w in self.worst],
            "dice": {f"{v.name}:{f.frame}": finite(f.overlap.dice) for v in self.videos for f in v.labelled},
            "patients": [asdict(patient) for patient in self.patients],
            "biplane": [asdict(patient) for patient in self.biplane],
            "videos": [video_row(video) for video in self.videos],
        }

    def _phases(self) -> list[dict[str, Any]]:
        """Summarise the Dice of each phase's frames; `figures` has the rest, with intervals."""
        found: dict[str, list[float]] = {}
        for frame in (frame for video in self.videos for frame in video.labelled if frame.overlap.union_px):
            found.setdefault(frame.phase, []).append(frame.overlap.dice)
        return [
            {
                "phase": phase,
                "n": len(values),
                "dice_mean": float(np.mean(values)),
                "dice_median": float(np.median(values)),
                "dice_min": min(values),
            }
            for phase, values in sorted(found.items())
        ]


def subject(model: ModelInfo, data: str, split: str) -> dict[str, Any]:
    """Return what an evaluation is of, as JSON values: the model, the data set and the split."""
    about = {"model": model.name, "precision": model.precision, "runtime": model.runtime, "model_info": asdict(model)}
    return {**about, "data": data, "split": split}


def video_row(video: VideoScore) -> dict[str, Any]:
    """Return an item as a flat row of numbers and names, for CSV and JSON; None where there is no value."""
    row: dict[str, Any] = {
        "name": video.name,
        "patient": video.group,
        "view": video.view,
        "quality": video.quality,
        "frames": video.frames,
        "height": video.height,
        "width": video.width,
        "fps": video.fps,
        "row_mm": video.spacing_mm[0] if video.spacing_mm else None,
        "column_mm": video.spacing_mm[1] if video.spacing_mm else None,
        "labelled_frames": len(video.labelled),
    }
    for phase in ("ED", "ES", "other", "all"):
        frames = video.of(phase)
        row[f"dice_{phase}"] = mean([f.overlap.dice for f in frames])
        row[f"iou_{phase}"] = mean([f.overlap.iou for f in frames])
        for unit in ("mm", "px"):
            fits = unit == video.distance_unit
            row[f"hd95_{unit}_{phase}"] = mean([f.hd95 for f in frames]) if fits else None
            row[f"assd_{unit}_{phase}"] = mean([f.assd for f in frames]) if fits else None
    for phase in ("ED", "ES"):
        for kind, name in (("discs", "model"), ("reference_discs", "reference")):
            discs = [getattr(f, kind) for f in video.of(phase)]
            volumes = [d.volume() / 1000 if d else None for d in discs]
            row[f"{phase.lower()}v_ml_{name}"] = median(volumes) if video.spacing_mm else None
    row["ef_percent_clinical"] = video.clinical_ef_percent
    time: TimeScore | None = video.time
    row["ef_percent_beats"] = time.ef_percent if time else None
    row["ed_frame_errors"] = _joined(time.ed_errors) if time else None
    row["es_frame_errors"] = _joined(time.es_errors) if time else None
    row["frame_to_frame_dice"] = finite(time.frame_to_frame_dice) if time else None
    row["roughness_per_s2"] = finite(time.roughness_per_s2) if time else None
    row["area_pearson_r"] = finite(time.area_pearson_r) if time else None
    row["area_mae_percent"] = finite(time.area_mae_percent) if time else None
    row["warnings"] = "; ".join(video.warnings) or None
    return row


def _joined(errors: tuple[int | None, ...]) -> str | None:
    """Join the errors of the marked frames of a cine in one cell; `-` for a frame that was not found."""
    return " ".join("-" if error is None else str(error) for error in errors) or None

"""Result of the ladder: figures of each rung, with the region given and with the region that is found."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from edgeecho.evaluate.patients import score_patients
from edgeecho.evaluate.scores import Failure, WorstFrame, subject
from edgeecho.evaluate.video import VideoScore
from edgeecho.runtime.segmentation import ModelInfo
from edgeecho.synthetic.degrade.ladder import CLEAN, Rung

GIVEN, FOUND = "given", "found"
WAYS = (GIVEN, FOUND)
"""Regions of a model: the square around the whole clean frame, moved with the picture, upright; or region and
orientation that the product finds."""
DEFINITIONS = {
    "given": "the region is the square around the frame of the clean cine, moved with the picture; upright, and on the "
    "rung 'mirror' alone the orientation is found",
    "found": "region and orientation are those that are found in the degraded cine",
    "dice_mean": "mean over the frames of an item that are marked ED or ES, over all labelled ones where none is, then "
    "over items",
    "dice_worst": "smallest of the items' means",
    "ef_bias": "EF by discs of the model's masks of the marked frames less that of the reference masks of the same "
    "frames, mean over patients, in points",
    "ef_mae": "mean of the absolute differences",
    "missing_ef": "patients with an EF of the reference masks and none of the model's",
    "refused": "items for which an error was raised; their Dice counts as 0",
    "worst_rung": "smallest dice_worst of the rungs, without the clean one",
    "mean_of_worst": "mean of the rungs' dice_worst, without the clean one",
}


@dataclass(frozen=True)
class RungScore:
    """Figures of one rung and one way."""

    rung: str
    strength: float | None
    unit: str
    region: str
    """`GIVEN` or `FOUND`."""
    items: int
    refused: int
    dice_mean: float
    dice_worst: float
    worst: str
    """Name of the item of `dice_worst`."""
    patients: int
    """Number of patients whose EF is compared."""
    missing_ef: int
    ef_bias: float | None
    ef_mae: float | None

    @classmethod
    def of(cls, rung: Rung, region: str, videos: list[VideoScore], refused: int) -> "RungScore":
        """Compute the figures of scored items, at least one, of which some were refused."""
        dices = [_dice(video) for video in videos]
        worst = int(np.argmin(dices))
        pairs = [
            (patient.model.ef_percent, patient.reference.ef_percent)
            for patient in score_patients(videos)
            if patient.reference.ef_percent is not None
        ]
        errors = [model - reference for model, reference in pairs if model is not None and reference is not None]
        return cls(
            rung=rung.label,
            strength=rung.strength,
            unit=rung.unit,
            region=region,
            items=len(videos),
            refused=refused,
            dice_mean=float(np.mean(dices)),
            dice_worst=dices[worst],
            worst=videos[worst].name,
            patients=len(errors),
            missing_ef=len(pairs) - len(errors),
            ef_bias=float(np.mean(errors)) if errors else None,
            ef_mae=float(np.mean(np.abs(errors))) if errors else None,
        )


def _dice(video: VideoScore) -> float:
    """Mean Dice of the scored frames; where a turn has cut off all of the reference, no mask is the right answer."""
    dices = [frame.overlap.dice for frame in video.labelled if frame.overlap.union_px]
    return float(np.mean(dices)) if dices else 1.0


@dataclass(frozen=True)
class LadderSummary:
    """What the rungs of one way have in common, without the clean one."""

    region: str
    worst_rung: str
    """Rung with the smallest Dice of an item."""
    worst_dice: float
    mean_of_worst: float
    mean_of_means: float


@dataclass(frozen=True, eq=False)
class LadderScores:
    """Result of a model on the ladder."""

    model: ModelInfo
    data: str
    split: str
    patients: int
    rows: list[RungScore]
    notes: list[str]
    failed: list[Failure]
    """Items that could not be read or degraded."""
    shown: list[WorstFrame] = field(default_factory=list)
    """A frame of the first item on each rung with its masks, for the sheet."""

    def row(self, rung: str, region: str) -> RungScore | None:
        """Return the figures of a rung, None if no item could climb it."""
        return next((row for row in self.rows if (row.rung, row.region) == (rung, region)), None)

    def summary(self, region: str) -> LadderSummary | None:
        """Return the summary of a way; None without a rung beside the clean one."""
        rows = [row for row in self.rows if row.region == region and row.rung != CLEAN]
        if not rows:
            return None
        worst = min(rows, key=lambda row: row.dice_worst)
        return LadderSummary(
            region=region,
            worst_rung=worst.rung,
            worst_dice=worst.dice_worst,
            mean_of_worst=float(np.mean([row.dice_worst for row in rows])),
            mean_of_means=float(np.mean([row.dice_mean for row in rows])),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        summaries = [summary for region in WAYS if (summary := self.summary(region))]
        return {
            **subject(self.model, self.data, self.split),
            "patients": self.patients,
            "rungs": [asdict(row) for row in self.rows],
            "summary": [asdict(summary) for summary in summaries],
            "definitions": DEFINITIONS,
            "notes": self.notes,
            "failed": [asdict(failure) for failure in self.failed],
        }

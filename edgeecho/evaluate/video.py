"""One item of a data set: the model's masks against the reference masks and phases."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.errors import MeasurementError
from edgeecho.measure import Discs, discs_of
from edgeecho.metrics import (
    Overlap,
    agreement,
    frame_error,
    frame_to_frame_dice,
    mask_attributes,
    overlap,
    roughness,
    surface_distance,
)
from edgeecho.runtime import Segmentation

MIN_CINE_FRAMES = 3
"""Fewer are stills: nothing is said about time."""
WITHOUT_LONG_AXIS = "PSAX"
"""View across the ventricle: discs along its long axis mean nothing there."""


@dataclass(frozen=True)
class FrameScore:
    """A labelled frame."""

    frame: int
    phase: str
    """`ED`, `ES`, or `other` where the data set marks neither."""
    overlap: Overlap
    hd95: float
    """mm, or px where the video's spacing is unknown, as `assd`."""
    assd: float
    discs: Discs | None = None
    """Of the model's mask, in mm, or in pixels where spacing is unknown; for ED and ES alone, and None where the mask
    has no axis, and in PSAX. As `reference_discs`."""
    reference_discs: Discs | None = None


@dataclass(frozen=True)
class TimeScore:
    """What the masks of a cine (3 frames or more) do over time."""

    ed_errors: tuple[int | None, ...]
    """Frames from each marked ED to the nearest that was found, None where none was found; as `es_errors`."""
    es_errors: tuple[int | None, ...]
    ef_percent: float | None
    """Median over the beats that were found, with no help from labels; None in PSAX."""
    frame_to_frame_dice: float
    roughness_per_s2: float
    """NaN without a frame rate."""
    attributes: dict[str, np.ndarray]
    reference_frame_to_frame_dice: float = float("nan")
    """Of reference masks on consecutive frames, as the next ones; NaN where there are none."""
    same_frames_dice: float = float("nan")
    """Frame-to-frame Dice of the model on those frames."""
    reference_roughness_per_s2: float = float("nan")
    same_frames_roughness_per_s2: float = float("nan")
    roughness_over_reference: float = float("nan")
    area_pearson_r: float = float("nan")
    """Of the model's area with the reference's on those frames."""
    area_mae_percent: float = float("nan")
    """Mean distance of the two, over the reference's largest area."""
    reference_attributes: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class VideoScore:
    """An item of the data set."""

    name: str
    group: str
    view: str
    quality: str | None
    frames: int
    height: int
    width: int
    fps: float | None
    spacing_mm: tuple[float, float] | None
    labelled: tuple[FrameScore, ...]
    reference_attributes: dict[str, np.ndarray]
    """Of the ED and ES reference masks, (labels,)."""
    time: TimeScore | None
    clinical_ef_percent: float | None
    warnings: tuple[str, ...] = field(default=())

    @property
    def distance_unit(self) -> str:
        """`mm`, or `px` where spacing is unknown."""
        return "mm" if self.spacing_mm else "px"

    def of(self, phase: str) -> list[FrameScore]:
        """Labelled frames of a phase, or of `all`."""
        return [frame for frame in self.labelled if phase in ("all", frame.phase)]


def score_video(item: Item, cine: Cine, result: Segmentation) -> VideoScore:
    """Compare what a model says of an item with its labels.

    Args:
        item: The item.
        cine: What it reads as.
        result: The model's answer, at the cine's own pixels.
    """
    labelled, lengthwise = [], item.view != WITHOUT_LONG_AXIS
    for index, label in sorted(cine.labels.items()):
        distance = surface_distance(result.mask[index], label, cine.spacing_mm)
        phase = cine.phases.get(index, "other")
        has_volume = lengthwise and phase in ("ED", "ES")
        labelled.append(
            FrameScore(
                frame=index,
                phase=phase,
                overlap=overlap(result.mask[index], label),
                hd95=distance.hd95,
                assd=distance.assd,
                discs=_discs(result.mask[index], cine.spacing_mm) if has_volume else None,
                reference_discs=_discs(label, cine.spacing_mm) if has_volume else None,
            )
        )
    marked = [label for index, label in sorted(cine.labels.items()) if cine.phases.get(index) in ("ED", "ES")]
    height, width = cine.frames.shape[1:]
    shapes = np.stack(marked) if marked else np.zeros((0, height, width), np.uint8)
    quality, clinical = item.metadata.get("quality"), item.metadata.get("ef_percent")
    return VideoScore(
        name=item.name,
        group=item.group,
        view=item.view,
        quality=None if quality is None else str(quality),
        frames=len(cine.frames),
        height=height,
        width=width,
        fps=cine.fps,
        spacing_mm=cine.spacing_mm,
        labelled=tuple(labelled),
        reference_attributes=mask_attributes(shapes, cine.spacing_mm),
        time=_score_time(cine, result, result.ef_percent if lengthwise else None)
        if len(cine.frames) >= MIN_CINE_FRAMES
        else None,
        clinical_ef_percent=None if clinical is None else float(clinical),
        warnings=tuple(result.warnings),
    )


def _score_time(cine: Cine, result: Segmentation, ef_percent: float | None) -> TimeScore:
    marked = {phase: [i for i, p in sorted(cine.phases.items()) if p == phase] for phase in ("ED", "ES")}
    found = TimeScore(
        ed_errors=tuple(frame_error(result.ed_frames, frame) for frame in marked["ED"]),
        es_errors=tuple(frame_error(result.es_frames, frame) for frame in marked["ES"]),
        ef_percent=ef_percent,
        frame_to_frame_dice=frame_to_frame_dice(result.mask),
        roughness_per_s2=roughness(result.area_px, cine.fps) if cine.fps else float("nan"),
        attributes=_attributes(result.mask, cine.spacing_mm),
    )
    run = longest_run(cine.labels)
    if len(run) < MIN_CINE_FRAMES:
        return found
    reference, model = np.stack([cine.labels[i] for i in run]), result.mask[run[0] : run[-1] + 1]
    areas = [masks.sum(axis=(1, 2), dtype=np.int64) for masks in (reference, model)]
    rough = [roughness(area, cine.fps) if cine.fps else float("nan") for area in areas]
    alike = agreement(areas[1], areas[0])
    return replace(
        found,
        reference_frame_to_frame_dice=frame_to_frame_dice(reference),
        same_frames_dice=frame_to_frame_dice(model),
        reference_roughness_per_s2=rough[0],
        same_frames_roughness_per_s2=rough[1],
        roughness_over_reference=rough[1] / rough[0] if rough[0] else float("nan"),
        area_pearson_r=alike.pearson_r,
        area_mae_percent=100 * alike.mae / float(areas[0].max()) if areas[0].any() else float("nan"),
        reference_attributes=_attributes(reference, cine.spacing_mm),
    )


def _attributes(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> dict[str, np.ndarray]:
    """Single precision: a data set's curves are kept until its bounds are known."""
    return {name: curve.astype(np.float32) for name, curve in mask_attributes(mask, spacing_mm).items()}


def longest_run(frames: Iterable[int]) -> list[int]:
    """The longest stretch of consecutive frames."""
    best: list[int] = []
    run: list[int] = []
    for frame in sorted(frames):
        run = [*run, frame] if run and frame == run[-1] + 1 else [frame]
        best = run if len(run) > len(best) else best
    return best


def _discs(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> Discs | None:
    try:
        return discs_of(mask, spacing_mm)
    except MeasurementError:
        return None

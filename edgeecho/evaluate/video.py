"""Score of one item of a data set: the model's masks against the reference masks and phases."""

from dataclasses import dataclass, field, replace

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.data.io.phases import longest_run
from edgeecho.errors import MeasurementError
from edgeecho.evaluate.outlined import Outlined
from edgeecho.measure import Discs, discs_of
from edgeecho.measure.measurement import median
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
"""Fewest frames of a cine whose changes over time are scored; fewer are stills."""
WITHOUT_LONG_AXIS = "PSAX"
"""View across the ventricle, where discs along a long axis have no meaning."""


@dataclass(frozen=True)
class FrameScore:
    """Score of a labelled frame."""

    frame: int
    phase: str
    """`ED`, `ES`, or `other` where the data set marks neither."""
    overlap: Overlap
    hd95: float = float("nan")
    """95th percentile of the surface distance in mm, or in pixels if the video's spacing is unknown; NaN if it was not
    measured."""
    assd: float = float("nan")
    """Mean surface distance in the same unit."""
    discs: Discs | None = None
    """Discs of the model's mask at ED and ES, in the same unit; None at other frames, in PSAX, and if the mask has no
    axis."""
    reference_discs: Discs | None = None
    """Discs of the reference mask; None in the same cases."""


@dataclass(frozen=True)
class TimeScore:
    """Score of the masks of a cine over time."""

    ed_errors: tuple[int | None, ...]
    """Frames from each marked ED to the nearest that was found, None where none was found."""
    es_errors: tuple[int | None, ...]
    """Frames from each marked ES to the nearest that was found, None where none was found."""
    ef_percent: float | None
    """EF, median over the beats that were found without labels, also those that are left out or withheld from a user;
    None in PSAX."""
    frame_to_frame_dice: float
    roughness_per_s2: float
    """Roughness of the model's area curve; NaN without a frame rate."""
    attributes: dict[str, np.ndarray]
    reference_frame_to_frame_dice: float = float("nan")
    """Frame-to-frame Dice of reference masks on consecutive frames; NaN, as the fields below, if there are none."""
    same_frames_dice: float = float("nan")
    """Frame-to-frame Dice of the model on those frames."""
    reference_roughness_per_s2: float = float("nan")
    same_frames_roughness_per_s2: float = float("nan")
    roughness_over_reference: float = float("nan")
    area_pearson_r: float = float("nan")
    """Correlation of the model's area with the reference's on those frames."""
    area_mae_percent: float = float("nan")
    """Mean distance of the two, over the reference's largest area."""
    reference_attributes: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class VideoScore:
    """Score of an item of the data set."""

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
    """Attributes of the ED and ES reference masks by name, (labels,)."""
    time: TimeScore | None
    clinical_ef_percent: float | None
    warnings: tuple[str, ...] = field(default=())

    @property
    def distance_unit(self) -> str:
        """Unit of distances: `mm`, or `px` if spacing is unknown."""
        return "mm" if self.spacing_mm else "px"

    def of(self, phase: str) -> list[FrameScore]:
        """Return the labelled frames of a phase, or of `all`."""
        return [frame for frame in self.labelled if phase in ("all", frame.phase)]


def score_video(item: Item, cine: Cine, result: Segmentation | Outlined) -> VideoScore:
    """Compare a model's result on an item with the item's labels.

    Args:
        item: Item of the data set.
        cine: Cine of the item.
        result: Result of the model, at the cine's own pixels; figures over time need a mask on every frame.
    """
    labelled = list[FrameScore]()
    for index, label in sorted(cine.labels.items()):
        far = surface_distance(result.mask[index], label, cine.spacing_mm)
        labelled.append(replace(_score_frame(item, cine, index, result.mask[index]), hd95=far.hd95, assd=far.assd))
    marked = [label for index, label in sorted(cine.labels.items()) if cine.phases.get(index) in ("ED", "ES")]
    shapes = np.stack(marked) if marked else np.zeros((0, *cine.frames.shape[1:]), np.uint8)
    is_timed = len(cine.frames) >= MIN_CINE_FRAMES and not (isinstance(result, Outlined) and not result.is_whole)
    lengthwise = item.view != WITHOUT_LONG_AXIS
    return replace(
        _video(item, cine, tuple(labelled)),
        reference_attributes=mask_attributes(shapes, cine.spacing_mm),
        time=_score_time(cine, result, _ef_of_beats(result) if lengthwise else None) if is_timed else None,
        warnings=tuple(result.warnings),
    )


def score_marked(item: Item, cine: Cine, mask: np.ndarray) -> VideoScore:
    """Score overlap and volumes of the marked frames alone, without distances and time: much faster than `score_video`.

    Args:
        item: Item of the data set.
        cine: Cine of the item.
        mask: Masks of the model, uint8 {0, 1} (T, H, W).
    """
    return _video(item, cine, tuple(_score_frame(item, cine, index, mask[index]) for index in cine.marked))


def _video(item: Item, cine: Cine, labelled: tuple[FrameScore, ...]) -> VideoScore:
    """Describe an item and its scored frames, without attributes and time."""
    quality, clinical = item.metadata.get("quality"), item.metadata.get("ef_percent")
    return VideoScore(
        name=item.name,
        group=item.group,
        view=item.view,
        quality=None if quality is None else str(quality),
        frames=len(cine.frames),
        height=cine.frames.shape[1],
        width=cine.frames.shape[2],
        fps=cine.fps,
        spacing_mm=cine.spacing_mm,
        labelled=labelled,
        reference_attributes={},
        time=None,
        clinical_ef_percent=None if clinical is None else float(clinical),
    )


def _score_frame(item: Item, cine: Cine, index: int, mask: np.ndarray) -> FrameScore:
    """Score overlap and volumes of a labelled frame, without distances."""
    label, phase = cine.labels[index], cine.phases.get(index, "other")
    has_volume = item.view != WITHOUT_LONG_AXIS and phase in ("ED", "ES")
    return FrameScore(
        frame=index,
        phase=phase,
        overlap=overlap(mask, label),
        discs=_discs(mask, cine.pixel_shape) if has_volume else None,
        reference_discs=_discs(label, cine.pixel_shape) if has_volume else None,
    )


def _ef_of_beats(result: Segmentation | Outlined) -> float | None:
    """Median EF over all beats of the masks, so that a model cannot gain by a result that is withheld."""
    return median([beat.ef_percent for beat in result.measurement.beats])


def _score_time(cine: Cine, result: Segmentation | Outlined, ef_percent: float | None) -> TimeScore:
    marked = {phase: [i for i, p in sorted(cine.phases.items()) if p == phase] for phase in ("ED", "ES")}
    found = TimeScore(
        ed_errors=tuple(frame_error(result.measurement.ed_frames, frame) for frame in marked["ED"]),
        es_errors=tuple(frame_error(result.measurement.es_frames, frame) for frame in marked["ES"]),
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
    """Attributes of masks in single precision, as those of a whole data set are kept until its bounds are known."""
    return {name: curve.astype(np.float32) for name, curve in mask_attributes(mask, spacing_mm).items()}


def _discs(mask: np.ndarray, pixel_shape: tuple[float, float]) -> Discs | None:
    try:
        return discs_of(mask, pixel_shape)
    except MeasurementError:
        return None

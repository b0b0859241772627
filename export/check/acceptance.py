"""Acceptance test of int8 and 16-bit files: the effect of quantization relative to that of invisible noise.

fp32 runs on each acceptance cine several times: as it is, with noise of one grey level, and a little brighter. Nobody
can see these changes, so their effect on masks is the unit in which the effect of quantization is measured. The other
figures are in clinical units: points of EF at known frames of ED and ES, percent of area, Dice lost against
truth. Every figure is a statistic over many cines with an interval from resampling them, so no single cine decides.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.export.check.acceptance_cines import AcceptanceCine
from edgeecho.export.check.figures import TIMING, Figure, Limits, Statistics
from edgeecho.measure import disc_volume, ef_percent
from edgeecho.metrics import dice
from edgeecho.preprocess import mask_from_network

Run = Callable[[np.ndarray], np.ndarray]
"""Function from network frames uint8 (T, S, S) to `prob`, uint8 (T, S, S)."""

NOISE_SEEDS = (1, 2)
NOISE_LEVELS = 1
GAIN = 1.02
MIN_TRUE_DICE = 0.8
"""Dice of fp32 with the truth below which a cine does not count for EF, area and truth."""
STABLE_EF_POINTS, STABLE_DICE = 2.0, 0.95
"""Largest change of EF and least mask Dice under noise with which a cine counts for EF, area and lost masks."""
LOST_DICE = 0.9
"""Mean mask Dice with fp32 below which the masks count as other ones (`other_answer`)."""
MAX_EF_POINTS, MAX_AREA_PERCENT, MAX_DICE = 5.0, 5.0, 0.02
"""Bounds of what one cine adds to a mean, so that no single one decides (winsorized means)."""
PER_CINE = ("disagreement", "spread", "stable", "right", "events", "steady")
"""Names of the arrays of a `Reference` with one row a cine."""
MIN_NOISE_DISAGREEMENT, MIN_NOISE_SPREAD_PERCENT = 1e-4, 1e-2
"""Lower bounds of the disagreement (1 - Dice) and of the spread of area by noise, which are the units of figures."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Masks of fp32 on the acceptance cines, and the effect of invisible noise on them."""

    cines: list[AcceptanceCine]
    masks: list[np.ndarray]
    threshold: int
    disagreement: np.ndarray
    """1 - Dice between masks with and without noise, float (cines,)."""
    spread: np.ndarray
    """Spread of the change of area by noise in percent, float (cines,)."""
    stable: np.ndarray
    """Cines on which noise changes fp32 little, bool (cines,)."""
    right: np.ndarray
    """Cines on which fp32 agrees with the truth, or that have none, bool (cines,)."""
    events: np.ndarray
    """Frames of largest and of smallest area, int (cines, 2)."""
    steady: np.ndarray
    """Frames of `events` that noise does not move, bool (cines, 2)."""

    def subset(self, chosen: Sequence[int] | range) -> "Reference":
        """Return a reference of some cines alone, by their indexes."""
        cines, masks = [self.cines[k] for k in chosen], [self.masks[k] for k in chosen]
        arrays: dict[str, Any] = {name: getattr(self, name)[list(chosen)] for name in PER_CINE}
        return replace(self, cines=cines, masks=masks, **arrays)

    def joined(self, other: "Reference") -> "Reference":
        """Return a reference of these cines and those of another one of the same graph."""
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in PER_CINE
        }
        return replace(self, cines=[*self.cines, *other.cines], masks=[*self.masks, *other.masks], **arrays)


def make_reference(run: Run, cines: list[AcceptanceCine], threshold: int) -> Reference:
    """Run fp32 on the cines, as they are and with invisible changes.

    Args:
        run: Function that runs the fp32 graph.
        cines: The acceptance cines.
        threshold: Threshold of `prob` in the model.
    """
    plain = [_masks(run, cine, cine.inputs, threshold) for cine in cines]
    events = np.array([_events(masks, cine) for masks, cine in zip(plain, cines, strict=True)])
    changes: list[list[Change]] = []
    steady = np.ones_like(events, bool)
    for change in (*(_noise(seed) for seed in NOISE_SEEDS), _brighter):
        noisy = [_masks(run, cine, change(cine), threshold) for cine in cines]
        changes.append([_compare(a, b, cine) for a, b, cine in zip(noisy, plain, cines, strict=True)])
        steady &= np.array([_events(masks, cine) for masks, cine in zip(noisy, cines, strict=True)]) == events
    disagreement, spread, ef = (
        np.array([[getattr(c, name) for c in row] for row in changes]) for name in ("disagreement", "spread", "ef")
    )
    stable = (disagreement <= 1 - STABLE_DICE).all(axis=0)
    stable &= ~(np.abs(ef) > STABLE_EF_POINTS).any(axis=0)  # an unknown EF counts as stable
    return Reference(
        cines=cines,
        masks=plain,
        threshold=threshold,
        disagreement=np.maximum(disagreement.mean(axis=0), MIN_NOISE_DISAGREEMENT),
        spread=np.maximum(spread.mean(axis=0), MIN_NOISE_SPREAD_PERCENT),
        stable=stable,
        right=np.array([not _true_dice(m, cine) < MIN_TRUE_DICE for m, cine in zip(plain, cines, strict=True)]),
        events=events,
        steady=steady,
    )


def _events(masks: np.ndarray, cine: AcceptanceCine) -> tuple[int, int]:
    """Find the frames of largest area before the known ES, or in the whole cine without one, and of smallest area."""
    areas = masks.sum(axis=(1, 2), dtype=np.int64)
    before = cine.phases[1] if cine.phases and cine.phases[1] else len(areas)
    return int(areas[:before].argmax()), int(areas.argmin())


def _noise(seed: int) -> Callable[[AcceptanceCine], np.ndarray]:
    def add(cine: AcceptanceCine) -> np.ndarray:
        random = np.random.default_rng((seed, zlib.crc32((cine.source or cine.name).encode())))
        steps = random.integers(-NOISE_LEVELS, NOISE_LEVELS + 1, cine.inputs.shape)
        return np.clip(cine.inputs + steps, 0, 255).astype(np.uint8)

    return add


def _brighter(cine: AcceptanceCine) -> np.ndarray:
    return np.clip(np.rint(cine.inputs * GAIN), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Change:
    """Differences between two masks of one cine."""

    disagreement: float
    spread: float
    area: float
    """Mean change of area in percent of the mean area."""
    ef: float
    """Change of EF in points; NaN if EF is unknown, infinite if it cannot be measured any more."""
    lost: float
    """Dice lost against the truth; NaN without one."""


def _masks(run: Run, cine: AcceptanceCine, frames: np.ndarray, threshold: int) -> np.ndarray:
    return mask_from_network(run(frames), cine.roi, *cine.size, threshold)


def _compare(ours: np.ndarray, theirs: np.ndarray, cine: AcceptanceCine) -> Change:
    """Compare masks uint8 (T, H, W) of one cine with the reference's."""
    both_empty = ~(ours.any(axis=(1, 2)) | theirs.any(axis=(1, 2)))
    scores = [dice(a, b) for a, b in zip(ours[~both_empty], theirs[~both_empty], strict=True)]
    areas, before = (masks.sum(axis=(1, 2), dtype=np.int64).astype(float) for masks in (ours, theirs))
    relative = 100 * (areas - before) / max(1.0, before.mean())
    lost = [dice(theirs[k], mask) - dice(ours[k], mask) for k, mask in cine.truth.items() if mask.any()]
    return Change(
        disagreement=1 - float(np.mean(scores)) if scores else 0.0,
        spread=float(relative.std()),
        area=float(relative.mean()),
        ef=_ef_change(ours, theirs, cine),
        lost=float(np.mean(lost)) if lost else float("nan"),
    )


def _ef_change(ours: np.ndarray, theirs: np.ndarray, cine: AcceptanceCine) -> float:
    before = _ef(theirs, cine)
    if before is None:
        return float("nan")
    after = _ef(ours, cine)
    return float("inf") if after is None else after - before


def _ef(masks: np.ndarray, cine: AcceptanceCine) -> float | None:
    """Return EF in percent at the known frames; None if they are unknown or have no mask."""
    if cine.phases is None:
        return None
    try:
        edv, esv = (disc_volume(masks[frame], cine.spacing_mm) for frame in cine.phases)
    except MeasurementError:
        return None
    return ef_percent(edv, esv)


def _true_dice(masks: np.ndarray, cine: AcceptanceCine) -> float:
    scores = [dice(masks[k], mask) for k, mask in cine.truth.items() if mask.any()]
    return float(np.mean(scores)) if scores else float("nan")


def assess(file: str, run: Run, reference: Reference, limits: Limits, against: str = "clip.fp32.onnx") -> list[Figure]:
    """Measure a quantized graph or file.

    Args:
        file: Name of the file, for the record.
        run: Function that runs the graph.
        reference: Reference of the fp32 graph.
        limits: Limits of all figures.
        against: Name of the fp32 graph, for the record.

    Returns:
        The figures, in the order of `Limits`, then timing. A figure of fewer than `MIN_CINES` cines is left out, except
        the first two, which then fail.
    """
    cines = reference.cines
    masks = [_masks(run, cine, cine.inputs, reference.threshold) for cine in cines]
    changes = [_compare(a, b, cine) for a, b, cine in zip(masks, reference.masks, cines, strict=True)]
    disagreement, spread, area, ef, lost = (
        np.array([getattr(c, name) for c in changes]) for name in ("disagreement", "spread", "area", "ef", "lost")
    )
    outlined = np.array([a.any() or b.any() for a, b in zip(masks, reference.masks, strict=True)])
    counted = reference.stable & reference.right
    known_ef = counted & ~np.isnan(ef)
    bounded_ef = np.clip(ef, -MAX_EF_POINTS, MAX_EF_POINTS)
    bounded_area = np.clip(area, -MAX_AREA_PERCENT, MAX_AREA_PERCENT)
    bounded_lost = np.clip(lost, -MAX_DICE, MAX_DICE)
    found = np.array([_events(m, cine) for m, cine in zip(masks, cines, strict=True)])
    shift = np.abs(found - reference.events).astype(float)
    measure = Statistics(file, against, [cine.name for cine in cines], limits)
    figures = [
        measure.ratio("disagreement", disagreement, reference.disagreement, MIN_NOISE_DISAGREEMENT, outlined),
        measure.ratio("area_spread", spread, reference.spread, MIN_NOISE_SPREAD_PERCENT, outlined),
        measure.mean("ef_mean_points", bounded_ef, known_ef, both_ways=True),
        measure.median("ef_median_points", np.abs(bounded_ef), known_ef),
        measure.mean("area_mean_percent", bounded_area, counted, both_ways=True),
        measure.mean("dice_lost", bounded_lost, reference.right & ~np.isnan(lost)),
        measure.share("other_answer", disagreement > 1 - LOST_DICE, disagreement, reference.stable),
        *(measure.mean(name, shift[:, k], reference.steady[:, k]) for k, name in enumerate(TIMING)),
    ]
    return [figure for figure in figures if figure is not None]

"""Acceptance test of int8 and 16-bit files: the effect of quantization relative to that of invisible noise.

fp32 runs on each acceptance cine several times: as it is, with noise of one grey level, and a little brighter. Nobody
can see these changes, so their effect on masks is the unit in which the effect of quantization is measured. The other
figures are in clinical units: points of EF at known frames of ED and ES, percent of area, Dice lost against
truth. Every figure is a statistic over many cines with an interval from resampling them, so no single cine decides.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from edgeecho.errors import ConfigError, MeasurementError
from edgeecho.export.check.acceptance_cines import AcceptanceCine
from edgeecho.measure.disc_volume import disc_volume
from edgeecho.metrics import bootstrap_sums, dice
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
TIMING = ("ed_shift_frames", "es_shift_frames")
"""Figures: mean shift of the frame of largest and of smallest area, over cines on which noise does not move it."""
PER_CINE = ("disagreement", "spread", "stable", "right", "events", "steady")
"""Names of the arrays of a `Reference` with one row a cine."""
MIN_NOISE_DISAGREEMENT, MIN_NOISE_SPREAD_PERCENT = 1e-4, 1e-2
"""Lower bounds of the disagreement (1 - Dice) and of the spread of area by noise, which are the units of figures."""
MIN_CINES = 8
"""Number of cines below which a figure is left out."""
WORST_CINES = 3
"""Number of cines that a refusal lists."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the acceptance test; whole intervals must lie within them."""

    disagreement: float = 4.0
    """1 - mask Dice with fp32, as a multiple of the effect of noise on fp32; the 95% upper bound."""
    area_spread: float = 4.0
    """Deviation over frames of the change of area, as a multiple of the effect of noise; the 95% upper bound."""
    ef_mean_points: float = 1.0
    """Mean change of EF at known ED and ES, in both directions; the 90% interval."""
    ef_median_points: float = 0.75
    """Median size of the change of EF."""
    area_mean_percent: float = 1.0
    """Mean change of area, in both directions; the 90% interval."""
    dice_lost: float = 0.003
    """Mean Dice lost against the truth; the 95% upper bound."""
    other_answer: float = 0.2
    """Share of cines whose masks are other ones altogether; the 95% upper bound."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 < value < 1000:
                raise ConfigError(f"acceptance limit {name} must be above 0 and below 1000, got {value}")

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Limits":
        """Read `NAME=VALUE` texts; limits that are not named keep their defaults.

        Raises:
            ConfigError: If a name is unknown or a value is no number.
        """
        known = [f.name for f in fields(cls)]
        given: dict[str, float] = {}
        for text in texts:
            name, _, value = text.partition("=")
            if name not in known:
                raise ConfigError(f"unknown acceptance limit {name!r}; known: {', '.join(known)}")
            try:
                given[name] = float(value)
            except ValueError:
                raise ConfigError(f"acceptance limit {name} takes a number, got {value!r}") from None
        return cls(**given)


@dataclass(frozen=True)
class Figure:
    """One statistic over the acceptance cines."""

    file: str
    against: str
    figure: str
    """Name of a field of `Limits`, or one of `TIMING`, which is reported without a limit."""
    value: float
    low: float
    high: float
    """Bounds of the interval of `value`; equal to it if the value itself is compared with the limit."""
    limit: float | None
    holds: bool
    cines: int
    """Number of cines of this figure."""
    worst: tuple[str, ...]
    """Cines that add most to the figure, with what they add."""

    @property
    def interval(self) -> str:
        """Text of the interval; empty if there is none."""
        return "" if self.low == self.high else f"{self.low:.3g} to {self.high:.3g}"

    def __str__(self) -> str:
        interval = f" (interval {self.interval})" if self.interval else ""
        worst = ", ".join(self.worst) or "none"
        return f"{self.figure} {self.value:.3g}{interval}, limit {self.limit:g}; worst cines: {worst}"


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
    return 100 * (edv - esv) / edv


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
    measure = _Measure(file, against, [cine.name for cine in cines], limits)
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


@dataclass(frozen=True)
class _Measure:
    """Statistics over cines, each with its interval and its worst cines."""

    file: str
    against: str
    names: list[str]
    limits: Limits

    def ratio(self, name: str, values: np.ndarray, unit: np.ndarray, least: float, chosen: np.ndarray) -> Figure:
        """Return the geometric mean over cines of value over unit, and its 95% bound; infinite for too few cines."""
        ratios = np.maximum(values, least) / unit
        if chosen.sum() < MIN_CINES:  # masks that are all empty prove nothing
            return self._figure(name, np.inf, (np.inf, np.inf), np.inf, ratios, chosen)
        logs = np.log(ratios[chosen])
        low, high = (float(np.exp(bound)) for bound in _interval(logs))
        return self._figure(name, float(np.exp(logs.mean())), (low, high), high, ratios, chosen)

    def mean(self, name: str, values: np.ndarray, chosen: np.ndarray, *, both_ways: bool = False) -> Figure | None:
        """Return the mean over cines, compared by its 90% interval in both directions or its 95% upper bound."""
        if chosen.sum() < MIN_CINES:
            return None
        low, high = _interval(values[chosen])
        decisive = max(-low, high) if both_ways else high
        size = np.abs(values) if both_ways else values
        return self._figure(name, float(values[chosen].mean()), (low, high), decisive, size, chosen)

    def median(self, name: str, values: np.ndarray, chosen: np.ndarray) -> Figure | None:
        """Return the median over cines."""
        if chosen.sum() < MIN_CINES:
            return None
        value = float(np.median(values[chosen]))
        return self._figure(name, value, (value, value), value, values, chosen)

    def share(self, name: str, hit: np.ndarray, size: np.ndarray, chosen: np.ndarray) -> Figure | None:
        """Return the share of cines, and its one-sided 95% upper bound (Wilson 1927, JASA 22:209-212)."""
        n = int(chosen.sum())
        if n < MIN_CINES:
            return None
        p, z = float(hit[chosen].mean()), 1.645
        middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = (max(0.0, float(bound / (1 + z * z / n))) for bound in (middle - half, middle + half))
        return self._figure(name, p, (low, high), high, size, chosen)

    def _figure(
        self,
        figure: str,
        value: float,
        interval: tuple[float, float],
        decisive: float,
        size: np.ndarray,
        chosen: np.ndarray,
    ) -> Figure:
        """Compare the decisive end of the interval with the limit, and list the cines of largest size."""
        limit = None if figure in TIMING else getattr(self.limits, figure)
        indexes = np.flatnonzero(chosen)
        order = indexes[np.argsort(-size[indexes], kind="stable")][:WORST_CINES]
        return Figure(
            file=self.file,
            against=self.against,
            figure=figure,
            value=value,
            low=interval[0],
            high=interval[1],
            limit=limit,
            holds=limit is None or decisive <= limit,
            cines=len(indexes),
            worst=tuple(f"{self.names[k]} ({size[k]:.3g})" for k in order),
        )


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the mean over cines drawn with replacement (Efron 1979)."""
    sums = bootstrap_sums(np.stack([values, np.ones(len(values))], axis=1))
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [5, 95])
    return float(low), float(high)

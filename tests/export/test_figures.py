"""Figures of the acceptance test, worked out on paper: every limit is tried from both sides."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from edgeecho.export.check.acceptance import Reference, assess, make_reference
from edgeecho.export.check.acceptance_cines import AcceptanceCine
from edgeecho.export.check.figures import Figure, Limits, Statistics
from edgeecho.preprocess import Roi

COUNT, SIDE = 12, 40
ALL = np.ones(COUNT, bool)


def statistics(count: int = COUNT) -> Statistics:
    return Statistics("int8", "fp32", [f"cine {k}" for k in range(count)], Limits())


def holds(figure: Figure | None) -> bool:
    assert figure is not None
    return figure.holds


# Limits


@pytest.mark.parametrize("name", ["disagreement", "area_spread"])
def test_limits_of_ratios(name: str) -> None:
    """Of equal values every mean over drawn cines is the same, so the bound is the value."""
    unit = np.full(COUNT, 0.01)
    for ratio, expected in ((3.99, True), (4.01, False)):
        assert holds(statistics().ratio(name, unit * ratio, unit, 1e-4, ALL)) is expected


@pytest.mark.parametrize(("name", "limit"), [("ef_mean_points", 1.0), ("area_mean_percent", 1.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_limits_of_means_in_both_directions(name: str, limit: float, sign: int) -> None:
    for factor, expected in ((0.999, True), (1.001, False)):
        values = np.full(COUNT, sign * limit * factor)
        assert holds(statistics().mean(name, values, ALL, both_ways=True)) is expected


def test_limit_of_dice_lost() -> None:
    for lost, expected in ((0.00299, True), (0.00301, False), (-1.0, True)):
        assert holds(statistics().mean("dice_lost", np.full(COUNT, lost), ALL)) is expected


def test_limit_of_the_median() -> None:
    values = np.array([0.0] * 5 + [9.0] * 5)
    for middle, expected in ((0.749, True), (0.751, False)):
        both = np.concatenate([values, [middle, middle]])
        assert holds(statistics().median("ef_median_points", both, ALL)) is expected


def test_limit_of_other_answers() -> None:
    """Of eleven cines without one the upper bound is 2.706 / 13.706 = 0.197, of ten 0.213."""
    nothing, size = np.zeros(COUNT, bool), np.arange(COUNT)
    for count, expected in ((11, True), (10, False)):
        assert holds(statistics().share("other_answer", nothing, size, size < count)) is expected


@pytest.mark.parametrize(("hits", "low", "high"), [(10, 0.32739, 0.67261), (2, 0.03366, 0.26168), (20, 0.88082, 1.0)])
def test_the_bounds_of_a_share(hits: int, low: float, high: float) -> None:
    """Wilson's interval for z = 1.645, of 20 cines."""
    order = np.arange(20)
    found = statistics(20).share("other_answer", order < hits, order.astype(float), np.ones(20, bool))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((hits / 20, low, high), abs=2e-5)


def test_the_interval_of_a_mean() -> None:
    """Of a hundred zeros and ones the deviation of the mean is 0.05, of which the interval has 1.645 either way."""
    values = np.arange(100) % 2
    found = statistics(100).mean("dice_lost", values.astype(float), np.ones(100, bool))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.418, 0.582), abs=0.012)
    assert found.interval == f"{found.low:.3g} to {found.high:.3g}"


def test_a_ratio_is_a_geometric_mean_of_values_that_are_not_too_small() -> None:
    unit = np.full(COUNT, 0.5)
    values = np.where(np.arange(COUNT) % 2, 2.0, 0.5)
    assert statistics().ratio("disagreement", values, unit, 0.1, ALL).value == pytest.approx(2)
    assert statistics().ratio("disagreement", values * 0, unit, 0.5, ALL).value == pytest.approx(1)


@pytest.mark.parametrize(("count", "enough"), [(8, True), (7, False)])
def test_fewer_than_eight_cines_give_no_figure(count: int, enough: bool) -> None:
    chosen, values = np.arange(COUNT) < count, np.zeros(COUNT)
    made = statistics()
    ratio = made.ratio("disagreement", values, values + 1, 1.0, chosen)
    assert (ratio.holds, ratio.cines) == (enough, count)
    for found in (
        made.mean("dice_lost", values, chosen),
        made.median("ef_median_points", values, chosen),
        made.share("other_answer", values > 0, values, chosen),
    ):
        assert (found is not None) is enough


def test_the_three_worst_cines_are_named() -> None:
    values = np.array([0, 5, 1, -9, 5, 2, 0, 0, 0, 0, 0, 7.0])
    made = statistics()
    both = made.mean("ef_mean_points", values, values < 7, both_ways=True)
    assert both is not None
    assert both.worst == ("cine 3 (9)", "cine 1 (5)", "cine 4 (5)")
    upper = made.mean("dice_lost", values, ALL)
    assert upper is not None
    assert upper.worst == ("cine 11 (7)", "cine 1 (5)", "cine 4 (5)")
    assert str(upper).startswith("dice_lost 0.917 (interval ")
    assert str(upper).endswith("limit 0.003; worst cines: cine 11 (7), cine 1 (5), cine 4 (5)")
    assert made.median("ef_median_points", values, ALL).interval == ""  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [0.0, 1000.0, float("nan")])
def test_limits_that_are_none(value: float) -> None:
    with pytest.raises(ValueError, match="must be above 0 and below 1000"):
        Limits(area_spread=value)
    assert Limits(area_spread=999.9).area_spread == 999.9


# From masks to figures


def bar(height: int, width: int = 10) -> np.ndarray:
    """Mask of a rectangle that begins at the upper left, uint8 {0, 1} (40, 40)."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:height, :width] = 1
    return mask


def cine_of(*masks: np.ndarray, phases: tuple[int, int] | None = None, truth: bool = True) -> AcceptanceCine:
    """A cine whose frames are what the network shall answer: `as_they_are` returns them."""
    frames = np.stack(masks)
    marks = dict(enumerate(frames)) if truth else {}
    return AcceptanceCine("bar", frames * 255, Roi(0, 0, SIDE, SIDE), (SIDE, SIDE), None, phases, marks)


def as_they_are(frames: np.ndarray) -> np.ndarray:
    return frames


def assessed(before: list[np.ndarray], after: list[np.ndarray], **given: object) -> dict[str, Figure]:
    """Figures of twelve cines alike, whose masks in fp32 are `before` and in int8 `after`."""
    cines = [cine_of(*after, **given) for _ in range(COUNT)]  # type: ignore[arg-type]
    zeros, yes = np.zeros((COUNT, 2), int), np.ones((COUNT, 2), bool)
    unit = np.full(COUNT, 0.05)
    reference = Reference(cines, [np.stack(before)] * COUNT, 128, unit, 100 * unit, ALL, ALL, zeros, yes)
    return {figure.figure: figure for figure in assess("int8", as_they_are, reference, Limits())}


def test_disagreement_and_area_of_a_bar_that_loses_rows() -> None:
    """20 rows become 19: Dice is 38 / 39, and the area is 5% smaller; an empty frame in both counts nowhere."""
    empty = bar(0)
    found = assessed([bar(20), bar(20), empty], [bar(19), bar(19), empty], truth=False)
    assert found["disagreement"].value == pytest.approx((1 / 39) / 0.05)
    assert found["area_mean_percent"].value == pytest.approx(-5 * 2 / 3 * 3 / 2)
    relative = 100 * np.array([-10, -10, 0]) / (400 / 3)
    assert found["area_spread"].value == pytest.approx(relative.std() / 5)
    assert "ef_mean_points" not in found
    assert "dice_lost" not in found


@pytest.mark.parametrize(("rows", "area"), [(24, -4.0), (23, -5.0), (27, 5.0)])
def test_what_a_cine_adds_to_the_area_is_bounded(rows: int, area: float) -> None:
    assert assessed([bar(25)], [bar(rows)])["area_mean_percent"].value == area


@pytest.mark.parametrize(("width", "share"), [(81, 1.0), (82, 0.0)])
def test_masks_that_are_other_ones(width: int, share: float) -> None:
    """Of 100 pixels 81 are left, a Dice of 162 / 181 = 0.895, or 82, one of 0.901."""
    small = np.zeros((SIDE, SIDE), np.uint8)
    small[:10, :10].flat[:width] = 1
    small[:10, :10] = np.arange(100).reshape(10, 10) < width
    assert assessed([bar(10)], [small])["other_answer"].value == share


def test_dice_lost_against_the_truth_is_bounded() -> None:
    """The truth is the mask of int8 here, so fp32 with more rows is worse: nothing is lost, but gained."""
    assert assessed([bar(21)], [bar(20)])["dice_lost"].value == pytest.approx(-0.02)  # of 1 / 41
    assert assessed([bar(20, 38)], [bar(20, 37)])["dice_lost"].value == pytest.approx(-1 / 75)


@pytest.mark.parametrize(("es_rows", "points"), [(20, 0.0), (19, None), (8, 5.0)])
def test_ejection_fraction_at_known_frames(es_rows: int, points: float | None) -> None:
    """A slightly smaller ES raises EF by some points; no cine adds more than 5."""
    found = assessed([bar(30), bar(20)], [bar(30), bar(es_rows)], phases=(0, 1))
    value = found["ef_mean_points"].value
    assert (0 < value < 5) if points is None else value == pytest.approx(points)
    assert found["ef_median_points"].value == pytest.approx(value)


def test_a_mask_at_es_that_is_lost_adds_the_bound() -> None:
    assert assessed([bar(30), bar(20)], [bar(30), bar(0)], phases=(0, 1))["ef_mean_points"].value == 5
    assert "ef_mean_points" not in assessed([bar(30), bar(0)], [bar(30), bar(20)], phases=(0, 1))


def test_the_shift_of_ed_and_es_is_counted_in_frames() -> None:
    """ED is searched before the known ES at frame 3: the larger mask at frame 4 is of the next beat."""
    masks = [bar(20), bar(25), bar(15), bar(10), bar(30)]
    assert [assessed(masks, masks, phases=(1, 3))[f"{event}_shift_frames"].value for event in ("ed", "es")] == [1, 3]
    assert assessed(masks, masks, phases=None)["ed_shift_frames"].value == 4
    assert assessed(masks, masks, phases=(1, 0))["ed_shift_frames"].value == 4  # ES first: the whole cine


# The reference


@pytest.mark.parametrize(("pixels", "right"), [(66, False), (67, True)])
def test_a_cine_counts_if_fp32_is_right_of_it(pixels: int, right: bool) -> None:
    """Of a truth of 100 pixels 66 give a Dice of 0.795, and 67 one of 0.802."""
    small = np.zeros((SIDE, SIDE), np.uint8)
    small[:10, :10] = np.arange(100).reshape(10, 10) < pixels
    cine = cine_of(small)
    cine.truth[0] = bar(10)
    assert make_reference(as_they_are, [cine], 128).right.tolist() == [right]
    cine.truth.clear()
    assert make_reference(as_they_are, [cine], 128).right.tolist() == [True]  # without a truth nothing is wrong


def test_noise_that_changes_nothing_has_a_least_effect() -> None:
    found = make_reference(as_they_are, [cine_of(bar(20), bar(10))], 128)
    assert (found.disagreement.tolist(), found.spread.tolist()) == ([1e-4], [1e-2])
    assert (found.stable.tolist(), found.events.tolist(), found.steady.tolist()) == ([True], [[0, 1]], [[True, True]])


@pytest.mark.parametrize(("rows", "stable"), [(1, True), (4, False)])
def test_a_cine_whose_masks_noise_moves_is_not_stable(rows: int, stable: bool) -> None:
    """Rows of level 127 cross the threshold where a brighter picture is 130: one of 29 rows gives a Dice of 58 / 59."""
    frame = bar(29, 30) * 255
    frame[29 : 29 + rows, :30] = 127

    def brighter_alone(frames: np.ndarray) -> np.ndarray:
        return np.where((frames >= 129) if frames[0, 29, 0] > 129 else (frames > 200), 255, 0).astype(np.uint8)

    cine = AcceptanceCine("bar", frame[None], Roi(0, 0, SIDE, SIDE), (SIDE, SIDE))
    found = make_reference(brighter_alone, [cine], 128)
    assert found.stable.tolist() == [stable]
    lost = 1 - 58 / (58 + rows)
    assert found.disagreement[0] == pytest.approx(lost / 3)  # of three changes one moves the mask


def test_changes_that_nobody_can_see() -> None:
    """Noise of one level, twice, and a picture that is 2% brighter; nothing goes beyond black and white."""
    frame = np.zeros((1, SIDE, SIDE), np.uint8)
    frame[0, :10], frame[0, 10:20], frame[0, 20:30] = 100, 253, 255
    seen: list[np.ndarray] = []

    def remember(frames: np.ndarray) -> np.ndarray:
        seen.append(frames)
        return frames

    cine = AcceptanceCine("levels", frame, Roi(0, 0, SIDE, SIDE), (SIDE, SIDE))
    make_reference(remember, [cine], 128)
    plain, first, second, brighter = seen
    assert np.array_equal(plain, frame)
    assert [int(brighter[0, row, 0]) for row in (0, 10, 20, 30)] == [102, 255, 255, 0]
    assert not np.array_equal(first, second)
    for noisy in (first, second):
        steps = noisy.astype(int) - frame
        assert set(np.unique(steps[0, :10])) == set(np.unique(steps[0, 10:20])) == {-1, 0, 1}
        assert (set(np.unique(steps[0, 20:30])), set(np.unique(steps[0, 30:]))) == ({-1, 0}, {0, 1})


def test_masks_that_are_lost_altogether_count() -> None:
    """A cine counts if either has a mask; only two empty ones prove nothing."""
    lost = assessed([bar(20)], [bar(0)], truth=False)["disagreement"]
    assert (lost.cines, lost.holds, lost.value) == (COUNT, False, pytest.approx(1 / 0.05))
    assert assessed([bar(0)], [bar(20)], truth=False)["disagreement"].cines == COUNT
    assert assessed([bar(0)], [bar(0)], truth=False)["disagreement"].cines == 0

"""Sums over the frames of a beat, against a direct computation, also after the ring has wrapped."""

import numpy as np
import pytest

from edgeecho.measure.curve_buffer import windows_for
from edgeecho.measure.rigid_motion import explained_change, small_pictures
from edgeecho.reasons import Reason
from edgeecho.runtime.frame_history import FIELDS, FrameHistory
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.quality import quality_of

FPS = 5.0
"""A low rate, for which the ring is short."""
SIDE = 56


def scores(rng: np.random.Generator, count: int) -> list[MaskScore]:
    made = []
    for _ in range(count):
        pixels = int(rng.integers(0, 900)) * int(rng.random() < 0.9)
        made.append(
            MaskScore(
                pixels=pixels,
                total=int(pixels * rng.integers(128, 256)),
                largest=int(pixels * rng.uniform(0.9, 1)),
                edge=int(rng.integers(0, 9)),
                outside=pixels // 10,
                box=(int(rng.integers(9)), 40, 3, int(rng.integers(10, 50))),
            )
        )
    return made


def summed(part: list[MaskScore]) -> dict[str, int]:
    return {
        "frames": len(part),
        "empty": sum(score.pixels == 0 for score in part),
        "pixels": sum(score.pixels for score in part),
        "total": sum(score.total for score in part),
        "broken": sum(score.pixels > 0 and score.largest < 0.98 * score.pixels for score in part),
        "edge": sum(score.edge for score in part),
        "outside": sum(score.outside for score in part),
    }


def test_sums_over_beats_anywhere_in_a_long_stream(rng: np.random.Generator) -> None:
    history, all_scores, longest = FrameHistory(FPS), scores(rng, 700), windows_for(FPS).longest
    assert set(FIELDS) == set(summed([]))
    for frame, score in enumerate(all_scores):
        history.score(score)
        if frame % 37 == 0:
            for first in {0, frame // 2, frame - 3, frame - longest} & set(range(max(0, frame - longest), frame)):
                assert history.over(first, frame) == summed(all_scores[first : frame + 1])
                assert history.box(first) == all_scores[first].box
    assert history.scored == 700 > 2 * longest  # the ring has wrapped
    assert history.whole() == summed(all_scores)
    assert history.over(699, 699) == summed(all_scores[699:])


def test_motion_over_beats_anywhere_in_a_long_stream(rng: np.random.Generator) -> None:
    history, longest = FrameHistory(FPS), windows_for(FPS).longest
    frames = rng.integers(0, 256, (500, SIDE, SIDE), dtype=np.uint8)
    frames[40:44] = frames[40]  # three still frames
    frames[480] = frames[479]
    for frame in range(500):
        history.see(frames[frame : frame + 1])
        if frame in (1, 7, 60, 250, 499):
            first = max(0, frame - longest)
            part = small_pictures(frames[first : frame + 1])
            explained, whole = explained_change(part)
            found = history.motion(first, frame)
            assert found[:2] == pytest.approx((explained.sum(), whole.sum()), rel=1e-9)
            assert found[2] == int((whole == 0).sum())
    assert history.motion(470, 499)[2] == 1


def test_at_once_and_one_by_one_are_the_same(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (45, SIDE, SIDE), dtype=np.uint8)
    at_once, one_by_one = FrameHistory(FPS), FrameHistory(FPS)
    at_once.see(frames)
    for frame in frames:
        one_by_one.see(frame[None])
    assert at_once.motion(3, 40) == one_by_one.motion(3, 40)
    assert at_once.seen == one_by_one.seen == 45


def test_a_mask_is_scored_by_counts() -> None:
    prob = np.zeros((8, 8), np.uint8)
    prob[0:3, 2:4] = 200  # 6 pixels, 2 of them on the edge
    prob[5, 5] = 128
    inside = np.ones((8, 8), bool)
    inside[:, 2] = False
    score = MaskScore.of(prob, 128, inside)
    assert score == MaskScore(pixels=7, total=1328, largest=6, edge=2, outside=3, box=(0, 3, 2, 4))
    assert score.confidence == pytest.approx(1328 / (255 * 7))
    assert MaskScore.of(prob, 128).outside == 0
    assert not score.is_cut
    assert MaskScore.of(prob, 201) == MaskScore()
    assert MaskScore().confidence == 0
    assert MaskScore.of(np.full((8, 8), 255, np.uint8), 128).edge == 28  # each corner once
    assert MaskScore.of(np.full((8, 8), 255, np.uint8), 128).is_cut


def test_quality_of_sums() -> None:
    sums = summed([MaskScore(100, 25500, 100, 0, 10), MaskScore(), MaskScore(100, 12750, 60)])
    assert quality_of(sums) == {
        "confidence": 0.75,
        "empty_frames": 1,
        "broken_frames": 1,
        "outside_fraction": 0.05,
    }
    assert quality_of(summed([]))["confidence"] == 0.0


def test_a_frame_that_repeats_is_still(rng: np.random.Generator) -> None:
    history = FrameHistory(FPS)
    pictures = rng.integers(0, 256, (60, SIDE, SIDE)).astype(np.uint8)
    pictures[40] = pictures[39]
    for picture in pictures:
        history.see(picture[None])
    assert [frame for frame in range(60) if history.is_still(frame)] == [40]
    assert history.motion(0, 59)[2] == 1


@pytest.mark.parametrize(
    ("score", "is_frozen", "reasons"),
    [
        (MaskScore(pixels=900, total=900 * 250, largest=900), False, ()),
        (MaskScore(pixels=900, total=900 * 250, largest=900), True, (Reason.FROZEN,)),
        (MaskScore(), False, (Reason.NO_VENTRICLE,)),
        (MaskScore(pixels=900, total=900 * 240, largest=900), False, (Reason.VIEW_UNLIKELY,)),
        (MaskScore(pixels=900, total=900 * 250, largest=880), False, (Reason.MASK_IN_PIECES,)),
        (MaskScore(pixels=900, total=900 * 250, largest=900, outside=19), False, (Reason.MASK_OUTSIDE_FAN,)),
        (MaskScore(pixels=900, total=900 * 250, largest=900, edge=11), False, (Reason.CUT_BY_EDGE,)),
    ],
)
def test_reasons_of_one_frame(score: MaskScore, is_frozen: bool, reasons: tuple[Reason, ...]) -> None:
    assert score.frame_reasons(is_frozen=is_frozen) == reasons

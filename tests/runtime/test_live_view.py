"""View of a live stream: searched in the whole frame, then fixed; also in turned pictures and after black and noise."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import edgeecho
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import FLIPS, Orientation, Roi, whole_frame
from edgeecho.reasons import Level, Reason
from edgeecho.runtime.live_view import LiveView
from edgeecho.runtime.trust_constants import (
    MAX_SAMPLES,
    MIN_LIVE_SAMPLES,
    MIN_SAME_REGION,
    RETRY_S,
    SAMPLE_INTERVAL_S,
)
from edgeecho.runtime.view_regions import overlap
from tests.runtime.turned_hearts import turned, upright

SIZE, FPS = 112, 50.0
NOT_FOUND = (Reason.REGION_UNSURE, "region and orientation are still searched")


class Seen:
    """Network by hand whose confidence is set; it counts its looks."""

    def __init__(self, level: int) -> None:
        self.level, self.looks = level, 0

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        self.looks += 1
        prob = np.zeros((SIZE, SIZE), np.uint8)
        prob[30:80, 40:70] = self.level
        return prob


def live(look: Seen, roi: Roi | None = None, flip: str = "none") -> LiveView:
    spec = ModelSpec(name="by-hand", family="cl_unet_edge", size_px=SIZE, form="stream")
    return LiveView(look, spec, (100, 120), fps=FPS, spacing_mm=None, roi=roi, flip=flip)


LIT = np.full((100, 120), 90, np.uint8)


def test_a_view_is_fixed_after_a_few_samples() -> None:
    look = Seen(250)
    view = live(look)
    assert (view.view.roi, view.is_fixed) == (whole_frame(100, 120), False)
    assert not view.see(LIT)  # sampled at once, and the region is the same
    assert look.looks > 0
    assert view.is_fixed == (MIN_LIVE_SAMPLES <= 1)
    frames = 1
    while not view.is_fixed:
        assert not view.see(LIT)
        frames += 1
    assert frames >= FPS * SAMPLE_INTERVAL_S * (MIN_LIVE_SAMPLES - 1)
    assert frames <= FPS * SAMPLE_INTERVAL_S * MAX_SAMPLES + look.looks
    looks = look.looks
    assert not view.see(LIT)
    assert look.looks == looks


def test_a_frame_after_the_first_costs_one_look_at_most() -> None:
    look = Seen(150)
    view = live(look, flip="auto")
    view.see(LIT)
    first = look.looks
    assert first >= len(FLIPS)
    for _ in range(300):
        before = look.looks
        view.see(LIT)
        assert look.looks - before <= 1
    assert look.looks > 2 * first
    assert not view.is_fixed
    assert view.view.roi == whole_frame(100, 120)


def test_a_search_without_a_ventricle_begins_again_after_a_while() -> None:
    look = Seen(100)  # below the threshold
    view = live(look)
    looked = []
    for frame in range(round(FPS * (2 * RETRY_S))):
        before = look.looks
        view.see(LIT)
        looked += [frame] if look.looks > before else []
    pauses = np.diff(looked)
    assert pauses.max() >= FPS * RETRY_S
    assert np.count_nonzero(pauses >= FPS * SAMPLE_INTERVAL_S) >= MAX_SAMPLES - 1
    look.level = 250
    for _ in range(round(FPS * (RETRY_S + 1))):
        view.see(LIT)
    assert view.is_fixed


def test_black_frames_are_not_sampled() -> None:
    look = Seen(250)
    view = live(look)
    for _ in range(100):
        view.see(np.zeros((100, 120), np.uint8))
    assert look.looks == 0
    for _ in range(round(FPS)):
        view.see(LIT)
    assert view.is_fixed


def test_a_view_that_is_given_is_never_searched() -> None:
    look, roi = Seen(250), Roi(5, 5, 80, 80)
    view = live(look, roi=roi, flip="lr")
    assert (view.view.roi, view.view.orientation, view.is_fixed) == (roi, Orientation("lr"), True)
    assert not view.see(LIT)
    assert look.looks == 0


# Drawn hearts with the packaged default


def pushed(frames: np.ndarray, fps: float | None, **settings: object) -> edgeecho.StreamingPredictor:
    stream = edgeecho.stream(threads=1, fps=fps, **settings)  # type: ignore[arg-type]
    for frame in frames:
        stream.push(frame)
    return stream


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "flip"), [*((5, flip) for flip in FLIPS), (0, "lr"), (12, "cw")])
def test_every_orientation_is_recognised_in_a_stream(seed: int, flip: str) -> None:
    cine = turned(upright(seed), flip)
    stream = pushed(np.concatenate([cine.frames] * 2)[:140], cine.fps, spacing_mm=cine.spacing_mm)
    assert stream.is_view_fixed
    assert stream.view is not None
    assert stream.view.orientation == Orientation(flip)
    codes = {finding.reason for finding in stream.findings}
    assert (Reason.TURNED in codes or Reason.MIRRORED in codes) == (flip != "none")


@pytest.mark.slow
def test_a_stream_that_begins_black_then_noise_then_a_heart() -> None:
    """Noise leaves no view; a heart after it is measured right or withheld, and right after a reset."""
    cine = upright(5)
    noise = np.random.default_rng(0).integers(0, 256, (40, *cine.frames.shape[1:]), dtype=np.uint8)
    expected = edgeecho.load(threads=1).segment(cine.frames, cine.fps, flip="none").measurement.ef_percent
    stream = pushed(np.concatenate([np.zeros_like(noise[:20]), noise]), cine.fps)
    assert not stream.is_view_fixed
    assert [(finding.reason, finding.text) for finding in stream.findings] == [NOT_FOUND]
    for frame in np.concatenate([cine.frames] * 3):
        result = stream.push(frame)
        assert result is not None
        assert result.ef_percent is None or result.ef_percent == pytest.approx(expected, abs=4)
    stream.reset()
    for frame in np.concatenate([np.zeros_like(noise[:20]), *[cine.frames] * 3]):
        stream.push(frame)
    stream.flush()
    assert stream.measured is not None
    assert stream.measured.ef_percent == pytest.approx(expected, abs=2)
    assert [finding for finding in stream.findings if finding.level > Level.NOTE] == []
    assert min(beat.ed_frame for beat in stream.measured.beats) >= 20


@pytest.mark.slow
def test_frames_before_the_view_is_fixed_are_outlined_and_not_measured() -> None:
    cine = upright(8)
    stream = edgeecho.stream(threads=1, fps=cine.fps)
    answers, fixed = [], []
    for frame in cine.frames:
        answers.append(stream.push(frame))
        fixed.append(stream.is_view_fixed)
    results = [answer for answer in answers if answer] + stream.flush()
    assert [result.frame for result in results] == list(range(len(cine.frames)))
    first = fixed.index(True)
    assert first > 0
    assert any(result.mask.any() for result in results[: first - stream.delay_frames])
    early = [answer for answer in answers[:first] if answer]
    assert early
    later = [answer for answer in answers[first + 1 :] if answer]
    assert all(NOT_FOUND not in [(f.reason, f.text) for f in r.findings] for r in later)
    assert all((r.ef_percent, r.beats, r.verdict) == (None, (), "withhold") for r in early)
    assert stream.measured is not None
    assert all(beat.ed_frame >= first - stream.delay_frames - 1 for beat in stream.measured.beats)


@pytest.mark.slow
def test_the_region_on_a_screen_with_text_is_that_of_the_whole_cine() -> None:
    cine = upright(12)
    height, width = cine.frames.shape[1:]
    screen = np.pad(cine.frames, ((0, 0), (60, 40), (150, 60)))
    for count, frame in enumerate(screen):
        for row, text in enumerate(("PATIENT 0042", "HR 71", "MI 1.2", f"{count:04d}")):
            cv2.putText(frame, text, (8, 40 + 24 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 200, 1)
    whole = edgeecho.load(threads=1).segment(replace(cine, frames=screen))
    stream = pushed(screen, cine.fps, spacing_mm=cine.spacing_mm)
    assert stream.view is not None
    assert stream.is_view_fixed
    assert overlap(stream.view.roi, whole.roi) >= MIN_SAME_REGION
    assert (whole.flip, stream.view.orientation.flip) == ("none", "none")
    shown = whole_frame(height, width)
    assert overlap(whole.roi, Roi(shown.x + 150, shown.y + 60, shown.width, shown.height)) > 0.5

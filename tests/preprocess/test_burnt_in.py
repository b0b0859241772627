"""Burnt-in text: what stands still outside the fan is covered, the fan and what moves stay."""

import cv2
import numpy as np

from edgeecho.preprocess import cover_text
from tests.preprocess.screens import add_furniture, draw_fan

NAME = (slice(2, 30), slice(300, 620))
"""Where a name is written, right beside the apex of the fan."""


def test_a_name_is_covered_and_the_fan_stays(rng: np.random.Generator) -> None:
    frames, fan = draw_fan(rng)
    frames = add_furniture(frames)
    trace = frames[:, 415:446, 40:600].copy()
    for frame in frames:
        cv2.putText(frame, "DOE JOHN 1950-01-02", (300, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 220, 2)
    covered = cover_text(frames)
    assert frames[:, NAME[0], NAME[1]].max() > 200
    assert covered[:, NAME[0], NAME[1]].max() == 0
    assert covered[:, 60:300, 20:34].max() == 0  # the grey bar
    assert np.array_equal(covered[:, fan], frames[:, fan])
    drawn = trace > 0  # the ECG
    assert (covered[:, 415:446, 40:600][drawn] > 0).mean() > 0.9


def test_what_stands_still_in_the_fan_stays(rng: np.random.Generator) -> None:
    frames, _ = draw_fan(rng)
    still = (slice(200, 260), slice(300, 360))
    frames[:, still[0], still[1]] = 50
    assert (cover_text(frames)[:, still[0], still[1]] == 50).all()


def test_noise_all_over_the_screen(rng: np.random.Generator) -> None:
    """Where noise lets the fan seem as large as the screen, strokes of text are covered all the same."""
    frames, _ = draw_fan(rng, level=80)
    for frame in frames:
        cv2.putText(frame, "DOE JOHN", (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 220, 2)
    frames = np.maximum(frames, rng.integers(0, 24, frames.shape).astype(np.uint8))
    text = np.zeros(frames.shape[1:], np.uint8)
    cv2.putText(text, "DOE JOHN", (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 220, 2)
    assert cover_text(frames)[:, text > 100].max() == 0


def test_a_cine_without_a_fan_is_covered_but_for_what_moves() -> None:
    frames = np.zeros((6, 80, 120), np.uint8)
    cv2.putText(frames[0], "DOE", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    frames[1:] = frames[0]
    assert cover_text(frames).max() == 0
    assert cover_text(np.zeros_like(frames)).max() == 0

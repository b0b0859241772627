"""Apical hearts that give no valid EF: they only move as a whole, are frozen, lie across, or are covered by colour."""

import cv2
import numpy as np

from edgeecho.cine import Cine, to_grey
from edgeecho.synthetic.fan import Fan
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.tissue_fan import TissueFan

SIDE_PX = 224
"""Side of the square picture."""
FPS, SECONDS = 30.0, 3.0
"""Frame rate and length of cines of a still heart."""
MIN_SECONDS = 1.2
"""Least length of the cine of four hearts."""
GRAIN = 4.0
"""Standard deviation in grey levels of the noise that keeps a still heart from being a frozen picture."""
MIN_COLOUR = 40
"""Least difference between the channels of a strongly coloured pixel."""


def _times() -> np.ndarray:
    return np.arange(round(SECONDS * FPS)) / FPS


def _heart(rng: np.random.Generator, side_px: int = SIDE_PX) -> PhantomHeart:
    return PhantomHeart(int(rng.integers(1 << 31)), side_px)


def _still(rng: np.random.Generator) -> tuple[PhantomHeart, np.ndarray, np.ndarray]:
    """Draw a heart, and its picture uint8 (H, W) and mask uint8 {0, 1} (H, W) at a random moment."""
    heart = _heart(rng)
    images, masks = heart.frames(np.array([rng.uniform(0, heart.seconds)]))
    return heart, images[0], masks[0]


def _moved(rng: np.random.Generator, name: str, kind: str) -> Cine:
    """Move a still heart under a resting fan: `zoom`, `rock` or `shift`; every frame is labelled."""
    heart, image, mask = _still(rng)
    fan = Fan.from_pixels(heart.screen.sector)
    rate, start = rng.uniform(0.7, 2.0), rng.uniform(0, 2 * np.pi)
    strength, direction = rng.uniform(0.6, 1.0), rng.uniform(0, 2 * np.pi)
    frames, labels = [], {}
    for index, time in enumerate(_times()):
        wave = np.sin(start + 2 * np.pi * rate * time)
        if kind == "zoom":
            matrix = cv2.getRotationMatrix2D(fan.top, 0, 1 + 0.15 * strength * (1 + wave))
        elif kind == "rock":
            matrix = cv2.getRotationMatrix2D(fan.top, 10 * strength * wave, 1)
        else:
            way = 0.08 * SIDE_PX * strength * wave * np.array([np.cos(direction), np.sin(direction)])
            matrix = np.column_stack([np.eye(2), way])
        moved = fan.move(image, matrix)
        grain = GRAIN * rng.standard_normal(image.shape) * fan.inside
        frames.append(np.clip(moved + grain, 0, 255).astype(np.uint8))
        labels[index] = fan.move_mask(mask, matrix)
    return Cine(np.stack(frames), FPS, heart.spacing_mm, labels, name=name)


def zoomed(seed: int) -> Cine:
    """Draw a still heart that is zoomed about the probe by 1 to 1.18 or more, up to 1.3, as a sine."""
    return _moved(np.random.default_rng((seed, 1)), f"zoomed {seed}", "zoom")


def rocked(seed: int) -> Cine:
    """Draw a still heart that is rotated about the probe by 6 to 10 degrees to both sides, as a sine."""
    return _moved(np.random.default_rng((seed, 2)), f"rocked {seed}", "rock")


def shifted(seed: int) -> Cine:
    """Draw a still heart that is shifted along a line by 5 to 8% of the picture to both sides, as a sine."""
    return _moved(np.random.default_rng((seed, 3)), f"shifted {seed}", "shift")


def frozen(seed: int) -> Cine:
    """Draw a heart whose frames are all the same."""
    heart, image, mask = _still(np.random.default_rng((seed, 4)))
    count = len(_times())
    return Cine(
        np.stack([image] * count), FPS, heart.spacing_mm, dict.fromkeys(range(count), mask), {}, f"frozen {seed}"
    )


def four_hearts(seed: int) -> Cine:
    """Draw four beating hearts in one screen, as in a stress test; without labels, as none of them is the one."""
    rng = np.random.default_rng((seed, 5))
    hearts: list[PhantomHeart] = []
    while len(hearts) < 4:
        heart = _heart(rng, SIDE_PX // 2 - 4)
        if heart.seconds >= MIN_SECONDS:
            hearts.append(heart)
    times = np.arange(int(min(heart.seconds for heart in hearts) * FPS)) / FPS
    tiles = [np.pad(heart.frames(times)[0], ((0, 0), (4, 4), (4, 4))) for heart in hearts]
    rows = [np.concatenate(tiles[i : i + 2], axis=2) for i in (0, 2)]
    return Cine(np.concatenate(rows, axis=1), FPS, name=f"four hearts {seed}")


def heart_across(seed: int) -> Cine:
    """Draw a beating heart that lies across an upright fan, turned by 60 to 120 degrees to either side.

    The apex points to one side, as in subcostal (right) and parasternal (left) views. Every frame is labelled.
    """
    rng = np.random.default_rng((seed, 6))
    heart = _heart(rng)
    cine = heart.cine()
    fan = Fan.from_pixels(heart.screen.sector)
    rows, columns = np.nonzero(np.any(list(cine.labels.values()), axis=0))
    centre = (float(columns.mean()), float(rows.mean()))
    matrix = cv2.getRotationMatrix2D(centre, rng.uniform(60, 120) * rng.choice([-1, 1]), 1)
    matrix[:, 2] += np.array([fan.top[0], fan.top[1] + 0.5 * fan.reach]) - centre
    frames = np.stack([fan.move(frame, matrix) for frame in cine.frames])
    labels = {index: fan.move_mask(mask, matrix) for index, mask in cine.labels.items()}
    return Cine(frames, cine.fps, cine.spacing_mm, labels, cine.phases, f"heart across {seed}")


def moving_away(seed: int) -> Cine:
    """Draw a beating heart from which the probe slides away in the middle, to tissue without a heart.

    Frames are labelled until the probe moves.
    """
    rng = np.random.default_rng((seed, 7))
    heart = _heart(rng)
    cine = heart.cine()
    fan, other = Fan.from_pixels(heart.screen.sector), TissueFan(rng)
    level = other.blank(rng.uniform(60, 130))
    direction = rng.choice([-1, 1])
    frames = cine.frames.copy()
    count = len(frames)
    for index in range(count // 2, count):
        away = min(1.0, (index - count // 2) / max(1, count // 4))
        matrix = np.array([[1.0, 0, direction * 0.5 * SIDE_PX * away], [0, 1, 0.1 * SIDE_PX * away]])
        ground = cv2.resize(other.show(level, index / heart.fps), frames.shape[:0:-1])
        mixed = cv2.addWeighted(fan.move(frames[index], matrix), 1 - away, ground, away, 0)
        frames[index][fan.inside] = mixed[fan.inside]
    labels = {index: mask for index, mask in cine.labels.items() if index < count // 2}
    return Cine(frames, cine.fps, cine.spacing_mm, labels, {}, f"moving away {seed}")


def colour_frames(seed: int) -> tuple[np.ndarray, Cine]:
    """Draw a beating heart with colour Doppler over its ventricle and atrium.

    Returns:
        Frames in RGB, uint8 (T, H, W, 3), and the grey cine below the colour.
    """
    rng = np.random.default_rng((seed, 8))
    heart = _heart(rng)
    cine = heart.cine()
    rows, columns = np.nonzero(np.any(list(cine.labels.values()), axis=0))
    y, x = np.indices(cine.frames.shape[1:], np.float32)
    middle, half = (columns.mean(), rows.mean() + 0.15 * np.ptp(rows)), (0.5 * np.ptp(columns), 0.6 * np.ptp(rows))
    box = (np.abs(x - middle[0]) < half[0]) & (np.abs(y - middle[1]) < half[1]) & heart.screen.sector
    noise = rng.standard_normal((2, 12, 12)).astype(np.float32)
    fields = [cv2.resize(field, x.shape[::-1], interpolation=cv2.INTER_CUBIC) for field in noise]
    colour = np.repeat(cine.frames[..., None], 3, axis=-1)
    for index, time in enumerate(heart.times()):
        phase = 2 * np.pi * float(heart.rhythm.phase(np.array([time]))[0][0])
        velocity = np.cos(phase) * fields[0] + np.sin(phase) * fields[1] + 0.8 * np.sin(phase)
        strong = np.clip(np.abs(velocity), 0, 1.5) / 1.5
        shown = box & (strong > 0.25)
        flow = np.stack([np.where(velocity > 0, 255, 0), 120 * strong, np.where(velocity > 0, 0, 255)], axis=-1)
        colour[index][shown] = (flow * (0.5 + 0.5 * strong[..., None]))[shown]
    return colour, cine


def colour_doppler(seed: int) -> Cine:
    """Draw the grey form of `colour_frames`, with its coloured pixels and its labels."""
    colour, cine = colour_frames(seed)
    strong = colour.max(axis=-1).astype(np.int16) - colour.min(axis=-1) >= MIN_COLOUR
    coloured = strong.mean(axis=0) >= 0.1
    return Cine(
        to_grey(colour), cine.fps, cine.spacing_mm, cine.labels, cine.phases, f"colour {seed}", coloured=coloured
    )

"""Sources of training clips: moved stills, morphs between an ED and an ES still, real videos.

Every source has labels at ED and ES alone (a still is one labelled frame that keeps its label when it is moved); the
other frames are for the temporal consistency loss. All random numbers come from the generator that is passed in, so
clip i of step s is the same in every run.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.preprocess import resample
from edgeecho.synthetic.ed_es_morph import EdEsMorph
from edgeecho.synthetic.rhythm import Rhythm, phase_frames
from edgeecho.train.augment import augment
from edgeecho.train.clip_cines import ClipCines
from edgeecho.train.config import ClipConfig
from edgeecho.train.cycle import Cycle, cycle_signal
from edgeecho.train.degrade import degrade
from edgeecho.train.geometry import CANVAS, MARGIN, draw_placement, sample_grid
from edgeecho.train.interpolate_labels import interpolate_labels

SUPERSAMPLING = 2
"""Factor by which clips are sampled finer than the network's frames; they are then resampled as any cine is."""
FRAMES_PER_BEAT = (5.0, 40.0)
"""Range of the frames per beat of synthetic hearts, uniform on a logarithmic scale."""
RESHAPE_RANGE = (-0.5, 1.0)
"""Range of s, the part of the way from a heart's shape to another's; below 0 it goes away from it. Uniform over this
range, the mean of (1 - s)^2 + s^2 is 1, so that shapes and sizes keep their variance; from 0 to 1 they would
lose some."""
BEATS = 4.0
"""Length, in beats, of the cine that a clip of a synthetic heart is cut from."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of a clip, with their labels and the estimated cardiac cycle."""

    frames: np.ndarray
    """Degraded and augmented frames, uint8 (T, S, S)."""
    clean: np.ndarray
    """Frames before degradation and augmentation, the input of a teacher, uint8 (T, S, S)."""
    masks: np.ndarray
    """Soft masks 0 to 255, uint8 (T, S, S): labels and interpolated labels; 0 on all other frames."""
    labelled: np.ndarray
    """Frames with a label, bool (T,)."""
    interpolated: np.ndarray
    """Frames whose mask was interpolated between an ED and an ES label, bool (T,)."""
    cycle: np.ndarray
    """Estimated cardiac cycle, high at ED, float32 (T,), zero mean and unit deviation; zeros if it is unknown."""
    phase_confidence: np.float32
    """Confidence in `cycle` and its sign, 0 to 1."""


class Source(Protocol):
    """Interface of a kind of training data."""

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip."""
        ...


class Stills:
    """Labelled frames, repeated or squeezed about the ventricle's centre; every frame keeps its label."""

    def __init__(self, cines: ClipCines) -> None:
        """Take the labelled frames of cines."""
        self.cines = cines
        self.where = [(number, n) for number in range(len(cines)) for n in range(len(cines[number].marked))]
        """Number of the cine of each labelled frame, and its place among those of the cine."""

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip; the ventricle only shrinks, as from ED, or only grows, as from ES.

        Raises:
            DataError: If the cine cannot be read.
            VideoError: If the cine is damaged.
        """
        number, n = self.where[int(rng.integers(len(self.where)))]
        cine = self.cines[number]
        picture = self.cines.canvases(number, np.array([cine.marked[n]]))[0]
        mask = cine.label_canvas(n)
        t, big = config.frames, SUPERSAMPLING * size_px
        matrices = draw_placement(rng, t, big, config.geometry)
        period, start = rng.uniform(8, 50), rng.uniform(0, 2 * np.pi)
        depth = config.motion * rng.uniform() * (rng.uniform() < 0.85) * (1 if cine.phases[n] != "ES" else -0.7)
        squeeze = depth * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(t) / period + start))
        pull, centre = _pull_field(mask)
        frames, masks = np.empty((2, t, big, big), np.uint8)
        for i in range(t):
            x, y = sample_grid(matrices[i], big)
            if depth:
                near = np.float32(squeeze[i]) * cv2.remap(pull, x, y, cv2.INTER_LINEAR)
                x, y = x + near * (x - centre[0]), y + near * (y - centre[1])
            frames[i] = cv2.remap(picture, x, y, cv2.INTER_LINEAR)
            masks[i] = cv2.remap(mask, x, y, cv2.INTER_LINEAR)
        return finish_clip(rng, config, size_px, frames, masks, dict.fromkeys(range(t), ""), Cycle.unknown(t))


class Pairs:
    """Morphs between an ED and an ES still of one heart."""

    def __init__(self, hearts: Sequence[EdEsMorph]) -> None:
        """Take morphs on canvases."""
        self.hearts = hearts

    @classmethod
    def of(cls, cines: ClipCines) -> "Pairs | None":
        """Make morphs of the cines with one ED and one ES; None if there is none."""
        hearts = []
        for number in range(len(cines)):
            cine = cines[number]
            if sorted(cine.phases) != ["ED", "ES"]:
                continue
            order = [cine.phases.index("ED"), cine.phases.index("ES")]
            pictures = cines.canvases(number, np.array([cine.marked[n] for n in order]))
            masks = np.stack([cine.label_canvas(n) > 127 for n in order]).astype(np.uint8)
            with suppress(MeasurementError):  # a mask too small to have an axis
                hearts.append(EdEsMorph.from_stills(pictures, masks))
        return cls(hearts) if hearts else None

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip."""
        heart = self.hearts[int(rng.integers(len(self.hearts)))]
        if config.reshape:
            other = self.hearts[int(rng.integers(len(self.hearts)))]
            heart = heart.shaped_like(other, config.reshape * rng.uniform(*RESHAPE_RANGE))
        strength = rng.uniform(0.35, 1.15)
        _, volume, phases = choose_window(rng, Rhythm.draw(rng, BEATS, 60.0), 1.0, BEATS, config.frames)
        t, big = config.frames, SUPERSAMPLING * size_px
        matrices = draw_placement(rng, t, big, config.geometry)
        per_px = float(np.sqrt(abs(np.linalg.det(matrices[0, :, :2]))))
        frames, masks = np.empty((2, t, big, big), np.uint8)
        for i in range(t):
            frames[i], distance = heart.frame(strength * float(1 - volume[i]), *sample_grid(matrices[i], big))
            masks[i] = np.clip(127.5 + distance * (255 / per_px), 0, 255)
        return finish_clip(rng, config, size_px, frames, masks, phases)


class Videos:
    """Real cines with a few labelled frames, of which a clip reads those that it shows."""

    def __init__(self, cines: ClipCines) -> None:
        """Take cines of consecutive frames."""
        self.cines = cines

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip about a labelled frame; the first and the last frame of the cine are repeated beyond its ends.

        Raises:
            DataError: If the cine cannot be read.
            VideoError: If the cine is damaged.
        """
        number = int(rng.integers(len(self.cines)))
        cine = self.cines[number]
        t, big = config.frames, SUPERSAMPLING * size_px
        anchor = int(rng.choice(cine.marked))
        step = _step(rng, anchor, cine.marked, config)
        shown = np.rint(anchor + step * (np.arange(t) - rng.integers(t))).astype(int).clip(0, cine.frames - 1)
        canvases = self.cines.canvases(number, shown)
        where = {k: n for n, k in enumerate(cine.marked)}
        labels = {k: cine.label_canvas(where[k]) for k in sorted(set(shown.tolist()) & where.keys())}
        matrices = draw_placement(rng, 1, big, config.geometry)  # a real video already has the drift of its probe
        at = sample_grid(matrices[0], big)
        frames, masks = np.zeros((2, t, big, big), np.uint8)
        phases: dict[int, str] = {}
        for i, k in enumerate(shown.tolist()):
            frames[i] = cv2.remap(canvases[i], *at, cv2.INTER_LINEAR)
            if k in labels:
                masks[i] = cv2.remap(labels[k], *at, cv2.INTER_LINEAR)
                phases[i] = cine.phases[where[k]]
        edge = round((CANVAS - CANVAS / MARGIN) / 2)  # without the margin, as the cycle of the cine is estimated
        cycle = cine.cycle.clip(shown, canvases[:, edge:-edge, edge:-edge]) if cine.cycle else None
        return finish_clip(rng, config, size_px, frames, masks, phases, cycle)


def choose_window(
    rng: np.random.Generator, rhythm: Rhythm, beat_s: float, seconds: float, frames: int
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Choose T frames about an ED or ES; return their times and relative volumes, and the phases of ED and ES."""
    step = beat_s / np.exp(rng.uniform(*np.log(FRAMES_PER_BEAT)))
    times = np.arange(max(frames, int(seconds / step))) * step
    volume, beat = rhythm.at(times)
    phases = phase_frames(volume, beat)
    anchor = int(rng.choice(sorted(phases))) if phases else 0
    start = int(np.clip(anchor - rng.integers(frames), 0, len(times) - frames))
    stop = start + frames
    return times[start:stop], volume[start:stop], {f - start: p for f, p in phases.items() if start <= f < stop}


def _step(rng: np.random.Generator, anchor: int, labels: Sequence[int], config: ClipConfig) -> float:
    """Draw the step between frames, at most `config.stride`, such that the clip also meets the label nearest to the
    anchor."""
    stride = int(rng.integers(1, config.stride + 1))
    apart = min((abs(k - anchor) for k in labels if k != anchor), default=0)
    steps = int(np.ceil(apart / stride))
    return apart / steps if 0 < steps < config.frames else float(stride)


def finish_clip(
    rng: np.random.Generator,
    config: ClipConfig,
    size_px: int,
    frames: np.ndarray,
    masks: np.ndarray,
    phases: dict[int, str],
    cycle: Cycle | None = None,
) -> Clip:
    """Resample a clip to the network's size, degrade and augment its pictures, and keep labels of ED and ES.

    `cycle` is that of the clip, high at ED; None estimates it from the clip.
    """
    frames, masks = resample(frames, size_px, size_px), resample(masks, size_px, size_px)
    degraded, frames, masks = degrade(frames, masks, rng, config.ladder)
    labelled = np.isin(np.arange(len(frames)), list(phases))
    masks[~labelled] = 0
    if cycle is None:
        cycle = cycle_signal(frames).oriented(phases)
    masks, interpolated = interpolate_labels(masks, phases, cycle.signal)
    augmented = augment(degraded, rng, config.augment)
    return Clip(augmented, frames, masks, labelled, interpolated, cycle.signal, np.float32(cycle.confidence))


def _pull_field(mask: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return a weight, 1 in the cavity and falling to 0 outside, float32 (CANVAS, CANVAS), and its centre (x, y)."""
    outside = cv2.distanceTransform((mask < 128).astype(np.uint8), cv2.DIST_L2, 3)
    moments = cv2.moments(mask, binaryImage=True)
    area = max(moments["m00"], 1.0)
    reach = 0.6 * np.sqrt(area)
    return np.exp(-((outside / reach) ** 2)).astype(np.float32), (moments["m10"] / area, moments["m01"] / area)

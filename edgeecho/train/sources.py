"""Where training clips come from: stills set in motion, hearts between two stills, real videos, the phantom.

Every source gives labels at ED and ES alone (a still is one labelled frame that keeps its label when it is moved); what
lies between is for the temporal consistency loss. Chance comes from the generator that is passed in, so clip i of
step s is the same in every run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.preprocess import resample
from edgeecho.synthetic.ed_es_morph import BeatingHeart
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.rhythm import Rhythm, phase_frames
from edgeecho.train.augment import degrade
from edgeecho.train.config import ClipConfig
from edgeecho.train.cycle import cycle_signal, turn_by_labels
from edgeecho.train.geometry import draw_placement, look, to_canvas
from edgeecho.train.interpolate_labels import bridge

SUPERSAMPLING = 2
"""Clips are sampled this much finer than the network's frames, then brought down as any cine is."""
FRAMES_PER_BEAT = (5.0, 40.0)
"""Of made hearts, drawn evenly on a log scale."""
TOWARDS_ANOTHER = (-0.5, 1.0)
"""How far a heart goes to another's shape, or away from it: evenly between these, so that shapes and sizes keep their
variance (the mean of (1 - s)^2 + s^2 is 1), while all on the way between two would have less."""
BEATS = 4.0
"""Length of the cine, in beats, that a clip of a made heart is cut from."""


@dataclass(frozen=True, eq=False)
class Clip:
    """What a network learns from."""

    frames: np.ndarray
    """uint8 (T, S, S)."""
    clean: np.ndarray
    """The same before they were spoilt, which a teacher sees: uint8 (T, S, S)."""
    masks: np.ndarray
    """Soft masks 0 to 255, uint8 (T, S, S): labels, and what lies between them; 0 on all other frames."""
    labelled: np.ndarray
    """bool (T,)."""
    bridged: np.ndarray
    """Frames whose mask was drawn between an ED and an ES label, bool (T,)."""
    cycle: np.ndarray
    """Estimated cardiac cycle, high at ED, float32 (T,), zero mean and unit deviation; zeros where nothing is known."""
    trust: float
    """Confidence in `cycle`, 0 to 1."""


class Source(Protocol):
    """A kind of training data."""

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip."""
        ...


class Stills:
    """Labelled frames that stand still or are squeezed about the ventricle's centre; every frame keeps its label."""

    def __init__(self, canvases: np.ndarray, contracts: Sequence[bool]) -> None:
        """
        Args:
            canvases: Pictures, and masks as 0 or 255: uint8 (N, 2, CANVAS, CANVAS).
            contracts: Whether each may only shrink, as an ED frame does, or only grow.
        """
        self.canvases, self.contracts = canvases, contracts

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip."""
        k = int(rng.integers(len(self.canvases)))
        picture, mask = np.asarray(self.canvases[k])
        t, big = config.frames, SUPERSAMPLING * size_px
        matrices = draw_placement(rng, t, big, config.geometry)
        period, start = rng.uniform(8, 50), rng.uniform(0, 2 * np.pi)
        depth = config.motion * rng.uniform() * (rng.uniform() < 0.85) * (1 if self.contracts[k] else -0.7)
        squeeze = depth * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(t) / period + start))
        pull, centre = _pull_field(mask)
        frames, masks = np.empty((2, t, big, big), np.uint8)
        for i in range(t):
            x, y = look(matrices[i], big)
            if depth:
                near = np.float32(squeeze[i]) * cv2.remap(pull, x, y, cv2.INTER_LINEAR)
                x, y = x + near * (x - centre[0]), y + near * (y - centre[1])
            frames[i] = cv2.remap(picture, x, y, cv2.INTER_LINEAR)
            masks[i] = cv2.remap(mask, x, y, cv2.INTER_LINEAR)
        return _finish(rng, config, size_px, frames, masks, dict.fromkeys(range(t), ""), moves=False)


class Pairs:
    """Hearts that beat between an ED and an ES still."""

    def __init__(self, hearts: Sequence[BeatingHeart]) -> None:
        """
        Args:
            hearts: On canvases.
        """
        self.hearts = hearts

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip."""
        heart = self.hearts[int(rng.integers(len(self.hearts)))]
        if config.reshape:
            other = self.hearts[int(rng.integers(len(self.hearts)))]
            heart = heart.shaped_like(other, config.reshape * rng.uniform(*TOWARDS_ANOTHER))
        strength = rng.uniform(0.35, 1.15)
        _, volume, phases = _window(rng, Rhythm.draw(rng, BEATS, 60.0), 1.0, BEATS, config.frames)
        t, big = config.frames, SUPERSAMPLING * size_px
        matrices = draw_placement(rng, t, big, config.geometry)
        per_px = float(np.sqrt(abs(np.linalg.det(matrices[0, :, :2]))))
        frames, masks = np.empty((2, t, big, big), np.uint8)
        for i in range(t):
            frames[i], distance = heart.frame(strength * float(1 - volume[i]), *look(matrices[i], big))
            masks[i] = np.clip(127.5 + distance * (255 / per_px), 0, 255)
        return _finish(rng, config, size_px, frames, masks, phases)


class Videos:
    """Real cines with a few labelled frames, read when they are needed."""

    def __init__(self, items: Sequence[Item]) -> None:
        """
        Args:
            items: Cines that carry labels.
        """
        self.items = items

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip about a labelled frame; the cine stands still before its first frame and after its last.

        Raises:
            DataError: If the cine cannot be read.
            VideoError: If it is damaged or black.
        """
        cine = self.items[int(rng.integers(len(self.items)))].read()
        t, big = config.frames, SUPERSAMPLING * size_px
        marked = cine.marked
        anchor = int(rng.choice(marked))
        step = _step(rng, anchor, marked, config)
        shown = np.rint(anchor + step * (np.arange(t) - rng.integers(t))).astype(int).clip(0, len(cine.frames) - 1)
        canvases = to_canvas(cine.frames[shown], cine)
        labels = to_canvas(np.stack([cine.labels[k] * 255 for k in marked]), cine)
        where = {k: n for n, k in enumerate(marked)}
        matrices = draw_placement(rng, 1, big, config.geometry)  # the probe drifts by itself
        at = look(matrices[0], big)
        frames, masks = np.zeros((2, t, big, big), np.uint8)
        phases = {}
        for i, k in enumerate(shown.tolist()):
            frames[i] = cv2.remap(canvases[i], *at, cv2.INTER_LINEAR)
            if k in where:
                masks[i] = cv2.remap(labels[where[k]], *at, cv2.INTER_LINEAR)
                phases[i] = cine.phases.get(k, "")
        return _finish(rng, config, size_px, frames, masks, phases)


class Phantoms:
    """Drawn hearts, each clip of another one."""

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip."""
        heart = PhantomHeart(int(rng.integers(2**31, 2**32)))  # apart from the seeds of the data set
        beat_s = float(np.diff(heart.rhythm.r_waves_s).mean())
        times, _, phases = _window(rng, heart.rhythm, beat_s, heart.seconds, config.frames)
        pictures, cavities = heart.frames(times)
        cine = Cine(pictures, spacing_mm=heart.spacing_mm)
        canvases, labels = to_canvas(pictures, cine), to_canvas(cavities * 255, cine)
        big = SUPERSAMPLING * size_px
        matrices = draw_placement(rng, config.frames, big, config.geometry)
        frames, masks = np.empty((2, config.frames, big, big), np.uint8)
        for i, matrix in enumerate(matrices):
            at = look(matrix, big)
            frames[i] = cv2.remap(canvases[i], *at, cv2.INTER_LINEAR)
            masks[i] = cv2.remap(labels[i], *at, cv2.INTER_LINEAR)
        return _finish(rng, config, size_px, frames, masks, phases)


def _window(
    rng: np.random.Generator, rhythm: Rhythm, beat_s: float, seconds: float, frames: int
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Times of T frames about an ED or ES, the relative volume at each, and which of them are ED or ES."""
    step = beat_s / np.exp(rng.uniform(*np.log(FRAMES_PER_BEAT)))
    times = np.arange(max(frames, int(seconds / step))) * step
    volume, beat = rhythm.at(times)
    phases = phase_frames(volume, beat)
    anchor = int(rng.choice(sorted(phases))) if phases else 0
    start = int(np.clip(anchor - rng.integers(frames), 0, len(times) - frames))
    stop = start + frames
    return times[start:stop], volume[start:stop], {f - start: p for f, p in phases.items() if start <= f < stop}


def _step(rng: np.random.Generator, anchor: int, labels: list[int], config: ClipConfig) -> float:
    """Frames from one to the next, at most `config.stride`, such that the label nearest to the anchor is met too."""
    stride = int(rng.integers(1, config.stride + 1))
    apart = min((abs(k - anchor) for k in labels if k != anchor), default=0)
    steps = int(np.ceil(apart / stride))
    return apart / steps if 0 < steps < config.frames else float(stride)


def _finish(
    rng: np.random.Generator,
    config: ClipConfig,
    size_px: int,
    frames: np.ndarray,
    masks: np.ndarray,
    phases: dict[int, str],
    moves: bool = True,
) -> Clip:
    """Bring a clip to the network's size, estimate its cycle, spoil its pictures and keep labels of ED and ES only."""
    frames, masks = resample(frames, size_px, size_px), resample(masks, size_px, size_px)
    labelled = np.isin(np.arange(len(frames)), list(phases))
    masks[~labelled] = 0
    cycle, trust, bridged = np.zeros(len(frames), np.float32), 0.0, np.zeros(len(frames), bool)
    if moves:
        estimate = cycle_signal(frames)
        cycle, sure = turn_by_labels(estimate.signal, phases)
        trust = sure * estimate.confidence
        masks, bridged = bridge(masks, phases, cycle)
    return Clip(degrade(frames, rng, config.degrade), frames, masks, labelled, bridged, cycle, trust)


def _pull_field(mask: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Weight 1 in the cavity fading to 0 outside, float32 (CANVAS, CANVAS), and the cavity's centre (x, y)."""
    outside = cv2.distanceTransform((mask < 128).astype(np.uint8), cv2.DIST_L2, 3)
    moments = cv2.moments(mask, binaryImage=True)
    area = max(moments["m00"], 1.0)
    reach = 0.6 * np.sqrt(area)
    return np.exp(-((outside / reach) ** 2)).astype(np.float32), (moments["m10"] / area, moments["m01"] / area)

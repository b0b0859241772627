"""Source of training clips of drawn hearts: each clip shows another one, beating or standing still."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.population import POPULATIONS
from edgeecho.train.config import ClipConfig
from edgeecho.train.cycle import Cycle
from edgeecho.train.geometry import canvas_region, draw_placement, region_to_canvas, sample_grid
from edgeecho.train.sources import SUPERSAMPLING, Clip, choose_window, finish_clip

SHARE_AT_ENDS = 0.6
"""Share of the clips that stand still which show ED or ES; the others show any phase."""


class Phantoms:
    """Phantoms of the population `clips.population`; each clip shows another heart."""

    def clip(self, rng: np.random.Generator, config: ClipConfig, size_px: int) -> Clip:
        """Draw a clip with the labels of `clips.phantom_labels`, or one that stands still, with all frames labelled."""
        seed = int(rng.integers(2**31, 2**32))  # not one of the seeds of the phantom data sets
        heart = PhantomHeart(seed, population=POPULATIONS[config.population])
        if config.phantom_stills and rng.uniform() < config.phantom_stills:
            return _still(rng, config, size_px, heart)
        beat_s = float(np.diff(heart.rhythm.r_waves_s).mean())
        times, _, phases = choose_window(rng, heart.rhythm, beat_s, heart.seconds, config.frames)
        frames, masks = _draw(rng, config, size_px, heart, times)
        if config.phantom_labels == "all":
            return _labelled_clip(rng, config, size_px, frames, masks)
        return finish_clip(rng, config, size_px, frames, masks, phases)


def _still(rng: np.random.Generator, config: ClipConfig, size_px: int, heart: PhantomHeart) -> Clip:
    """Return a clip of one frame of a heart, repeated, as a still of a patient is shown to the network."""
    start, stop = heart.rhythm.r_waves_s[1:3]
    phase = rng.uniform()
    if rng.uniform() < SHARE_AT_ENDS:
        phase = float(rng.choice([0.0, heart.rhythm.systole]))
    clip = _labelled_clip(rng, config, size_px, *_draw(rng, config, size_px, heart, start + phase * (stop - start)))
    repeated = ("frames", "clean", "masks", "labelled", "interpolated", "cycle")
    values: dict[str, Any] = {name: np.repeat(getattr(clip, name), config.frames, axis=0) for name in repeated}
    return replace(clip, **values)


def _labelled_clip(
    rng: np.random.Generator, config: ClipConfig, size_px: int, frames: np.ndarray, masks: np.ndarray
) -> Clip:
    """Return a clip with a label on every frame, so that no cycle is estimated to teach the others."""
    t = len(frames)
    return finish_clip(rng, config, size_px, frames, masks, dict.fromkeys(range(t), ""), Cycle.unknown(t))


def _draw(
    rng: np.random.Generator, config: ClipConfig, size_px: int, heart: PhantomHeart, times_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw frames and soft masks of a heart at times (T,), uint8 (T, S, S), SUPERSAMPLING times finer than the clip."""
    times_s = np.atleast_1d(times_s)
    pictures, cavities = heart.frames(times_s)
    region = canvas_region(Cine(pictures, spacing_mm=heart.spacing_mm))
    canvases, labels = region_to_canvas(pictures, region), region_to_canvas(cavities * 255, region)
    big = SUPERSAMPLING * size_px
    frames, masks = np.empty((2, len(times_s), big, big), np.uint8)
    for i, matrix in enumerate(draw_placement(rng, len(times_s), big, config.geometry)):
        at = sample_grid(matrix, big)
        frames[i] = cv2.remap(canvases[i], *at, cv2.INTER_LINEAR)
        masks[i] = cv2.remap(labels[i], *at, cv2.INTER_LINEAR)
    return frames, masks

"""Share of the cavity's outline, and of the mitral valve, that can be seen in a picture of a drawn heart.

Experts outline no picture that does not show the wall and the valve, so a look that shows too little is drawn anew.
A border is visible if its bright side is brighter by more than `MIN_CONTRAST` grey levels and `MIN_DECIBELS`. Speckle
varies by 5.6 dB about its mean, whatever the compression, so grey levels alone do not tell whether it can be seen.
"""

from dataclasses import dataclass

import numpy as np

from edgeecho.synthetic.compression import DECIBEL, Compression
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.tissue_picture import wall_levels
from edgeecho.synthetic.tissues import Tissues

MIN_CONTRAST = 8.0
"""Least difference of the grey levels of both sides of a visible border."""
MIN_DECIBELS = 4.0
"""Least ratio of the echoes of both sides, in dB."""


@dataclass(frozen=True, eq=False)
class Settings:
    """Settings of a scanner from which, with the echo of a tissue, its grey level follows.

    Attributes:
        law: Compression of echoes.
        gain: Factor of the amplitude of tissue, (RANGES, BEAMS).
        noise: Power of haze and clutter, which is added to that of tissue, (RANGES, BEAMS).
        tone: Tone curve, uint8 (256,).
    """

    law: Compression
    gain: np.ndarray
    noise: np.ndarray
    tone: np.ndarray


def visible_share(screen: Screen, pose: Pose, tissues: Tissues, settings: Settings) -> float:
    """Return the share of the cavity's outline whose wall is brighter than the blood beside it, speckle apart.

    The wall is looked at in the middle of its inner layer, the blood a quarter of the way to the middle of the cavity.
    A part of the outline that lies outside the sector is not visible.
    """
    wall = pose.endo + tissues.inner_depth / 2 * (pose.epi - pose.endo)
    level = tissues.blood + tissues.inner * (wall_levels(pose, tissues) - tissues.blood)
    return _share(screen, settings, _middles(wall), level, _middles(_within(pose, pose.trabeculae)), tissues.blood)


def visible_valve(screen: Screen, pose: Pose, tissues: Tissues, settings: Settings) -> float:
    """Return the share of the mitral leaflets that are brighter than the blood of the ventricle beside them."""
    leaflets = np.concatenate(pose.leaflets[:2])
    level = np.full(len(leaflets), tissues.valve)
    return _share(screen, settings, leaflets, level, _within(pose, leaflets), tissues.blood)


def _share(
    screen: Screen, settings: Settings, bright: np.ndarray, levels: np.ndarray, dark: np.ndarray, level: float
) -> float:
    """Return the share of pairs of points, (N, 2) each, that lie in the sector and show a border between them."""
    sides = ((bright, levels), (dark, np.full(len(dark), level)))
    amplitudes, inside = [], np.ones(len(levels), bool)
    for points, grey in sides:
        column, row = np.clip(np.rint(screen.points_to_beams(points)), 0, (BEAMS - 1, RANGES - 1)).astype(int).T
        power = (settings.law.amplitude(grey) * settings.gain[row, column]) ** 2 + settings.noise[row, column]
        amplitudes.append(np.sqrt(power) + 1e-12)
        inside &= screen.holds(points)
    decibels = DECIBEL * np.log(amplitudes[0] / amplitudes[1])
    seen = [settings.tone[np.clip(settings.law.level(a), 0, 255).astype(int)].astype(float) for a in amplitudes]
    return float((inside & (seen[0] - seen[1] > MIN_CONTRAST) & (decibels > MIN_DECIBELS)).mean())


def _within(pose: Pose, points: np.ndarray) -> np.ndarray:
    """Return points moved by a quarter of the way to the middle of the cavity, (N, 2)."""
    return np.asarray(points + 0.25 * (pose.endo.mean(axis=0) - points))


def _middles(points: np.ndarray) -> np.ndarray:
    """Return the middles of the pieces of a line, (N - 1, 2)."""
    return np.asarray((points[1:] + points[:-1]) / 2)

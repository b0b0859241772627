"""Grey levels of the tissues of a drawn heart, drawn once for a cine."""

from dataclasses import dataclass

import numpy as np

from edgeecho.synthetic.outlines import SIDE


@dataclass(frozen=True, eq=False)
class Tissues:
    """Grey levels of tissues before gain and artefacts, 0 to 255."""

    blood: float
    atria: float
    """Grey level of blood in the atria."""
    septum: float
    lateral: float
    apex: float
    around: float
    atrial: float
    pericardium: float
    valve: float
    directional: float
    """Part of its level that a wall along the beam loses."""
    segments: np.ndarray
    """Factor of each segment of the wall, (2 * SIDE - 2,)."""
    pericardium_parts: np.ndarray
    """Factor of each part of the pericardium, (40,)."""
    trabeculae: float = 1.0
    """Contrast of the trabeculae to blood, as a part of that of the wall outside them."""
    muscle: float = 0.5
    """Contrast of the papillary muscles to blood, as a part of that of the lateral wall."""
    inner: float = 1.0
    """Contrast of the inner layer of the wall to blood, as a part of that of the layer outside it."""
    inner_depth: float = 0.5
    """Thickness of the inner layer, as a part of the wall."""
    border: float = 0.0
    """Grey levels by which the inner and the outer border of the wall are brighter where they lie across the beam."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Tissues":
        """Draw levels around those of CAMUS, with more spread."""
        blood = float(np.clip(rng.normal(40, 17), 0, 90))
        contrast = np.exp(rng.normal(0, 0.24))
        around = float(np.clip(rng.normal(108, 30), 5, 200))
        lateral = around * rng.uniform(0.6, 1.15) if rng.uniform() < 0.5 else blood + rng.normal(68, 28) * contrast
        apex = around * rng.uniform(0.6, 1.15) if rng.uniform() < 0.5 else blood + rng.normal(65, 28) * contrast
        segments = draw_segments(rng, (0.12, 0.14, 0.12), (0.35, 0.35, 0.2, 0.1), lateral_share=0.75, widest=0.12)
        parts = draw_pericardium_parts(rng, 0.35)
        return cls(
            blood=blood,
            atria=float(np.clip(blood + rng.normal(18, 18), 0, 130)),
            septum=blood + float(rng.normal(105, 25)) * contrast,
            lateral=float(max(lateral, blood + 4)),
            apex=float(max(apex, blood)),
            around=around,
            atrial=blood + float(rng.normal(75, 25)) * contrast,
            pericardium=float(rng.uniform(40, 230)),
            valve=blood + float(rng.normal(105, 40)) * contrast,
            directional=float(rng.uniform(0, 0.55)),
            segments=segments,
            pericardium_parts=np.clip(parts, 0.1, 1.5),
        )


def draw_segments(
    rng: np.random.Generator,
    spreads: tuple[float, float, float],
    dropouts: tuple[float, ...],
    lateral_share: float,
    widest: float,
) -> np.ndarray:
    """Draw the factor of each segment of the wall, (2 * SIDE - 2,): waves along it, and drop-outs.

    Args:
        rng: Random number generator.
        spreads: Standard deviations of the amplitudes of three waves, the longest first.
        dropouts: Probability of each number of drop-outs, from 0.
        lateral_share: Share of the drop-outs that lie in the lateral half.
        widest: Largest width of a drop-out, as a part of the wall.
    """
    wall = np.linspace(0, 2 * np.pi, 2 * SIDE - 2)
    waves = zip((1, 2.5, 5), spreads, strict=True)
    wave = sum(rng.normal(0, a) * np.sin(f * wall + rng.uniform(0, 6)) for f, a in waves)
    segments: np.ndarray = np.exp(np.asarray(wave))
    for _ in range(int(rng.choice(len(dropouts), p=dropouts))):
        at = rng.uniform(0.5, 1) if rng.uniform() < lateral_share else rng.uniform(0, 0.5)
        hole = np.exp(-(((wall / wall[-1] - at) / rng.uniform(0.03, widest)) ** 2))
        segments *= 1 - rng.uniform(0.3, 1) * hole
    return segments


def draw_pericardium_parts(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Draw the factor of each part of the pericardium, (40,), not clipped: waves of this spread about 0.75."""
    part = np.linspace(0, 1, 40)
    waves = sum(rng.normal() * np.sin(f * part * 6 + rng.uniform(0, 6)) for f in (1, 2, 4))
    return np.asarray(0.75 + spread * waves)

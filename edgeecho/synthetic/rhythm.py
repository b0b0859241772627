"""Rhythm of a synthetic heart: the volume over time of drawn and morphed cines."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Consecutive beats. ED is at each R wave; ES is at the end of systole."""

    r_waves_s: np.ndarray
    """Times of the R waves, at which beats begin and the last one ends, float64 (N + 1,), rising."""
    systole: float
    """Part of a beat in which the ventricle empties."""
    filling: float
    """Part of a beat in which the ventricle fills early."""
    kick: float
    """Part of the stroke volume that the atrium adds at the end of a beat."""

    @classmethod
    def draw(cls, rng: np.random.Generator, seconds: float, bpm: float, irregular: float = 0.05) -> "Rhythm":
        """Draw enough beats for `seconds`; the first one begins before time 0.

        Args:
            rng: Random number generator.
            seconds: Length in seconds.
            bpm: Mean heart rate in beats per minute.
            irregular: Largest deviation of the length of a beat, as a part of the mean.
        """
        mean = 60 / bpm
        count = int(np.ceil(seconds / mean / (1 - irregular))) + 2
        lengths = mean * (1 + irregular * rng.uniform(-1, 1, count))
        starts = np.concatenate([[0.0], np.cumsum(lengths)]) - rng.uniform(0, lengths[0])
        systole, filling, kick = (float(rng.uniform(*r)) for r in ((0.28, 0.4), (0.18, 0.25), (0.1, 0.3)))
        return cls(starts, systole, filling, kick)

    def at(self, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return relative volume (1 at ED, 0 at ES) and index of the beat, each of the shape of `time_s`."""
        phase, beat = self.phase(time_s)
        return relative_volume(phase, self.systole, self.filling, self.kick), beat

    def phase(self, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return phase (0 at the R wave to 1) and index of the beat, each of the shape of `time_s`."""
        beat = np.clip(np.searchsorted(self.r_waves_s, time_s, side="right") - 1, 0, len(self.r_waves_s) - 2)
        return (time_s - self.r_waves_s[beat]) / np.diff(self.r_waves_s)[beat], beat


def relative_volume(phase: np.ndarray, systole: float, filling: float, kick: float) -> np.ndarray:
    """Return the volume over a beat from R wave to R wave: 1 at ED, 0 at ES, early filling, diastasis, atrial kick."""
    early, late = rise(phase - systole, filling), rise(phase - 0.82, 0.18)
    return 1 - rise(phase, systole) + (1 - kick) * early + kick * late


def rise(time: np.ndarray, length: float) -> np.ndarray:
    """Return a rise from 0 to 1 in half a cosine that lasts `length`."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(time / length, 0, 1)))


def phase_frames(volume: np.ndarray, beat: np.ndarray, reach: int = 2) -> dict[int, str]:
    """Find the frames of ED (largest volume about an R wave) and ES (smallest of a beat) that lie within the cine.

    Args:
        volume: Relative volume, (T,).
        beat: Index of the beat of each frame, (T,), rising.
        reach: Largest number of frames between ED and the R wave.
    """
    phases: dict[int, str] = {}
    last = len(volume) - 1
    for number in range(int(beat[0]), int(beat[-1]) + 1):
        own = np.flatnonzero(beat == number)
        if not own.size:
            continue
        es = int(own[np.argmin(volume[own])])
        if 0 < es < last:
            phases[es] = "ES"
        start = int(own[0])
        if start > 0:
            near = range(max(0, start - reach), min(start + reach, last + 1))
            ed = max(near, key=lambda t: float(volume[t]))
            if 0 < ed < last:
                phases[ed] = "ED"
    return phases

"""How a made heart fills and empties: the volume over time of drawn and warped cines."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Rhythm:
    """A run of beats. ED is at each R wave; ES ends the systole of `systole_s` seconds."""

    r_waves_s: np.ndarray
    """float64 (N + 1,), rising: where beats begin; the last one ends there."""
    systole: float
    """Part of a beat in which the ventricle empties."""
    filling: float
    """Part of a beat in which it fills early."""
    kick: float
    """Part of the stroke volume that the atrium adds at the end of a beat."""

    @classmethod
    def draw(cls, rng: np.random.Generator, seconds: float, bpm: float, irregular: float = 0.05) -> "Rhythm":
        """Beats enough for `seconds`, the first one already under way at time 0.

        Args:
            rng: Source of chance.
            seconds: How long.
            bpm: Mean heart rate, beats a minute.
            irregular: Beats last 1 - this to 1 + this of the mean.
        """
        mean = 60 / bpm
        count = int(np.ceil(seconds / mean / (1 - irregular))) + 2
        lengths = mean * (1 + irregular * rng.uniform(-1, 1, count))
        starts = np.concatenate([[0.0], np.cumsum(lengths)]) - rng.uniform(0, lengths[0])
        systole, filling, kick = (float(rng.uniform(*r)) for r in ((0.28, 0.4), (0.18, 0.25), (0.1, 0.3)))
        return cls(starts, systole, filling, kick)

    def at(self, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Relative volume (1 at ED, 0 at ES) and the number of the beat, each of the shape of `time_s`."""
        phase, beat = self.phase(time_s)
        return relative_volume(phase, self.systole, self.filling, self.kick), beat

    def phase(self, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place in the beat, 0 at the R wave to 1, and the number of the beat, each of the shape of `time_s`."""
        beat = np.clip(np.searchsorted(self.r_waves_s, time_s, side="right") - 1, 0, len(self.r_waves_s) - 2)
        return (time_s - self.r_waves_s[beat]) / np.diff(self.r_waves_s)[beat], beat


def relative_volume(phase: np.ndarray, systole: float, filling: float, kick: float) -> np.ndarray:
    """Volume over a beat from R wave to R wave: 1 at ED, 0 at ES, early filling, diastasis, atrial kick."""
    early, late = rise(phase - systole, filling), rise(phase - 0.82, 0.18)
    return 1 - rise(phase, systole) + (1 - kick) * early + kick * late


def rise(time: np.ndarray, length: float) -> np.ndarray:
    """From 0 to 1 in half a cosine that lasts `length`."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(time / length, 0, 1)))


def phase_frames(volume: np.ndarray, beat: np.ndarray) -> dict[int, str]:
    """Frames of ED (largest volume about an R wave) and ES (smallest of a beat) whose extreme lies within the cine.

    Args:
        volume: Relative volume, (T,).
        beat: Number of the beat of each frame, (T,), rising.
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
            near = range(max(0, start - 2), min(start + 2, last + 1))
            ed = max(near, key=lambda t: float(volume[t]))
            if 0 < ed < last:
                phases[ed] = "ED"
    return phases

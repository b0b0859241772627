"""Compression of echoes to grey levels, and the amplitudes that tissues of given grey levels scatter with.

Grey levels are 0 to 255; an amplitude of 1 has the mean grey level 255. Speckle of unit amplitude sets the scale: its
mean, after the point spread, is the `reference` of a law.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

DECIBEL = 20 / np.log(10)
"""Decibels of a factor of e in amplitude."""


class Compression(Protocol):
    """A law from the magnitude of an echo to its grey level."""

    def amplitude(self, level: np.ndarray) -> np.ndarray:
        """Return the amplitude of tissue of a mean grey level, 0 to 255; float32 of the same shape."""
        ...

    def level(self, amplitude: np.ndarray) -> np.ndarray:
        """Return the mean grey level of tissue of an amplitude, the inverse of `amplitude`."""
        ...

    def reference(self, speckle: np.ndarray) -> float:
        """Return the mean compressed magnitude of speckle of amplitude 1, (H, W)."""
        ...

    def grey(self, magnitude: np.ndarray, reference: float) -> np.ndarray:
        """Return the grey level of magnitudes, float32 (H, W), not clipped."""
        ...


@dataclass(frozen=True)
class PowerLaw:
    """Grey level proportional to a power of the magnitude."""

    exponent: float

    def amplitude(self, level: np.ndarray) -> np.ndarray:
        """Return the amplitude of tissue of a mean grey level."""
        return np.asarray((level / 255).astype(np.float32) ** np.float32(1 / self.exponent))

    def level(self, amplitude: np.ndarray) -> np.ndarray:
        """Return the mean grey level of tissue of an amplitude."""
        return np.asarray(255 * amplitude**self.exponent)

    def reference(self, speckle: np.ndarray) -> float:
        """Return the mean power of speckle."""
        return float((speckle**self.exponent).mean())

    def grey(self, magnitude: np.ndarray, reference: float) -> np.ndarray:
        """Return the grey level of magnitudes."""
        grey = cv2.pow(magnitude, self.exponent)
        grey *= 255 / reference
        return np.asarray(grey)


@dataclass(frozen=True)
class LogLaw:
    """Grey level linear in decibels, from 0 at `range_db` below the brightest tissue, as scanners compress echoes."""

    range_db: float
    """Dynamic range in dB."""

    def amplitude(self, level: np.ndarray) -> np.ndarray:
        """Return the amplitude of tissue of a mean grey level."""
        decibels = (np.asarray(level, np.float32) / 255 - 1) * self.range_db
        return np.exp(decibels / np.float32(DECIBEL)).astype(np.float32)

    def level(self, amplitude: np.ndarray) -> np.ndarray:
        """Return the mean grey level of tissue of an amplitude."""
        return np.asarray(255 + 255 * DECIBEL / self.range_db * np.log(amplitude + 1e-12))

    def reference(self, speckle: np.ndarray) -> float:
        """Return the mean level of speckle in dB."""
        return float((DECIBEL * np.log(speckle + 1e-12)).mean())

    def grey(self, magnitude: np.ndarray, reference: float) -> np.ndarray:
        """Return the grey level of magnitudes."""
        grey = cv2.log(cv2.max(magnitude, 1e-6))
        grey *= 255 * DECIBEL / self.range_db
        grey += 255 - 255 * reference / self.range_db
        return np.asarray(grey)

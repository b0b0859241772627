"""Faults of the beams and of scan conversion: few scan lines, coarse samples, side lobes. They change the fan alone.

Arguments are those of the functions of `receiver.py`.
"""

import cv2
import numpy as np

from edgeecho.synthetic.degrade.receiver import in_fan
from edgeecho.synthetic.fan import Fan

FINE = 8
"""Number of narrow lines that are averaged into a beam."""
LINES_PER_SAMPLE = 0.75
"""Number of lines of a coarse picture as a part of its samples along a line."""
DYNAMIC_RANGE_DB = 60.0
"""Dynamic range of the grey scale: black is this much below white."""
LOBE_LINES = 96
"""Number of lines in which side lobes are computed."""
LOBE_ANGLES_DEG = (9.0, 16.0)
"""Range of the angle of the first side lobes to the main lobe, and of the second to the first."""
LOBE_WIDTH_DEG = 2.0
"""Standard deviation of a side lobe's angle."""
SECOND_LOBE_DB = 9.0
"""Level of the second side lobe below the first: -35.7 and -26.5 dB of an even aperture."""


def to_lines(frames: np.ndarray, fan: Fan, lines: int, samples: int) -> np.ndarray:
    """Convert the fan to scan lines about its top, each the mean of the part of the fan that it stands for.

    Args:
        frames: Grey frames, uint8 (T, H, W).
        fan: Fan of the frames.
        lines: Number of lines over the fan's angle.
        samples: Number of samples from the fan's top to its farthest pixel.

    Returns:
        Grey levels, float32 (T, samples, lines).
    """
    first, last = fan.angles
    angle = first + (np.arange(lines * FINE, dtype=np.float32)[None] + 0.5) * ((last - first) / (lines * FINE))
    radius = np.linspace(0, fan.reach, samples, dtype=np.float32)[:, None]
    column = (np.float32(fan.top[0]) + radius * np.sin(angle)).astype(np.float32)
    row = (np.float32(fan.top[1]) + radius * np.cos(angle)).astype(np.float32)
    out = np.empty((len(frames), samples, lines), np.float32)
    for index, frame in enumerate(frames):
        fine = cv2.remap(fan.extend(frame), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        out[index] = fine.reshape(samples, lines, FINE).mean(axis=2, dtype=np.float32)
    return out


def from_lines(lines: np.ndarray, fan: Fan, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Convert scan lines, float32 (T, samples, lines), to the screen: float32 (T, H, W), valid inside the fan."""
    _, samples, count = lines.shape
    first, last = fan.angles
    column = ((fan.angle - first) * (count / (last - first)) - 0.5).astype(np.float32)
    row = fan.depth * np.float32(samples - 1)
    shown = [cv2.remap(frame, column, row, interpolation, borderMode=cv2.BORDER_REPLICATE) for frame in lines]
    return np.stack(shown)


def few_lines(frames: np.ndarray, lines: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Average the fan along the angle into a number of scan lines, and interpolate between them as a scanner does."""
    fan = fan or Fan.of(frames)
    return in_fan(frames, fan, from_lines(to_lines(frames, fan, max(2, round(lines)), int(fan.reach) + 1), fan))


def coarse_scan(frames: np.ndarray, samples: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Show the nearest sample without interpolation, of lines with a number of samples each."""
    fan = fan or Fan.of(frames)
    count = max(4, round(samples))
    coarse = to_lines(frames, fan, max(4, round(LINES_PER_SAMPLE * count)), count)
    return in_fan(frames, fan, from_lines(coarse, fan, cv2.INTER_NEAREST))


def side_lobes(frames: np.ndarray, below_db: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Add what two side lobes on either side receive; the first has a wide wall `below_db` below the main lobe.

    Grey levels are taken as the logarithm of amplitude over `DYNAMIC_RANGE_DB`; amplitudes of the lobes are added. The
    directivity of an even aperture is a sinc function, whose first side lobe is at -13.3 dB one way, so at -26.5 dB for
    transmit and receive together. Apodisation lowers it; weak, missing and coarsely spaced elements raise it. The
    change is computed in lines and added to the sharp picture.
    """
    fan = fan or Fan.of(frames)
    lines = to_lines(frames, fan, LOBE_LINES, max(2, int(fan.reach / 2)))
    per_level = np.float32(DYNAMIC_RANGE_DB / 20 * np.log(10) / 255)
    echo = np.expm1(lines * per_level)
    kernel = _lobes(float(below_db), np.rad2deg(fan.angles[1] - fan.angles[0]) / LOBE_LINES, rng)
    ghost = np.stack([cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_CONSTANT) for frame in echo])
    louder = np.log1p(echo + ghost) / per_level - lines
    return in_fan(frames, fan, frames + from_lines(np.asarray(louder, np.float32), fan))


def _lobes(below_db: float, line_deg: float, rng: np.random.Generator) -> np.ndarray:
    """Return the amplitudes of the side lobes alone over lines of `line_deg` degrees, float32 (1, N)."""
    reach = min(LOBE_LINES // 2, int((2 * LOBE_ANGLES_DEG[1] + 3 * LOBE_WIDTH_DEG) / line_deg))
    angle = np.abs(np.arange(-reach, reach + 1) * line_deg)
    apart = rng.uniform(*LOBE_ANGLES_DEG)
    kernel = np.zeros_like(angle)
    for number, level in ((1, below_db), (2, below_db + SECOND_LOBE_DB)):
        lobe = np.exp(-(((angle - number * apart) / LOBE_WIDTH_DEG) ** 2) / 2)
        kernel += 10 ** (-level / 20) * lobe / (lobe.sum() / 2)  # on either side
    return np.asarray(kernel[None], np.float32)

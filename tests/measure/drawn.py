"""Ellipses of known volume, and area curves of beats."""

import numpy as np


def ellipse(length, half_width, *, shape=(300, 260), spacing=(1.0, 1.0), tilt=0.0, whole=False, up=False):
    """A half ellipse, flat side down, or with `whole` an ellipse of twice the length; mm; tilt in degrees."""
    rows, columns = np.indices(shape)
    y = (rows + 0.5 - shape[0] / 2) * spacing[0]
    x = (columns + 0.5 - shape[1] / 2) * spacing[1]
    angle = np.radians(tilt)
    u = (y * np.cos(angle) + x * np.sin(angle)) * (-1 if up else 1)
    v = x * np.cos(angle) - y * np.sin(angle)
    if not whole:
        u = u - length / 2
    inside = (u / length) ** 2 + (v / half_width) ** 2 <= 1
    return (inside if whole else inside & (u <= 0)).astype(np.uint8)


def half_ellipsoid_ml(length, half_width):
    return 2 / 3 * np.pi * length * half_width**2 / 1000


def ventricle(phase):
    """Relative area over a beat that starts at ED: contraction to 0.35, filling, diastasis, atrial kick."""
    phase = np.mod(phase, 1)
    filling = 0.4 * (1 - np.cos(np.pi * np.clip((phase - 0.35) / 0.22, 0, 1)))
    kick = 0.1 * (1 - np.cos(np.pi * np.clip((phase - 0.82) / 0.18, 0, 1)))
    return np.where(phase < 0.35, 0.5 + 0.5 * np.cos(np.pi * phase / 0.35), filling + kick)


def area_curve(fps, bpm, *, seconds=4.0, start=0.9, noise=0.0, drift=0.0, fall=0.35):
    phase = np.arange(int(seconds * fps)) / fps * bpm / 60 + start
    rng = np.random.default_rng(7)
    relative = ventricle(phase) + noise * rng.normal(size=len(phase)) + drift * phase
    return (5000 * (1 - fall + fall * relative)).astype(np.float32)

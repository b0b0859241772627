"""The cines of the comparison, drawn and read on this machine once, and handed to every processor as arrays."""

from pathlib import Path

import numpy as np

from edgeecho.cine import Cine

REAL, REAL_FRAMES = "sonosite", 12
"""The SonoSite cine inside pydicom, and its first frames, which show an ED and an ES. The same bits everywhere."""
DRAWN, DRAWN_FRAMES = "phantom", 20
"""A drawn heart, in whose frames every model finds two beats. Drawn in float, so its bits depend on the processor."""
SEED, REGION_PX = (7, 0, 3), 128


def write_cines(path: Path) -> None:
    """Write both cines into one file of arrays."""
    import pydicom

    from edgeecho.cine import read_cine
    from edgeecho.synthetic.phantom import PhantomHeart

    heart = PhantomHeart(SEED, REGION_PX)
    times = np.linspace(0, heart.seconds, DRAWN_FRAMES)
    drawn = Cine(heart.frames(times)[0], (DRAWN_FRAMES - 1) / times[-1], heart.spacing_mm)
    real = read_cine(pydicom.examples.get_path("ybr_color"))
    cines = {DRAWN: drawn, REAL: Cine(real.frames[:REAL_FRAMES], real.fps, real.spacing_mm)}
    arrays = {}
    for name, cine in cines.items():
        values = {"frames": cine.frames, "fps": cine.fps or np.nan, "spacing_mm": cine.spacing_mm or (np.nan, np.nan)}
        arrays |= {f"{name}.{key}": value for key, value in values.items()}
    np.savez(path, **arrays)


def read_cines(path: Path) -> dict[str, Cine]:
    """Read the cines by name; NaN stands for an unknown frame rate or spacing."""
    with np.load(path) as data:
        names = sorted({key.partition(".")[0] for key in data.files})
        return {name: _cine(*(data[f"{name}.{key}"] for key in ("frames", "fps", "spacing_mm"))) for name in names}


def _cine(frames: np.ndarray, fps: np.ndarray, spacing_mm: np.ndarray) -> Cine:
    known = None if np.isnan(spacing_mm).any() else (float(spacing_mm[0]), float(spacing_mm[1]))
    return Cine(frames, None if np.isnan(fps) else float(fps), known)

"""Results of a small drawn cine, without a network, and DICOM files that they may be of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.cine import Cine
from tests.cine.dicom_files import write

Figures = dict[str, Any]
FRAMES, HEIGHT, WIDTH = 12, 67, 90
PATIENT = {
    "PatientName": "Müller^Jane",
    "PatientID": "MRN-4711",
    "PatientBirthDate": "19500102",
    "PatientSex": "F",
    "StudyInstanceUID": "1.2.840.99999.1",
    "SeriesInstanceUID": "1.2.840.99999.1.2",
    "SOPInstanceUID": "1.2.840.99999.1.2.3",
    "StudyDate": "20260102",
    "StudyTime": "101112",
    "AccessionNumber": "ACC-0815",
    "ReferringPhysicianName": "Adler^Ada",
    "SpecificCharacterSet": "ISO_IR 192",
}
"""Header of the DICOM input."""


@pytest.fixture
def mask() -> np.ndarray:
    """A pulsating ellipse, uint8 (12, 67, 90); the last frame is empty."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    beat = 14 + 4 * np.cos(np.arange(FRAMES) * 2 * np.pi / 5)
    mask = np.stack([((x - 45) / r) ** 2 + ((y - 33) / 20) ** 2 < 1 for r in beat]).astype(np.uint8)
    mask[-1] = 0
    return mask


@pytest.fixture
def cine(rng: np.random.Generator, mask: np.ndarray) -> Cine:
    """A cine in which the ellipse is dark."""
    frames = np.where(mask > 0, 40, rng.integers(90, 200, mask.shape)).astype(np.uint8)
    return Cine(frames, fps=32.0, spacing_mm=(0.8, 0.9))


@pytest.fixture
def figures(mask: np.ndarray) -> Figures:
    """Figures of two beats, as NAME.json has them."""
    common = {"heart_rate_bpm": 71.5, "is_used": True, "reasons": []}
    beats = [
        {"ed_frame": 0, "es_frame": 2, "edv_ml": 121.5, "esv_ml": 52.25, "sv_ml": 69.25, "ef_percent": 57.0, **common},
        {"ed_frame": 5, "es_frame": 7, "edv_ml": 119.5, "esv_ml": 50.25, "sv_ml": 69.25, "ef_percent": 57.9, **common},
    ]
    return {
        "input": "clinic/loop.avi",
        "frames": FRAMES,
        "height": HEIGHT,
        "width": WIDTH,
        "fps": 32.0,
        "spacing_mm": [0.8, 0.9],
        "area_px": [float(a) for a in mask.sum(axis=(1, 2))],
        "ed_frames": [0, 5],
        "es_frames": [2, 7],
        "beats": beats,
        "ef_percent": 57.45,
        "ef_interval": [49.0, 64.0],
        "edv_ml": 120.5,
        "esv_ml": 51.25,
        "sv_ml": 69.25,
        "heart_rate_bpm": 71.5,
        "verdict": "review",
        "reasons": [{"code": "probe_moved", "level": "review", "text": "the probe moved"}],
        "quality": {"confidence": 0.9},
        "model": {
            "name": "cl_unet_edge",
            "sha256": "ab" * 32,
            "form": "clip",
            "precision": "int8",
            "runtime": "ort",
            "runtime_version": "1.32.0",
            "licence": "CC-BY-NC-SA-4.0",
        },
        "run": None,
    }


@pytest.fixture
def withheld(figures: Figures) -> Figures:
    """The same result with EF and volumes withheld."""
    return figures | {
        "ef_percent": None,
        "ef_interval": None,
        "edv_ml": None,
        "esv_ml": None,
        "sv_ml": None,
        "verdict": "withhold",
        "reasons": [{"code": "short_axis", "level": "withhold", "text": "this is probably a short axis"}],
    }


@pytest.fixture
def ultrasound(tmp_path: Path, cine: Cine) -> Callable[..., Path]:
    """Function that writes the cine as a DICOM file; arguments replace values of its header, None removes one."""

    def made(name: str = "us.dcm", **header: Any) -> Path:
        values = PATIENT | {"PixelSpacing": ["0.8", "0.9"], "FrameTime": "31.25"} | header
        return write(tmp_path / name, cine.frames, **{key: value for key, value in values.items() if value})

    return made

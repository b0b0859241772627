"""Drawn items of a data set and models with known mistakes, for tests."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.errors import VideoError
from edgeecho.evaluate import Scores, evaluate_items
from edgeecho.measure import measure
from edgeecho.runtime.segmentation import ModelInfo

SPACING = (0.5, 0.6)


def ventricle(size: float = 1.0, shape: tuple[int, int] = (96, 80)) -> np.ndarray:
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]]
    inside = ((row - 46) / (30 * size)) ** 2 + ((column - 40) / (16 * size)) ** 2 < 1
    return inside.astype(np.uint8)


def still(patient: str, phase: str, size: float, view: str = "4CH", **changes: Any) -> Item:
    mask = ventricle(size)
    values: dict[str, Any] = {"spacing_mm": SPACING, "labels": {0: mask}, "phases": {0: phase}, **changes}
    cine = Cine((mask * 200)[None], **values)
    return Item(f"{patient}_{view}_{phase}", patient, "val", view, lambda: cine, {"quality": "Good", "ef_percent": 50})


def stills(patients: int = 4, **changes: Any) -> list[Item]:
    return [
        still(f"p{n}", phase, size, **changes)
        for n in range(patients)
        for phase, size in (("ED", 1.0 - 0.02 * n), ("ES", 0.8 + 0.01 * n))
    ]


def beating(patient: str = "p0", fps: float | None = 30, dense: bool = False, frames: int = 90, **changes: Any) -> Item:
    """Item of one beat a second; ED at frame 30, ES at 45."""
    sizes = 0.9 + 0.1 * np.cos(2 * np.pi * np.arange(frames) / 30)
    masks = np.stack([ventricle(size) for size in sizes])
    labels = {i: masks[i] for i in (range(frames) if dense else (30, 45))}
    values: dict[str, Any] = {"fps": fps, "spacing_mm": SPACING, **changes}
    cine = Cine(masks * np.uint8(200), labels=labels, phases={30: "ED", 45: "ES"}, **values)
    return Item(patient, patient, "val", "4CH", lambda: cine)


def dense_cines(count: int) -> list[Item]:
    """Patients with a cine each, a reference mask on every frame."""
    return [beating(f"p{n}", dense=True) for n in range(count)]


class Model:
    """Model that outlines the drawn ventricle exactly, but for the mistake that it is given."""

    info = ModelInfo("drawn", "0" * 64, "clip", "fp32", "none", "0", "CC0-1.0")

    def __init__(self, mistake: Callable[[np.ndarray], np.ndarray] = lambda mask: mask) -> None:
        self.mistake = mistake

    def segment(self, cine: Cine, *, flip: str) -> Any:
        assert flip == "none"  # pictures of a data set are upright
        return answer(self.mistake((cine.frames > 100).astype(np.uint8)), cine)


def answer(mask: np.ndarray, cine: Cine) -> Any:
    """Segmentation of a predictor with this mask."""
    area = mask.sum(axis=(1, 2)).astype(np.float32)
    found = measure(mask, area, cine.fps, cine.spacing_mm)
    return SimpleNamespace(
        mask=mask,
        area_px=area,
        ed_frames=list(found.ed_frames),
        es_frames=list(found.es_frames),
        ef_percent=None,  # as if it was withheld
        measurement=found,
        warnings=[],
    )


def down(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, 2, axis=1)


def value(scores: Scores, topic: str, metric: str, phase: str = "all") -> float:
    figure = scores.figure(topic, metric, phase)
    assert figure is not None
    assert figure.value is not None
    return figure.value


def evaluate(items: list[Item], mistake: Callable[[np.ndarray], np.ndarray] = lambda mask: mask) -> Scores:
    return evaluate_items(Model(mistake), items, "drawn", "val")


def broken() -> Cine:
    raise VideoError("p2.avi: cut short\nafter 3 frames; copy it again")

"""CAMUS cines: every patient's ED and ES stills as a cine of several beats, with known masks on every frame.

No public data set labels every frame by hand; these are made, not recorded. The pictures and masks at ED and ES are
CAMUS's own; `edgeecho.synthetic.ed_es_morph` deforms them to the frames between. They carry the licence of CAMUS.
"""

import zlib
from functools import partial
from pathlib import Path

import numpy as np

from edgeecho.data.datasets.camus import Camus
from edgeecho.data.datasets.dataset import Item, ItemCine
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError, MeasurementError
from edgeecho.preprocess import resample
from edgeecho.synthetic.ed_es_morph import EdEsMorph
from edgeecho.synthetic.rhythm import Rhythm, phase_frames

SIDE_PX = 320
"""Longer side of a made frame."""
BEATS = 2.5
FPS, BPM = (20.0, 90.0), (45.0, 130.0)


class CamusCines:
    """A CAMUS folder with ED and ES stills; each patient and view with both is an item."""

    kind = "camus-cines"
    licence = Camus.licence

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: Folder as `Camus` takes it.

        Raises:
            DataError: If it holds no CAMUS.
        """
        self._camus = Camus(root)
        self.root, self.splits = root, self._camus.splits
        self.notes = ["Made from ED and ES stills: frames between them are pulled, not recorded."]

    def items(self, split: str) -> list[Item]:
        """Return an item for each patient and view, in the order of the stills."""
        stills: dict[tuple[str, str], list[Item]] = {}
        for item in self._camus.items(split):
            stills.setdefault((item.group, item.view), []).append(item)
        items = []
        for (group, view), of_view in stills.items():
            rng = np.random.default_rng(zlib.crc32(f"{group} {view}".encode()))
            fps, bpm = float(np.exp(rng.uniform(*np.log(FPS)))), float(rng.uniform(*BPM))
            frames = round(BEATS * 60 / bpm * fps)
            rhythm = Rhythm.draw(rng, frames / fps, bpm)
            about = {"fps": fps, "frames": frames, "labels": frames}
            stated = {k: v for k, v in of_view[0].metadata.items() if k in ("quality", "sex", "age")}
            name = f"{group}_{view}_cine"
            read = partial(_read, tuple(of_view), rhythm, fps, frames, name)
            files = tuple(file for item in of_view for file in item.files)
            items.append(Item(name, group, split, view, read, stated | about, files=files))
        return items

    def findings(self) -> list[Finding]:
        """Return the defects of the stills."""
        return self._camus.findings()


def _read(stills: tuple[Item, ...], rhythm: Rhythm, fps: float, frames: int, name: str) -> ItemCine:
    """Move the heart of two stills through a rhythm.

    Raises:
        DataError: If ED or ES is missing or they do not fit each other.
        VideoError: If a file is damaged.
    """
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    spacing = None
    for item in stills:
        cine = item.read()
        spacing = cine.spacing_mm
        found |= {phase: (cine.frames[k], cine.labels[k]) for k, phase in cine.phases.items() if k in cine.labels}
    if set(found) != {"ED", "ES"} or found["ED"][0].shape != found["ES"][0].shape:
        raise DataError(f"{name}: needs an ED and an ES still of one size, has {', '.join(sorted(found)) or 'none'}")
    images, masks = (np.stack([found[phase][k] for phase in ("ED", "ES")]) for k in (0, 1))
    height, width = images.shape[1:]
    scale = max(1.0, max(height, width) / SIDE_PX)
    rows, columns = round(height / scale), round(width / scale)
    masks = (resample(masks * 255, rows, columns) > 127).astype(np.uint8)
    try:
        heart = EdEsMorph.from_stills(resample(images, rows, columns), masks)
    except MeasurementError as error:
        raise DataError(f"{name}: {error}") from error
    y, x = np.indices((rows, columns), np.float32)
    volume, beat = rhythm.at(np.arange(frames) / fps)
    shown = [heart.frame(float(1 - v), x, y) for v in volume]
    return ItemCine(
        np.stack([picture for picture, _ in shown]),
        fps=fps,
        spacing_mm=spacing and (spacing[0] * height / rows, spacing[1] * width / columns),
        labels={k: (distance > 0).astype(np.uint8) for k, (_, distance) in enumerate(shown)},
        phases=phase_frames(volume, beat),
        name=name,
    )

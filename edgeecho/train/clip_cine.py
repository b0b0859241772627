"""`ClipCine`: a cine that training clips are cut from: its region of interest, its labels of ED and ES, and its cycle.

Clips are cut from canvases, the region of interest with a margin at one size (`geometry.py`). The part of a frame that
its canvas shows is kept in the frame's own pixels, or as the canvas if that is smaller. Both give the same canvas.
"""

import base64
import json
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from edgeecho.cine import Cine
from edgeecho.errors import DataError
from edgeecho.preprocess import Roi, crop
from edgeecho.train.cine_cycle import cine_cycle
from edgeecho.train.cycle import Cycle
from edgeecho.train.geometry import CANVAS, canvas_region, region_to_canvas


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipCine:
    """A cine of which clips are cut, without its pixels, which are read when a clip needs them."""

    name: str
    frames: int
    """T, number of frames."""
    height: int
    """Rows of a frame."""
    width: int
    """Columns of a frame."""
    region: Roi
    """Region that the canvases show, in pixels of the frame; it may extend beyond the frame."""
    marked: tuple[int, ...]
    """Labelled frames that are ED or ES, in order of time; all labelled frames if neither is marked."""
    phases: tuple[str, ...]
    """Phase of each marked frame: `ED`, `ES` or an empty text."""
    labels: tuple[bytes, ...]
    """Mask of each marked frame, 0 or 255, as `keep` returns it, compressed by zlib."""
    cycle: Cycle | None = None
    """Cardiac cycle of a filmed cine; None for stills."""
    seekable: bool = False
    """Whether some frames of its file can be read without the others."""

    @classmethod
    def of(cls, cine: Cine, *, filmed: bool = False) -> "ClipCine":
        """Take a cine with labels.

        Args:
            cine: Cine with its frames.
            filmed: Whether the frames are consecutive, so that they have a cardiac cycle.

        Raises:
            DataError: If no frame has a label.
            VideoError: If the cine is black.
        """
        marked = cine.marked
        if not marked:
            raise DataError(f"{cine.name}: no labelled frame; see `edgeecho data check`")
        count, height, width = cine.frames.shape
        bare = cls(
            name=cine.name,
            frames=count,
            height=height,
            width=width,
            region=canvas_region(cine),
            marked=tuple(marked),
            phases=tuple(cine.phases.get(k, "") for k in marked),
            labels=(),
        )
        masks = bare.keep(np.stack([cine.labels[k] * 255 for k in marked]))
        values = {each.name: getattr(bare, each.name) for each in fields(cls)}
        labels = tuple(zlib.compress(mask.tobytes()) for mask in masks)
        return cls(**values | {"labels": labels, "cycle": cine_cycle(cine) if filmed and count > 1 else None})

    @property
    def kept(self) -> Roi:
        """Part of the region that lies in the frame, in pixels of the frame."""
        y0, y1 = max(0, self.region.y), min(self.height, self.region.y + self.region.height)
        x0, x1 = max(0, self.region.x), min(self.width, self.region.x + self.region.width)
        return Roi(x0, y0, x1 - x0, y1 - y0)

    @property
    def is_kept_as_canvases(self) -> bool:
        """Whether a canvas has fewer pixels than the part of the frame that it shows."""
        return self.kept.height * self.kept.width > CANVAS * CANVAS

    @property
    def kept_shape(self) -> tuple[int, int, int]:
        """Shape of all frames as `keep` returns them, (T, h, w)."""
        if self.is_kept_as_canvases:
            return self.frames, CANVAS, CANVAS
        return self.frames, self.kept.height, self.kept.width

    def keep(self, frames: np.ndarray) -> np.ndarray:
        """Return the part of frames or masks, uint8 (N, H, W), that clips need: uint8 (N, h, w)."""
        if self.is_kept_as_canvases:
            return region_to_canvas(frames, self.region)
        return crop(frames, self.kept)

    def canvases(self, kept: np.ndarray) -> np.ndarray:
        """Return the canvases of frames or masks that `keep` returned, uint8 (N, CANVAS, CANVAS)."""
        if self.is_kept_as_canvases:
            return kept
        x, y = self.region.x - self.kept.x, self.region.y - self.kept.y
        return region_to_canvas(kept, Roi(x, y, self.region.width, self.region.height))

    def label_canvas(self, n: int) -> np.ndarray:
        """Return the mask of the marked frame of number `n` among them, 0 to 255, uint8 (CANVAS, CANVAS)."""
        kept = np.frombuffer(zlib.decompress(self.labels[n]), np.uint8)
        mask: np.ndarray = self.canvases(kept.reshape(1, *self.kept_shape[1:]))[0]
        return mask

    def to_json(self) -> str:
        """Return a text from which `from_json` makes the same cine."""
        labels = [base64.b64encode(label).decode() for label in self.labels]
        return json.dumps(asdict(self) | {"labels": labels, "cycle": self.cycle and _cycle_to_values(self.cycle)})

    @classmethod
    def from_json(cls, text: str) -> "ClipCine":
        """Read what `to_json` has written."""
        values = json.loads(text)
        lists = {key: tuple(values[key]) for key in ("marked", "phases")}
        lists["labels"] = tuple(base64.b64decode(label) for label in values["labels"])
        cycle = values["cycle"] and _cycle_from_values(values["cycle"])
        return cls(**values | lists | {"region": Roi(**values["region"]), "cycle": cycle})


def _cycle_to_values(cycle: Cycle) -> dict[str, Any]:
    """Return a cycle as JSON values."""
    curves = np.concatenate([cycle.signal[None], cycle.parts]).astype("<f4")
    numbers = {name: getattr(cycle, name) for name in ("confidence", "share", "sure")}
    return numbers | {"curves": base64.b64encode(curves.tobytes()).decode()}


def _cycle_from_values(values: dict[str, Any]) -> Cycle:
    """Read what `_cycle_to_values` has returned."""
    curves = np.frombuffer(base64.b64decode(values.pop("curves")), "<f4").reshape(5, -1)
    return Cycle(curves[0], parts=curves[1:], **values)

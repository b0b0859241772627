"""The record of a self-test, which every model file carries: what the file must answer to a drawn test cine.

The answers were computed when the file was exported; `edgeecho selftest` and the C library compute them again on the
processor at hand. Importing this module needs no NumPy, so that a file's record can be read at once.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

from edgeecho.errors import ModelFileError

KEY = "edgeecho_selftest"
"""Of a file's metadata."""
CINE = 1
"""Number of the test cine that `edgeecho.runtime.selftest_cine` draws."""
FRAMES, MAX_FRAMES = 6, 16
"""Frames of a record that is written, and the most that are read."""
MAX_LEVELS = 1
"""By how many grey levels of `prob` an fp32 file may differ on another processor, where a rounding falls otherwise."""
MIN_DICE = 0.98
"""Mask Dice of each frame that a file of an engine with roundings of its own keeps to (OpenVINO's int8, 16 bits)."""


@dataclass(frozen=True)
class FrameAnswer:
    """What a file answers to one frame of the test cine."""

    prob_sha256: str
    mask_sha256: str
    area_px: int
    """Pixels of the mask."""


@dataclass(frozen=True, eq=False)
class SelfTest:
    """What a file must answer to the test cine, and how nearly.

    The answer is right if every frame has the digests and the area (`max_levels` 0), or no value of `prob` differs from
    the reference by more than `max_levels`, or, where `min_dice` is given, the masks of every frame agree that well.
    """

    answers: tuple[FrameAnswer, ...]
    max_levels: int = 0
    """Grey levels of `prob` by which an answer may differ; 0 demands equality to the bit."""
    min_dice: float | None = None
    """Least Dice of the masks with the reference's; None where `prob` decides."""
    reference: bytes | None = None
    """`prob` that answers are compared with, T x S x S values of uint8; None where equality is demanded."""
    processors: str = "every processor"
    """Which processors give this answer, in words."""

    @property
    def tolerance(self) -> str:
        """How nearly an answer must agree, in words."""
        if self.min_dice is not None:
            return f"mask Dice {self.min_dice:g}"
        return f"{self.max_levels} level{'s' * (self.max_levels != 1)} of 255" if self.max_levels else "to the bit"

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        values: dict[str, Any] = {
            "cine": CINE,
            "frames": [[a.prob_sha256, a.mask_sha256, a.area_px] for a in self.answers],
            "max_levels": self.max_levels,
            "min_dice": self.min_dice,
            "processors": self.processors,
        }
        if self.reference is not None:
            packed = zlib.compress(self.reference, 9)
            values["reference"] = base64.b64encode(packed).decode()
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, size_px: int) -> "SelfTest":
        """Rebuild a record.

        Args:
            text: JSON of `to_json`.
            size_px: Side of the model's frames.

        Raises:
            ModelFileError: If the text is no record of a test cine that this EdgeEcho draws.
        """
        try:
            values = json.loads(text)
            if values["cine"] != CINE:
                raise ModelFileError(f"self-test with cine {values['cine']!r}, this EdgeEcho draws {CINE}; update it")
            answers = tuple(FrameAnswer(_hex(p), _hex(m), _count(area)) for p, m, area in values["frames"])
            levels, least, processors = _count(values["max_levels"]), values["min_dice"], str(values["processors"])
            if not 1 <= len(answers) <= MAX_FRAMES or levels > 255 or not (least is None or 0 < least <= 1):
                raise ValueError("a number out of its range")
            reference = None
            if levels or least is not None:
                reference = _unpacked(values["reference"], len(answers) * size_px * size_px)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, zlib.error) as error:
            raise ModelFileError(f"its self-test is damaged ({error}); export it again") from error
        return cls(answers, levels, None if least is None else float(least), reference, processors)


def _hex(value: str) -> str:
    if len(bytes.fromhex(value)) != 32:
        raise ValueError("no SHA-256")
    return value


def _count(value: int) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no count")
    return value


def _unpacked(text: str, size: int) -> bytes:
    """Bytes of a known number; no more memory is taken."""
    data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    if len(data) != size:
        raise ValueError("a reference of another size")
    return data

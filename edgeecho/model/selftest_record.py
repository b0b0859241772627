"""Record of a self-test, in every graph file: the right answers to a drawn test cine.

The answers were computed when the file was exported; `edgeecho selftest` and the C library compute them again on the
processor at hand. Importing this module needs no NumPy, so that a file's record can be read at once.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

from edgeecho.errors import ModelFileError
from edgeecho.model import strict_json

KEY = "edgeecho_selftest"
"""Key of the record in a file's metadata."""
CINE = 1
"""Number of the test cine that `edgeecho.runtime.selftest_cine` draws."""
FRAMES, MAX_FRAMES = 6, 16
"""Number of frames of a record that is written, and the largest number that is read."""
MAX_LEVELS = 1
"""Tolerance of fp32 files in grey levels of `prob`: processors round some values differently."""
MIN_DICE = 0.98
"""Tolerance of files whose engine rounds in its own way (OpenVINO in int8 and 16 bits): least mask Dice of a frame."""


@dataclass(frozen=True)
class FrameAnswer:
    """Right answer to one frame of the test cine."""

    prob_sha256: str
    mask_sha256: str
    area_px: int
    """Number of pixels of the mask."""


@dataclass(frozen=True, eq=False)
class SelfTest:
    """Right answers to the test cine, and their tolerance.

    An answer is right if every frame has the digests and the area (`max_levels` 0), or no value of `prob` differs from
    the reference by more than `max_levels`, or, where `min_dice` is given, the masks of every frame have that Dice.
    """

    answers: tuple[FrameAnswer, ...]
    max_levels: int = 0
    """Largest difference of `prob` in grey levels; 0 requires equal bits."""
    min_dice: float | None = None
    """Least Dice with the masks of the reference; None where `prob` is compared."""
    reference: bytes | None = None
    """`prob` that answers are compared with, T x S x S values of uint8; None where equal bits are required."""
    processors: str = "every processor"
    """Processors that compute this answer, in words."""

    @property
    def tolerance(self) -> str:
        """Tolerance of an answer, in words."""
        if self.min_dice is not None:
            return f"mask Dice {self.min_dice:g}"
        return f"{self.max_levels} level{'s' * (self.max_levels != 1)} of 255" if self.max_levels else "to the bit"

    def to_json(self) -> str:
        """Return one line of JSON with sorted keys."""
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
        """Read a record.

        Args:
            text: JSON that `to_json` wrote.
            size_px: Side of the model's frames.

        Raises:
            ModelFileError: If the text is no record of a test cine that this EdgeEcho draws.
        """
        try:
            values = strict_json.parse(text)
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
    """Decompress a known number of bytes, without taking more memory."""
    data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    if len(data) != size:
        raise ValueError("a reference of another size")
    return data

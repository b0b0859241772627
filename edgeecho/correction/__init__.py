"""Corrections by a person: ED and ES, beats left out, edited masks, and everything computed again from them."""

from edgeecho.correction.correct import correct, restore
from edgeecho.correction.correction import Correction, read_correction

__all__ = ["Correction", "correct", "read_correction", "restore"]

"""Cines: the frames of one loop with frame rate and spacing. Found in folders; one module a file format reads them."""

from edgeecho.cine.find import find_cines, natural_key
from edgeecho.cine.grey import MAX_SIDE_PX, MIN_SIDE_PX, to_grey
from edgeecho.cine.model import Cine, check_stated, require_side
from edgeecho.cine.read import read_cine

__all__ = [
    "MAX_SIDE_PX",
    "MIN_SIDE_PX",
    "Cine",
    "check_stated",
    "find_cines",
    "natural_key",
    "read_cine",
    "require_side",
    "to_grey",
]

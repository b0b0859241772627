"""Preprocessing: from frames of a cine to those of the network and back, by sector, region and resampling."""

from edgeecho.preprocess.flip import FLIP_AXES, check_flip, flip_images
from edgeecho.preprocess.region import Roi, check_roi, crop, find_roi
from edgeecho.preprocess.resample import axis_matrix, axis_weights, mask_from_network, resample, to_network
from edgeecho.preprocess.sector import find_sector

__all__ = [
    "FLIP_AXES",
    "Roi",
    "axis_matrix",
    "axis_weights",
    "check_flip",
    "check_roi",
    "crop",
    "find_roi",
    "find_sector",
    "flip_images",
    "mask_from_network",
    "resample",
    "to_network",
]

"""Preprocessing: from frames of a cine to those of the network and back, by fan, region, orientation and resampling."""

from edgeecho.preprocess.burnt_in import cover_text
from edgeecho.preprocess.fan import Fan, apex_side, find_fans, hull_of
from edgeecho.preprocess.grid import Grid
from edgeecho.preprocess.orientation import AUTO, FLIPS, UPRIGHT, Orientation, check_flip, flip_images, unflip_images
from edgeecho.preprocess.region import Roi, as_roi, check_roi, crop, fan_region, find_roi, whole_frame
from edgeecho.preprocess.resample import axis_matrix, axis_weights, mask_from_network, resample, to_network

__all__ = [
    "AUTO",
    "FLIPS",
    "UPRIGHT",
    "Fan",
    "Grid",
    "Orientation",
    "Roi",
    "apex_side",
    "as_roi",
    "axis_matrix",
    "axis_weights",
    "check_flip",
    "check_roi",
    "cover_text",
    "crop",
    "fan_region",
    "find_fans",
    "find_roi",
    "flip_images",
    "hull_of",
    "mask_from_network",
    "resample",
    "to_network",
    "unflip_images",
    "whole_frame",
]

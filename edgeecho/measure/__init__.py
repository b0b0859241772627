"""Area, length, volumes, beats, EF and heart rate from the masks of a cine, whole or frame by frame."""

from edgeecho.measure.beat_detector import Beat, BeatTracker
from edgeecho.measure.beat_meter import BeatMeasurement, BeatMeter, Measurement, measure
from edgeecho.measure.biplane import BiplaneMeasurement, View, measure_biplane
from edgeecho.measure.disc_volume import (
    Discs,
    area_length_volume_ml,
    area_mm2,
    biplane_volume,
    disc_volume,
    discs_of,
    length_mm,
    simpson_biplane_volume_ml,
    simpson_volume_ml,
)
from edgeecho.measure.long_axis import LongAxis, largest_component, long_axis
from edgeecho.measure.whole_curve import Cycle, find_beats, find_cycle

__all__ = [
    "Beat",
    "BeatMeasurement",
    "BeatMeter",
    "BeatTracker",
    "BiplaneMeasurement",
    "Cycle",
    "Discs",
    "LongAxis",
    "Measurement",
    "View",
    "area_length_volume_ml",
    "area_mm2",
    "biplane_volume",
    "disc_volume",
    "discs_of",
    "find_beats",
    "find_cycle",
    "largest_component",
    "length_mm",
    "long_axis",
    "measure",
    "measure_biplane",
    "simpson_biplane_volume_ml",
    "simpson_volume_ml",
]

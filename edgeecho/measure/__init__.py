"""Area, length, volumes, beats, EF and heart rate from the masks of a cine, whole or frame by frame."""

from edgeecho.measure.beat_detector import Beat, BeatTracker
from edgeecho.measure.beat_meter import COMMON_WARNINGS, BeatMeter, measure
from edgeecho.measure.biplane import (
    BiplaneMeasurement,
    View,
    biplane_volume,
    measure_biplane,
    pair_beats,
    simpson_biplane_volume_ml,
)
from edgeecho.measure.component import keep_largest, largest_component, outline
from edgeecho.measure.disc_volume import (
    Discs,
    area_length_volume_ml,
    area_mm2,
    disc_volume,
    discs_of,
    length_mm,
    simpson_volume_ml,
)
from edgeecho.measure.ejection_fraction import ef_percent
from edgeecho.measure.long_axis import LongAxis, long_axis
from edgeecho.measure.measurement import BeatMeasurement, Measurement
from edgeecho.measure.whole_curve import Cycle, find_beats, find_cycle

__all__ = [
    "COMMON_WARNINGS",
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
    "ef_percent",
    "find_beats",
    "find_cycle",
    "keep_largest",
    "largest_component",
    "length_mm",
    "long_axis",
    "measure",
    "measure_biplane",
    "outline",
    "pair_beats",
    "simpson_biplane_volume_ml",
    "simpson_volume_ml",
]

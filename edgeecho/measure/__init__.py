"""Area, length, volumes, beats, EF and heart rate from the masks of a cine."""

from edgeecho.measure.beats import Beat, Cycle, find_beats, find_cycle
from edgeecho.measure.discs import LongAxis, disc_volume, largest_component, long_axis, simpson_volume_ml
from edgeecho.measure.measurement import BeatMeasurement, Measurement, measure

__all__ = [
    "Beat",
    "BeatMeasurement",
    "Cycle",
    "LongAxis",
    "Measurement",
    "disc_volume",
    "find_beats",
    "find_cycle",
    "largest_component",
    "long_axis",
    "measure",
    "simpson_volume_ml",
]

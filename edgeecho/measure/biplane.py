"""Volumes and EF from a four-chamber and a two-chamber cine of the same patient."""

from dataclasses import dataclass

import numpy as np

from edgeecho.measure.beat_meter import FIGURES, BeatMeasurement, Height, Measurement, measure, median, spread
from edgeecho.measure.disc_volume import biplane_volume, discs_of

MAX_LENGTH_RATIO = 1.2
"""Lengths of the two views that differ by more say that one of them is foreshortened (Schiller 1989: 20%)."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One segmented cine."""

    mask: np.ndarray
    """uint8 {0, 1}, (T, H, W)."""
    area_px: np.ndarray
    """(T,)."""
    fps: float | None
    spacing_mm: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class BiplaneMeasurement:
    """What two views say together; a figure is the median over pairs of beats, None where there is none."""

    beats: tuple[BeatMeasurement, ...]
    """Frames are those of the four-chamber cine."""
    two_chamber_frames: tuple[tuple[int, int], ...]
    """ED and ES frame of each beat in the two-chamber cine."""
    ef_percent: float | None
    edv_ml: float | None
    esv_ml: float | None
    sv_ml: float | None
    heart_rate_bpm: float | None
    spread: dict[str, float | None]
    """As in `Measurement`."""
    four_chamber: Measurement
    two_chamber: Measurement
    warnings: tuple[str, ...]


def measure_biplane(four_chamber: View, two_chamber: View, *, disc_height: Height = "own") -> BiplaneMeasurement:
    """Measure by the biplane method of discs, as the guideline recommends (Lang 2015).

    The cines are not recorded at once: the first beat of one is taken with the first of the other, and so on. Needs the
    spacing of both, also for EF, since the two views share one length.

    Args:
        four_chamber: Apical four-chamber view.
        two_chamber: Apical two-chamber view.
        disc_height: `own`: in each phase the longer of the two views' lengths; `ed`: the longest of views and phases,
            as in CAMUS's code.

    Raises:
        ShapeError: If a mask and its areas do not fit each other.
        ConfigError: If a setting makes no sense.
    """
    views = (four_chamber, two_chamber)
    single = [measure(v.mask, v.area_px, v.fps, v.spacing_mm, disc_height=disc_height) for v in views]
    warnings = [f"{name}: {w}" for name, m in zip(("4CH", "2CH"), single, strict=True) for w in m.warnings]
    if any(view.spacing_mm is None for view in views):
        warnings.append("biplane needs the pixel spacing of both views: none computed")
    beats, frames = [], []
    for four, two in zip(single[0].beats, single[1].beats, strict=False):
        if any(view.spacing_mm is None for view in views):
            break
        pairs = [
            [discs_of(view.mask[frame], view.spacing_mm) for view, frame in zip(views, phase, strict=True)]
            for phase in ((four.ed_frame, two.ed_frame), (four.es_frame, two.es_frame))
        ]
        lengths = [max(d.length for d in pair) for pair in pairs]
        if any(max(d.length for d in p) > MAX_LENGTH_RATIO * min(d.length for d in p) for p in pairs):
            warnings.append("lengths of the two views differ by more than 20%: is one of them foreshortened?")
        if disc_height == "ed":
            lengths = [max(lengths)] * 2
        edv, esv = (biplane_volume(a, b, length) / 1000 for (a, b), length in zip(pairs, lengths, strict=True))
        if esv >= edv:
            warnings.append(f"beat at frame {four.ed_frame} left out: its volume does not fall from ED to ES")
            continue
        rate = median([four.heart_rate_bpm, two.heart_rate_bpm])
        ef = 100 * (edv - esv) / edv
        beats.append(BeatMeasurement(four.ed_frame, four.es_frame, edv, esv, ef, rate, edv - esv))
        frames.append((two.ed_frame, two.es_frame))
    figures = {name: [getattr(beat, name) for beat in beats] for name in FIGURES}
    return BiplaneMeasurement(
        beats=tuple(beats),
        two_chamber_frames=tuple(frames),
        four_chamber=single[0],
        two_chamber=single[1],
        spread={name: spread(values) for name, values in figures.items()},
        warnings=tuple(dict.fromkeys(warnings)),
        **{name: median(values) for name, values in figures.items()},
    )

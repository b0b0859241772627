"""Volumes and EF from a four-chamber and a two-chamber view of the same patient.

Biplane discs take the longer of the two lengths: Schiller NB et al., J Am Soc Echocardiogr 1989;2:358-367.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure.beat_meter import Height, measure
from edgeecho.measure.constants import DISCS
from edgeecho.measure.disc_volume import Discs, discs_of
from edgeecho.measure.measurement import BeatMeasurement, Figures, Measurement, measured_beat, median, summarize

MAX_LENGTH_RATIO = 1.1
"""Lengths of the two views that differ by more mean that one of them is foreshortened; Schiller 1989 allowed 20%."""
LENGTHS_DIFFER = "lengths of the two views differ by more than 10%: is one of them foreshortened?"


@dataclass(frozen=True, kw_only=True)
class View:
    """One segmented cine."""

    mask: np.ndarray
    """uint8 {0, 1}, (T, H, W)."""
    area_px: np.ndarray
    """Pixels of the mask per frame, (T,)."""
    fps: float | None
    spacing_mm: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class BiplaneMeasurement(Figures):
    """Beats and figures of the left ventricle from two views, over pairs of beats."""

    beats: tuple[BeatMeasurement, ...]
    """Frames are those of the four-chamber cine."""
    two_chamber_frames: tuple[tuple[int, int], ...]
    """ED and ES frame of each beat in the two-chamber cine."""
    four_chamber: Measurement
    two_chamber: Measurement
    warnings: tuple[str, ...]


def biplane_volume(four: Discs, two: Discs, length: float | None = None) -> float:
    """Biplane discs: V = pi/4 * sum(a_i b_i) * L / n, L the longer of the two lengths unless given."""
    longer = length or max(four.length, two.length)
    return float(np.pi / 4 * (four.diameters * two.diameters).sum() * longer / len(four.diameters))


def simpson_biplane_volume_ml(
    mask_4ch: np.ndarray,
    mask_2ch: np.ndarray,
    spacing_4ch_mm: tuple[float, float],
    spacing_2ch_mm: tuple[float, float] | None = None,
    *,
    n: int = DISCS,
    length_mm: float | None = None,
) -> float:
    """Volume by the biplane method of discs: V = pi/4 * sum(a_i b_i) * L / n.

    Args:
        mask_4ch: Four-chamber view, bool or uint8 {0, 1}, (H, W).
        mask_2ch: Two-chamber view in the same phase; its size may differ.
        spacing_4ch_mm: (row, column) millimetres per pixel.
        spacing_2ch_mm: None for the same as the four-chamber view's.
        n: Number of discs.
        length_mm: L, if not the longer of the two.

    Returns:
        Millilitres. Errors are those of `simpson_volume_ml`.
    """
    four, two = discs_of(mask_4ch, spacing_4ch_mm, n=n), discs_of(mask_2ch, spacing_2ch_mm or spacing_4ch_mm, n=n)
    return biplane_volume(four, two, length_mm) / 1000


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
    beats, frames, found = pair_beats(views, (single[0].beats, single[1].beats), disc_height=disc_height)
    medians, spread = summarize(beats)
    return BiplaneMeasurement(
        beats=tuple(beats),
        two_chamber_frames=tuple(frames),
        four_chamber=single[0],
        two_chamber=single[1],
        spread=spread,
        warnings=tuple(dict.fromkeys([*warnings, *found])),
        **medians,
    )


def pair_beats(
    views: tuple[View, View],
    beats: tuple[Sequence[BeatMeasurement], Sequence[BeatMeasurement]],
    *,
    disc_height: Height = "own",
) -> tuple[list[BeatMeasurement], list[tuple[int, int]], list[str]]:
    """Measure pairs of beats, the first of one view with the first of the other, and so on.

    Args:
        views: Four-chamber and two-chamber view.
        beats: Beats of each, of which ED, ES and heart rate are taken.
        disc_height: As `measure_biplane` takes it.

    Returns:
        Beats with biplane figures and the frames of the four-chamber view, ED and ES of each in the two-chamber view,
        and warnings.
    """
    warnings, made, frames = list[str](), list[BeatMeasurement](), list[tuple[int, int]]()
    if any(view.spacing_mm is None for view in views):
        return made, frames, ["biplane needs the pixel spacing of both views: none computed"]
    for four, two in zip(*beats, strict=False):
        pairs = [
            [discs_of(view.mask[frame], view.spacing_mm) for view, frame in zip(views, phase, strict=True)]
            for phase in ((four.ed_frame, two.ed_frame), (four.es_frame, two.es_frame))
        ]
        if any(max(d.length for d in p) > MAX_LENGTH_RATIO * min(d.length for d in p) for p in pairs):
            warnings.append(LENGTHS_DIFFER)
        length = max(d.length for pair in pairs for d in pair) if disc_height == "ed" else None
        edv, esv = (biplane_volume(a, b, length) for a, b in pairs)
        rate = median([four.heart_rate_bpm, two.heart_rate_bpm])
        try:
            made.append(measured_beat((four.ed_frame, four.es_frame), (edv, esv), rate, has_spacing=True))
        except MeasurementError as error:
            warnings.append(f"beat at frame {four.ed_frame} left out: {error}")
            continue
        frames.append((two.ed_frame, two.es_frame))
    return made, frames, list(dict.fromkeys(warnings))

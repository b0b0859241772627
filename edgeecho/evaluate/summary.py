"""Figures of an evaluation, as papers print them, from scored items."""

from dataclasses import replace

from edgeecho.errors import DataError
from edgeecho.evaluate.figures import Figure, FigureTable, mean
from edgeecho.evaluate.patients import PatientScore, score_biplane
from edgeecho.evaluate.video import TimeScore, VideoScore
from edgeecho.metrics import (
    ATTRIBUTES,
    CAMUS_TRAINING,
    MIN_CINES,
    Population,
    Thresholds,
    derive_bounds,
    derive_thresholds,
    temporal_consistency,
)

PHASES = ("ED", "ES", "other", "all")
MIN_REFERENCES = 20
"""Fewest reference masks from which the bounds of a population are derived."""


def summarize(videos: list[VideoScore], patients: list[PatientScore], populations: list[Population]) -> list[Figure]:
    """Compute every figure with its interval.

    Args:
        videos: Scored items.
        patients: Scores of `score_patients`.
        populations: Populations of `find_populations`.
    """
    table = FigureTable(video.group for video in videos)
    for phase in PHASES:
        _add_overlap(table, videos, phase)
    _add_quality(table, videos)
    _add_volumes(table, patients, "")
    _add_volumes(table, score_biplane(videos), "_biplane")
    _add_beats(table, patients)
    cines = [(video, video.time) for video in videos if video.time]
    _add_frames(table, cines)
    _add_time(table, cines)
    for population in populations:
        _add_consistency(table, cines, population)
    return table.build()


def find_populations(
    videos: list[VideoScore], source: str, stored: Thresholds | None = None
) -> tuple[list[Population], list[str]]:
    """Find the populations that temporal consistency is measured against, for cines in mm and for cines in pixels.

    Bounds in mm are those of CAMUS; bounds in pixels depend on how the frames were cut, so they are derived from the
    reference masks of the videos themselves, if all have one size. Thresholds are derived from the split where it has
    20 cines of a band of frame rates with reference masks on consecutive frames; elsewhere stored ones are used, in
    pixels too, since they are in units of the population's range.

    Args:
        videos: Scored items.
        source: Data set and split, for the derivation.
        stored: Thresholds for a split that none can be derived from; None takes the package's own.

    Returns:
        The populations, and a sentence on each figure that is not possible.
    """
    populations: list[Population] = []
    notes: list[str] = []
    for unit in ("mm", "px"):
        of_unit = [video for video in videos if video.distance_unit == unit]
        cines = [video for video in of_unit if video.time]
        if not cines:
            continue
        population = CAMUS_TRAINING
        if unit == "px":
            references = [video.reference_attributes for video in of_unit]
            masks, sizes = sum(len(r["lv_area"]) for r in references), {(v.height, v.width) for v in of_unit}
            if masks < MIN_REFERENCES or len(sizes) > 1:
                notes.append(
                    f"No temporal consistency in pixels: its bounds need {MIN_REFERENCES} reference masks of one frame "
                    f"size, {source} has {masks} of {len(sizes)} sizes."
                )
                continue
            try:
                population = derive_bounds(references, unit, source)
            except DataError as error:
                notes.append(f"No temporal consistency in pixels: {error}.")
                continue
        dense = [(v.fps, v.time.reference_attributes) for v in cines if v.fps and v.time]
        sequences = [(fps, attributes) for fps, attributes in dense if attributes]
        try:
            thresholds = derive_thresholds(
                sequences, population.bounds, f"{source}; too strict if interpolated", MIN_CINES
            )
        except DataError:  # no such cines, or too few
            thresholds = stored or Thresholds.read()
        populations.append(replace(population, thresholds=thresholds))
        scored = sum(thresholds.at(v.fps) is not None for v in cines)
        if scored < len(cines):
            notes.append(
                f"{len(cines) - scored} of {len(cines)} cines have no frame rate, or one without thresholds of "
                f"consistency in {unit}: their inconsistent frames are not counted."
            )
    return populations, notes


def _add_overlap(table: FigureTable, videos: list[VideoScore], phase: str) -> None:
    for metric in ("dice", "iou"):
        means = [(v.group, mean(getattr(f.overlap, metric) for f in v.of(phase))) for v in videos]
        table.mean("overlap", f"{metric}_mean", phase, "", means)
    pooled = [(v.group, (f.overlap.intersection_px, f.overlap.union_px)) for v in videos for f in v.of(phase)]
    table.ratio("overlap", "dice_pooled", phase, "", pooled, lambda s: 2 * s[..., 0] / (s[..., 0] + s[..., 1]))
    table.ratio("overlap", "iou_pooled", phase, "", pooled, lambda s: s[..., 0] / s[..., 1])
    for unit in ("mm", "px"):
        of_unit = [video for video in videos if video.distance_unit == unit]
        for metric in ("hd95", "assd"):
            means = [(v.group, mean(getattr(f, metric) for f in v.of(phase))) for v in of_unit]
            table.mean("surface", f"{metric}_{unit}", phase, unit, means)


def _add_quality(table: FigureTable, videos: list[VideoScore]) -> None:
    for quality in sorted({video.quality for video in videos if video.quality is not None}):
        chosen = [video for video in videos if video.quality == quality]
        means = [(v.group, mean(f.overlap.dice for f in v.labelled)) for v in chosen]
        table.mean("quality", "dice_mean", quality, "", means)


def _add_volumes(table: FigureTable, patients: list[PatientScore], how: str) -> None:
    of = [(p.group, p.model, p.reference, p.clinical_ef_percent) for p in patients]
    table.agreement(f"edv{how}_masks", "mL", [(g, m.edv_ml, r.edv_ml) for g, m, r, _ in of])
    table.agreement(f"esv{how}_masks", "mL", [(g, m.esv_ml, r.esv_ml) for g, m, r, _ in of])
    table.agreement(f"ef{how}_masks", "points", [(g, m.ef_percent, r.ef_percent) for g, m, r, _ in of])
    table.agreement(f"ef{how}_clinical", "points", [(g, m.ef_percent, clinical) for g, m, _, clinical in of])
    table.agreement(f"ef{how}_floor", "points", [(g, r.ef_percent, clinical) for g, _, r, clinical in of])


def _add_beats(table: FigureTable, patients: list[PatientScore]) -> None:
    of = [(p.group, p.beats_ef_percent, p.reference.ef_percent, p.clinical_ef_percent) for p in patients]
    table.agreement("ef_beats_masks", "points", [(g, beats, masks) for g, beats, masks, _ in of])
    table.agreement("ef_beats_clinical", "points", [(g, beats, clinical) for g, beats, _, clinical in of])


def _add_frames(table: FigureTable, cines: list[tuple[VideoScore, TimeScore]]) -> None:
    for phase in ("ED", "ES"):
        errors = [(v, e) for v, t in cines for e in (t.ed_errors if phase == "ED" else t.es_errors)]
        found = [(v, error) for v, error in errors if error is not None]
        shares = [(v.group, 100.0 * (e is not None)) for v, e in errors]
        table.mean("phase_frames", "found", phase, "%", shares)
        table.mean("phase_frames", "mae", phase, "frames", [(v.group, abs(e)) for v, e in found])
        table.mean("phase_frames", "bias", phase, "frames", [(v.group, e) for v, e in found])
        table.mean("phase_frames", "mae_ms", phase, "ms", [(v.group, 1000 * abs(e) / v.fps) for v, e in found if v.fps])


def _add_time(table: FigureTable, cines: list[tuple[VideoScore, TimeScore]]) -> None:
    def add(metric: str, unit: str, values: list[float]) -> None:
        table.mean("time", metric, "all", unit, zip((v.group for v, _ in cines), values, strict=True))

    times = [time for _, time in cines]
    add("frame_to_frame_dice", "", [t.frame_to_frame_dice for t in times])
    add("frame_to_frame_dice_less_reference", "", [t.same_frames_dice - t.reference_frame_to_frame_dice for t in times])
    add("roughness", "1/s2", [t.roughness_per_s2 for t in times])
    add(
        "roughness_less_reference",
        "1/s2",
        [t.same_frames_roughness_per_s2 - t.reference_roughness_per_s2 for t in times],
    )
    add("roughness_over_reference", "", [t.roughness_over_reference for t in times])
    add("area_pearson_r", "", [t.area_pearson_r for t in times])
    add("area_mae", "%", [t.area_mae_percent for t in times])


def _add_consistency(table: FigureTable, cines: list[tuple[VideoScore, TimeScore]], population: Population) -> None:
    thresholds = population.thresholds
    found = [
        (v.group, temporal_consistency(t.attributes, population.bounds, thresholds.at(v.fps) if thresholds else None))
        for v, t in cines
        if v.distance_unit == population.unit
    ]
    topic = f"consistency_{population.unit}"
    for name in ATTRIBUTES:
        table.mean(topic, "max_error", name, "", [(g, c.max_error[name]) for g, c in found])
    for name in ATTRIBUTES:
        shares = [(g, 100 * c.inconsistent_frames[name]) for g, c in found if name in c.inconsistent_frames]
        table.mean(topic, "inconsistent_frames", name, "%", shares)
    measured = [(g, c.any_inconsistent) for g, c in found if c.any_inconsistent is not None]
    table.mean(topic, "inconsistent_frames", "all", "%", [(g, 100 * share) for g, share in measured])
    table.mean(topic, "inconsistent_cines", "all", "%", [(g, 100.0 * (share > 0)) for g, share in measured])
    table.mean(topic, "error_to_threshold", "all", "", [(g, c.error_to_threshold) for g, c in found])

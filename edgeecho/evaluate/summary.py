"""From scored items to the figures that papers print."""

from edgeecho.errors import DataError
from edgeecho.evaluate.figures import Figure, FigureTable, mean
from edgeecho.evaluate.patients import PatientScore
from edgeecho.evaluate.video import TimeScore, VideoScore
from edgeecho.metrics import (
    ATTRIBUTES,
    CAMUS_TRAINING,
    Population,
    derive_bounds,
    derive_thresholds,
    temporal_consistency,
)

PHASES = ("ED", "ES", "all")
MIN_REFERENCES = 20
"""Fewer reference masks do not show how far a population reaches."""


def summarize(videos: list[VideoScore], patients: list[PatientScore], populations: list[Population]) -> list[Figure]:
    """Every figure with its interval.

    Args:
        videos: Scored items.
        patients: Of `score_patients`.
        populations: Of `find_populations`.
    """
    table = FigureTable(video.group for video in videos)
    for phase in PHASES:
        _add_overlap(table, videos, phase)
    _add_quality(table, videos)
    _add_volumes(table, patients)
    cines = [(video, video.time) for video in videos if video.time]
    _add_frames(table, cines)
    _add_time(table, cines)
    for population in populations:
        _add_consistency(table, cines, population)
    return table.build()


def find_populations(videos: list[VideoScore], source: str) -> tuple[list[Population], list[str]]:
    """What temporal consistency is measured against, one for cines in mm and one for cines in pixels.

    Bounds in mm are those of CAMUS; bounds in pixels depend on how the frames were cut, so they are derived from the
    reference masks of the videos themselves, if all have one size. Thresholds are derived where the data set has
    reference masks on consecutive frames, and are not made up where it has none.

    Args:
        videos: Scored items.
        source: Data set and split, for the derivation.

    Returns:
        The populations, and a sentence on each thing that could not be derived.
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
        sequences = [v.time.reference_attributes for v in cines if v.time and v.time.reference_attributes]
        if sequences:
            population = derive_thresholds(sequences, population, f"{source}; too strict if they were interpolated")
        else:
            notes.append(f"No thresholds of consistency: {source} has no reference masks on consecutive frames.")
        populations.append(population)
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


def _add_volumes(table: FigureTable, patients: list[PatientScore]) -> None:
    table.agreement("edv_masks", "mL", [(p.group, p.model.edv_ml, p.reference.edv_ml) for p in patients])
    table.agreement("esv_masks", "mL", [(p.group, p.model.esv_ml, p.reference.esv_ml) for p in patients])
    table.agreement("ef_masks", "points", [(p.group, p.model.ef_percent, p.reference.ef_percent) for p in patients])
    table.agreement("ef_clinical", "points", [(p.group, p.model.ef_percent, p.clinical_ef_percent) for p in patients])
    table.agreement("ef_floor", "points", [(p.group, p.reference.ef_percent, p.clinical_ef_percent) for p in patients])
    table.agreement(
        "ef_beats_masks", "points", [(p.group, p.beats_ef_percent, p.reference.ef_percent) for p in patients]
    )
    table.agreement(
        "ef_beats_clinical", "points", [(p.group, p.beats_ef_percent, p.clinical_ef_percent) for p in patients]
    )


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


def _add_consistency(table: FigureTable, cines: list[tuple[VideoScore, TimeScore]], population: Population) -> None:
    chosen = [(v.group, t) for v, t in cines if v.distance_unit == population.unit]
    found = [(g, temporal_consistency(t.attributes, population.bounds, population.thresholds)) for g, t in chosen]
    topic = f"consistency_{population.unit}"
    for name in ATTRIBUTES:
        table.mean(topic, "max_error", name, "", [(g, c.max_error[name]) for g, c in found])
    for name in population.thresholds or ():
        shares = [(g, 100 * c.inconsistent_frames[name]) for g, c in found if name in c.inconsistent_frames]
        table.mean(topic, "inconsistent_frames", name, "%", shares)
    measured = [(g, c.any_inconsistent) for g, c in found if c.any_inconsistent is not None]
    table.mean(topic, "inconsistent_frames", "all", "%", [(g, 100 * share) for g, share in measured])
    table.mean(topic, "inconsistent_cines", "all", "%", [(g, 100.0 * (share > 0)) for g, share in measured])
    table.mean(topic, "error_to_threshold", "all", "", [(g, c.error_to_threshold) for g, c in found])

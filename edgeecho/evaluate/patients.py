"""Volumes and ejection fraction of each patient and view, from the frames that the data set marks as ED and ES."""

from collections.abc import Iterable
from dataclasses import dataclass

from edgeecho.evaluate.video import VideoScore
from edgeecho.measure.measurement import median


@dataclass(frozen=True)
class Volumes:
    """Of one patient and view, by single-plane discs."""

    edv_ml: float | None
    """None where spacing is unknown or the masks give no volume, as `esv_ml`."""
    esv_ml: float | None
    ef_percent: float | None
    """100 (EDV - ESV) / EDV; right without spacing too, if pixels are square."""


@dataclass(frozen=True)
class PatientScore:
    """One patient and view."""

    group: str
    view: str
    quality: str | None
    model: Volumes
    """From the model's masks of the labelled frames."""
    reference: Volumes
    """From the reference masks of the same frames."""
    clinical_ef_percent: float | None
    """As the data set states it."""
    beats_ef_percent: float | None
    """From the model's masks and the beats found in them, without labels; the median where several cines have one."""


def score_patients(videos: Iterable[VideoScore]) -> list[PatientScore]:
    """Join the stills of each patient and view; a cine that shows both ED and ES stands for itself.

    Several ED or ES frames of one such group give their median volume.

    Args:
        videos: Every item, in any order.

    Returns:
        By patient and view; those without a marked ED, a marked ES and a beat found have figures of None.
    """
    joined: dict[tuple[str, str, str], list[VideoScore]] = {}
    for video in videos:
        alone = bool(video.of("ED")) and bool(video.of("ES"))
        joined.setdefault((video.group, video.view, video.name if alone else ""), []).append(video)
    return [_score_patient(group, view, found) for (group, view, _), found in sorted(joined.items())]


def _score_patient(group: str, view: str, videos: list[VideoScore]) -> PatientScore:
    has_spacing = all(video.spacing_mm for video in videos)
    # cubic pixels of two items are the same only in frames of one size
    comparable = has_spacing or len({(v.height, v.width, v.spacing_mm is None) for v in videos}) == 1
    frames = {phase: [f for video in videos for f in video.of(phase)] for phase in ("ED", "ES")}
    model, reference = (
        _volumes(
            median([getattr(frame, kind) for frame in frames["ED"]]) if comparable else None,
            median([getattr(frame, kind) for frame in frames["ES"]]) if comparable else None,
            has_spacing,
        )
        for kind in ("volume", "reference_volume")
    )
    return PatientScore(
        group=group,
        view=view,
        quality=next((video.quality for video in videos if video.quality is not None), None),
        model=model,
        reference=reference,
        clinical_ef_percent=next((v.clinical_ef_percent for v in videos if v.clinical_ef_percent is not None), None),
        beats_ef_percent=median([video.time.ef_percent if video.time else None for video in videos]),
    )


def _volumes(edv: float | None, esv: float | None, has_spacing: bool) -> Volumes:
    ef = 100 * (edv - esv) / edv if edv and esv is not None else None
    return Volumes(edv if has_spacing else None, esv if has_spacing else None, ef)

"""Volumes and ejection fraction of each patient, from the frames that the data set marks as ED and ES."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from edgeecho.evaluate.video import VideoScore
from edgeecho.measure import Discs, biplane_volume, ef_percent
from edgeecho.measure.measurement import median

BIPLANE = "biplane"
"""Name that stands in place of a view."""
Masks = Literal["discs", "reference_discs"]
"""Attribute of `FrameScore`: discs of the model's mask, or of the reference mask."""
Joined = dict[tuple[str, str], list[list[VideoScore]]]
"""Items by patient and view: each cine that shows ED and ES in a list of its own, the stills of the view in one."""


@dataclass(frozen=True)
class Volumes:
    """Volumes and EF of one patient, by discs."""

    edv_ml: float | None
    """End-diastolic volume; None if spacing is unknown or a mask has no axis."""
    esv_ml: float | None
    """End-systolic volume; None if spacing is unknown or a mask has no axis."""
    ef_percent: float | None
    """100 (EDV - ESV) / EDV; right without spacing too, if pixels are square."""


@dataclass(frozen=True)
class PatientScore:
    """Score of one patient and view, or of one patient in two views."""

    group: str
    view: str
    """View, such as `4CH`, or `biplane`."""
    quality: str | None
    model: Volumes
    """Volumes of the model's masks of the labelled frames."""
    reference: Volumes
    """Volumes of the reference masks of the same frames."""
    clinical_ef_percent: float | None
    """EF that the data set states."""
    beats_ef_percent: float | None
    """EF of the model's masks and the beats found in them, without labels; the median where several cines have one."""


def score_patients(videos: Iterable[VideoScore]) -> list[PatientScore]:
    """Score patients in single views: the stills of each patient and view are joined; a cine with ED and ES is not.

    Several ED or ES frames of one such group give their median volume.

    Args:
        videos: Every item, in any order.

    Returns:
        By patient and view; those without a marked ED, a marked ES and a beat found have figures of None.
    """
    joined = _join(videos)
    return [_score_view(group, view, found) for (group, view), groups in sorted(joined.items()) for found in groups]


def score_biplane(videos: Iterable[VideoScore]) -> list[PatientScore]:
    """Score patients by biplane discs, if ED and ES are labelled in both apical views and spacing is known.

    Where several cines of a view have both, the first by name counts.

    Args:
        videos: Every item, in any order.

    Returns:
        By patient; a figure is None where a mask has no axis.
    """
    joined = _join(videos)
    found = []
    for group in sorted({group for group, _ in joined}):
        four, two = (_first_pair(joined.get((group, view), [])) for view in ("4CH", "2CH"))
        if four and two:
            model, reference = _biplane(four, two, "discs"), _biplane(four, two, "reference_discs")
            found.append(_patient(group, BIPLANE, [*four, *two], model, reference, None))
    return found


def _join(videos: Iterable[VideoScore]) -> Joined:
    found: dict[tuple[str, str, str], list[VideoScore]] = {}
    for video in videos:
        alone = bool(video.of("ED")) and bool(video.of("ES"))
        found.setdefault((video.group, video.view, video.name if alone else ""), []).append(video)
    joined: Joined = {}
    for (group, view, _), members in sorted(found.items(), key=lambda entry: entry[0]):
        joined.setdefault((group, view), []).append(members)
    return joined


def _first_pair(groups: list[list[VideoScore]]) -> list[VideoScore]:
    """Return the first group that has ED, ES and spacing."""
    for videos in groups:
        if all(any(v.of(phase) for v in videos) for phase in ("ED", "ES")) and all(v.spacing_mm for v in videos):
            return videos
    return []


def _biplane(four: list[VideoScore], two: list[VideoScore], masks: Masks) -> Volumes:
    """Compute biplane volumes, each phase with the longer of the two views' lengths, as `measure_biplane` does."""
    volumes = []
    for phase in ("ED", "ES"):
        a, b = (_discs(view, phase, masks)[0] for view in (four, two))
        volumes.append(biplane_volume(a, b) / 1000 if a and b else None)
    return _volumes(volumes[0], volumes[1], has_spacing=True)


def _score_view(group: str, view: str, videos: list[VideoScore]) -> PatientScore:
    has_spacing = all(video.spacing_mm for video in videos)
    # cubic pixels of two items are the same only in frames of one size
    comparable = has_spacing or len({(v.height, v.width, v.spacing_mm is None) for v in videos}) == 1

    def volumes(masks: Masks) -> Volumes:
        edv, esv = (
            median([d.volume() / 1000 if d else None for d in _discs(videos, phase, masks)]) if comparable else None
            for phase in ("ED", "ES")
        )
        return _volumes(edv, esv, has_spacing)

    beats = median([video.time.ef_percent if video.time else None for video in videos])
    return _patient(group, view, videos, volumes("discs"), volumes("reference_discs"), beats)


def _patient(
    group: str, view: str, videos: list[VideoScore], model: Volumes, reference: Volumes, beats: float | None
) -> PatientScore:
    return PatientScore(
        group=group,
        view=view,
        quality=next((video.quality for video in videos if video.quality is not None), None),
        model=model,
        reference=reference,
        clinical_ef_percent=next((v.clinical_ef_percent for v in videos if v.clinical_ef_percent is not None), None),
        beats_ef_percent=beats,
    )


def _discs(videos: list[VideoScore], phase: str, masks: Masks) -> list[Discs | None]:
    """Discs of every frame that is marked with a phase."""
    return [getattr(frame, masks) for video in videos for frame in video.of(phase)]


def _volumes(edv: float | None, esv: float | None, has_spacing: bool) -> Volumes:
    ef = ef_percent(edv, esv) if edv and esv is not None else None
    return Volumes(edv if has_spacing else None, esv if has_spacing else None, ef)

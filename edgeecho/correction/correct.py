"""A correction applied to a result: its files are written again, with what a person changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.batch.report import RUN_FILES
from edgeecho.batch.source import sha256_of
from edgeecho.cine import Cine, read_cine
from edgeecho.correction.correction import Correction
from edgeecho.correction.edited_mask import fill_outline
from edgeecho.correction.remeasure import CHOSEN, LEFT_OUT, remeasure
from edgeecho.dicom import remake_products
from edgeecho.dicom.corrected import require_products
from edgeecho.errors import DataError, EdgeEchoError
from edgeecho.measure import keep_largest
from edgeecho.preprocess import cover_text
from edgeecho.reasons import Reason
from edgeecho.report.results import rewrite_results
from edgeecho.report.stored import AUTOMATIC_ARRAYS, StoredResult

AUTOMATIC = "automatic"
"""Key of the figures before any correction; `AUTOMATIC_ARRAYS` are its masks."""


@dataclass(frozen=True)
class Corrected:
    """A corrected result."""

    stored: StoredResult
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    """Sentences for the user, such as that the video could not be made again."""


def correct(stored: StoredResult, correction: Correction) -> Corrected:
    """Apply a correction to a result, compute everything again, and write its files again.

    A further correction adds to the earlier ones; `restore` takes all of them back.

    Raises:
        DataError: If the correction is of another cine, is empty, or does not fit the result.
        MissingExtraError: If there are products beside the result and what writes them is not installed.
        OutputError: If a file cannot be written.
    """
    figures, mask = stored.figures, stored.mask.copy()
    _check(stored, correction)
    changed = _edit(mask, correction)
    automatic = _automatic(stored, changed)
    beats = _beats(figures, correction)
    accepted = set(figures.get("accepted", []))
    if correction.accepted:
        accepted |= {reason["code"] for reason in figures["reasons"]}
        accepted |= {code for beat in figures["beats"] for code in beat["reasons"]}
    again = remeasure(dict(figures) | {"beats": beats}, mask, [Reason[code.upper()] for code in accepted])
    before = figures.get(AUTOMATIC) or {key: value for key, value in figures.items() if key != "area_px"}
    chosen = [beat for beat in beats if beat.get("by_hand") == CHOSEN]
    again |= {
        "ed_frames": sorted({*before["ed_frames"], *(beat["ed_frame"] for beat in chosen)}),
        "es_frames": sorted({*before["es_frames"], *(beat["es_frame"] for beat in chosen)}),
        "accepted": sorted(accepted),
        "corrections": [*figures.get("corrections", []), *correction.in_words()],
        "corrected_frames": sorted({*figures.get("corrected_frames", []), *changed}),
        AUTOMATIC: before,
    }
    return _write(stored, again, mask, automatic)


def restore(stored: StoredResult) -> Corrected:
    """Take every correction of a result back.

    Raises:
        DataError: If the result was not corrected.
        OutputError: If a file cannot be written.
    """
    if AUTOMATIC not in stored.figures:
        raise DataError(f"{stored.json_path}: was not corrected; there is nothing to take back")
    mask = stored.mask.copy()
    for frame, automatic in stored.automatic_masks.items():
        mask[frame] = automatic
    figures = stored.figures[AUTOMATIC] | {"area_px": mask.sum(axis=(1, 2), dtype=np.float32).tolist()}
    return _write(stored, figures, mask, {})


def _check(stored: StoredResult, correction: Correction) -> None:
    figures, path = stored.figures, stored.json_path
    known = (figures.get("run") or {}).get("input_sha256")
    if correction.input_sha256 and known and correction.input_sha256 != known:
        raise DataError(f"{path}: the correction is of another cine; apply it to the result whose page saved it")
    if correction.is_empty:
        raise DataError(f"{path}: nothing to correct; give --ed and --es, --exclude-beat, --mask, --accept or --apply")
    if (correction.ed_frame is None) != (correction.es_frame is None) or (
        correction.ed_frame is not None and correction.ed_frame == correction.es_frame
    ):
        raise DataError(
            f"{path}: give ED and ES together, as two frames; got {correction.ed_frame} and {correction.es_frame}"
        )
    frames = [*correction.outlines, *correction.masks, correction.ed_frame, correction.es_frame]
    beyond = [frame for frame in frames if frame is not None and not 0 <= frame < figures["frames"]]
    if beyond:
        raise DataError(f"{path}: has frames 0 to {figures['frames'] - 1}, got frame {beyond[0]}")
    unknown = [beat for beat in correction.exclude_beats if not 1 <= beat <= len(figures["beats"])]
    if unknown:
        raise DataError(f"{path}: has {len(figures['beats'])} beats, numbered from 1; got beat {unknown[0]}")


def _edit(mask: np.ndarray, correction: Correction) -> list[int]:
    """Put the edited masks in, in place, each as one piece, and return the frames that differ now."""
    height, width = mask.shape[1:]
    edited = {frame: fill_outline(line, height, width) for frame, line in correction.outlines.items()}
    changed = []
    for frame, new in sorted((edited | dict(correction.masks)).items()):
        keep_largest(new)
        if not np.array_equal(mask[frame], new):
            mask[frame] = new
            changed.append(frame)
    return changed


def _automatic(stored: StoredResult, changed: list[int]) -> dict[str, np.ndarray]:
    """Return the arrays of the masks before any correction, of all frames that were ever changed."""
    kept = {frame: stored.mask[frame] for frame in changed} | stored.automatic_masks
    if not kept:
        return {}
    order = sorted(kept)
    arrays = (np.array(order, np.int32), np.stack([kept[frame] for frame in order]))
    return dict(zip(AUTOMATIC_ARRAYS, arrays, strict=True))


def _beats(figures: Mapping[str, Any], correction: Correction) -> list[dict[str, Any]]:
    """Return the beats with those left out marked, and the chosen one in its place."""
    beats = [dict(beat) for beat in figures["beats"]]
    for number in correction.exclude_beats:
        beats[number - 1] |= {"by_hand": LEFT_OUT, "is_used": False}
    if correction.ed_frame is None:
        return beats
    beats = [beat | {"by_hand": LEFT_OUT, "is_used": False} for beat in beats if beat.get("by_hand") != CHOSEN]
    rate = figures["heart_rate_bpm"]
    chosen = {"ed_frame": correction.ed_frame, "es_frame": correction.es_frame, "heart_rate_bpm": rate}
    beats.append(chosen | {"is_used": True, "reasons": [], "by_hand": CHOSEN})
    return sorted(beats, key=lambda beat: (beat["ed_frame"], beat["es_frame"]))


def _write(
    stored: StoredResult, figures: dict[str, Any], mask: np.ndarray, automatic: dict[str, np.ndarray]
) -> Corrected:
    require_products(stored.json_path)
    cine, note = _cine_of(stored)
    notes = [note] if note else []

    def remake(values: dict[str, Any]) -> None:
        _, removed = remake_products(stored.json_path, values, mask)
        notes.extend(f"{path.name}: cannot be made again, and was removed" for path in removed)

    files = rewrite_results(stored, figures, mask, automatic, cine, remake)
    if older := [name for name in RUN_FILES if stored.json_path.with_name(name).is_file()]:
        notes.append(
            f"{', '.join(older)}: still with the figures before; `edgeecho segment ... --resume` makes them again"
        )
    return Corrected(StoredResult.open(stored.json_path), tuple(files), tuple(notes))


def _cine_of(stored: StoredResult) -> tuple[Cine | None, str]:
    """Read the cine of a result for its video; None, and why, if it is not there or not the same any more."""
    run, path = stored.figures.get("run") or {}, Path(stored.figures["input"])
    if not stored.json_path.with_suffix(".webm").is_file():
        return None, ""
    reason = "it is not there any more"
    try:
        if path.exists() and sha256_of(path) == run.get("input_sha256"):
            spacing = stored.figures["spacing_mm"]
            cine = read_cine(path, fps=stored.figures["fps"], spacing_mm=spacing and tuple(spacing))
            if cine.frames.shape == stored.mask.shape:
                covered = run.get("text_covered", False)
                return (replace(cine, frames=cover_text(cine.frames, cine.spacing_mm)) if covered else cine), ""
        reason = "it has changed" if path.exists() else reason
    except EdgeEchoError as error:
        reason = str(error)
    return None, f"{path}: {reason}, so the video of the result was removed"

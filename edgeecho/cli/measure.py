"""`edgeecho measure`: a result corrected by a person, and everything computed again."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import MaxMemory, say
from edgeecho.errors import ConfigError


def measure(
    result: Annotated[Path, typer.Argument(help="NAME.json of a result that `edgeecho segment` wrote.")],
    ed: Annotated[int | None, typer.Option(help="Frame of end-diastole; with --es the beat that alone counts.")] = None,
    es: Annotated[int | None, typer.Option(help="Frame of end-systole.")] = None,
    exclude_beat: Annotated[list[int] | None, typer.Option(help="Beat to leave out, from 1; may be repeated.")] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(help="FRAME=FILE, the edited mask of a frame: PNG, NPZ, or JSON of LabelMe or COCO."),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="I looked at the outlines and take them as right.")] = False,
    apply: Annotated[Path | None, typer.Option(help="Correction that the page of the cine saved.")] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Take every correction back.")] = False,
    labels: Annotated[
        Path | None, typer.Option(help="Folder to which the corrected frames are added as training data (cine:DIR).")
    ] = None,
    max_memory: MaxMemory = None,
) -> None:
    """Correct a result by hand: ED and ES, beats, masks; figures, pictures and page are made again."""
    from edgeecho.correction import Correction, correct, read_correction
    from edgeecho.correction import restore as take_back
    from edgeecho.correction.edited_mask import read_edited_mask
    from edgeecho.correction.labels import add_labels
    from edgeecho.report.marks import verdict_in_words
    from edgeecho.report.stored import StoredResult

    stored = StoredResult.open(result)
    size = (stored.figures["height"], stored.figures["width"])
    given = read_correction(apply) if apply else Correction()
    given = replace(
        given,
        ed_frame=given.ed_frame if ed is None else ed,
        es_frame=given.es_frame if es is None else es,
        exclude_beats=tuple(dict.fromkeys([*given.exclude_beats, *(exclude_beat or [])])),
        masks={frame: read_edited_mask(path, *size) for frame, path in map(_frame_and_file, mask or [])},
        accepted=given.accepted or accept,
    )
    if restore and not given.is_empty:
        raise ConfigError("--restore takes every correction back; give it alone, then correct again")
    if restore or not (labels and given.is_empty):
        corrected = take_back(stored) if restore else correct(stored, given)
        stored = corrected.stored
        for note in corrected.notes:
            say(note)
    for line in stored.figures.get("corrections", []):
        say(line)
    if labels:
        say(add_labels(stored, labels))
    typer.echo(f"{stored.stem}: {verdict_in_words(stored.figures)} -> {stored.json_path}")


def _frame_and_file(given: str) -> tuple[int, Path]:
    frame, found, name = given.partition("=")
    if not found or not frame.strip().isdecimal():
        raise ConfigError(f"--mask takes FRAME=FILE, such as 12=frame12.png, got {given!r}")
    return int(frame), Path(name)

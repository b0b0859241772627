"""One cine of a run: read, segmented and written, or skipped, or reported as an error."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgeecho.batch.inputs import overwrites
from edgeecho.batch.settings import Settings, settings_sha256
from edgeecho.batch.source import local_copy, sha256_of
from edgeecho.batch.task import CineTask, Outcome
from edgeecho.cine import read_cine
from edgeecho.errors import EdgeEchoError, OutputError, VideoError
from edgeecho.report.results import RunIdentity, result_files, write_results
from edgeecho.runtime import CinePredictor

Progress = Callable[[int, int], None]


def segment_cine(
    predictor: CinePredictor, task: CineTask, settings: Settings, progress: Progress | None = None
) -> Outcome:
    """Segment one cine and write its results; a fault of the cine is an outcome with an error.

    Args:
        predictor: An opened model.
        task: The cine.
        settings: Settings of the run.
        progress: Called with frames done, and frames.
    """
    try:
        return _segment(predictor, task, settings, progress)
    except OutputError as error:
        return Outcome(task, error=_line(error), stops=True)  # the next cine would fail the same way
    except EdgeEchoError as error:
        return Outcome(task, error=_line(error if error.file else error.naming(Path(task.source))))


def _segment(predictor: CinePredictor, task: CineTask, settings: Settings, progress: Progress | None) -> Outcome:
    out = Path(settings.out)
    if overwrites(task, out):
        raise VideoError(f"{task.source}: its results would overwrite it; choose another --out", file=Path(task.source))
    with local_copy(task.source) as path:
        options = task.options
        identity = _identity(predictor, task, path)
        files = result_files(out, task.name, with_video=settings.write_video, with_page=settings.write_page)
        if settings.resume and identity and (figures := _stored(files, identity)):
            return Outcome(task, figures, tuple(map(str, files)), was_done=True)
        cine = read_cine(path, fps=options.fps, spacing_mm=options.spacing_mm)
        result = predictor.segment(cine, roi=options.roi, flip=options.flip, progress=progress)
        figures = write_results(files, task.source, cine, result, identity)
        return Outcome(task, figures, tuple(map(str, files)))


def _identity(predictor: CinePredictor, task: CineTask, path: Path) -> RunIdentity | None:
    """Return the digests of the cine and of the settings; None of what is no file, which `read_cine` reports."""
    if not path.exists():
        return None
    return RunIdentity(sha256_of(path), settings_sha256(asdict(predictor.info), task.options))


def _stored(files: list[Path], identity: RunIdentity) -> dict[str, Any] | None:
    """Return the figures of an earlier run of the same cine, model and settings; None if they are not all there."""
    if not all(file.is_file() for file in files):
        return None
    try:
        figures = json.loads(files[-1].read_bytes())
    except (OSError, ValueError):
        return None
    is_same = isinstance(figures, dict) and figures.get("run") == asdict(identity)
    return figures if is_same else None


def _line(error: EdgeEchoError) -> str:
    return " ".join(str(error).split())

"""One cine of a run: read, segmented and written, or skipped, or reported as an error."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.batch.inputs import overwrites
from edgeecho.batch.settings import CineOptions, Settings, settings_sha256
from edgeecho.batch.source import local_copy, sha256_of
from edgeecho.batch.task import CineTask, Outcome
from edgeecho.cine import Cine, read_cine
from edgeecho.dicom import PRODUCTS, Content, origin_of, product_files, write_products
from edgeecho.dicom.products import with_cine
from edgeecho.errors import DataError, EdgeEchoError, OutputError, VideoError
from edgeecho.files import read_regular
from edgeecho.memory import held_to_budget
from edgeecho.preprocess import cover_text
from edgeecho.report.figures_check import find_fault
from edgeecho.report.results import RunIdentity, result_files, write_results
from edgeecho.report.stored import StoredResult
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
        return Outcome(task, error=task.hide(_line(error)), stops=True)  # the next cine would fail the same way
    except EdgeEchoError as error:
        return Outcome(task, error=task.hide(_line(error if error.file else error.naming(Path(task.source)))))


def _segment(predictor: CinePredictor, task: CineTask, settings: Settings, progress: Progress | None) -> Outcome:
    out = Path(settings.out)
    if overwrites(task, out):
        raise VideoError(f"{task.source}: its results would overwrite it; choose another --out", file=Path(task.source))
    with local_copy(task.source) as path:
        options = task.options
        sha256 = sha256_of(path) if path.exists() else None  # `read_cine` reports what is no file
        identity = _identity(predictor, task, settings, sha256) if sha256 else None
        files = result_files(out, task.name, with_video=settings.write_video, with_page=settings.write_page)
        products = _Products(out, task.name, path, sha256, settings)
        if settings.resume and identity and (figures := _stored(files, identity)):
            if not all(file.is_file() for file in products.files):
                products.write(figures, StoredResult(files[-1], figures).mask, _shown(_read(path, options), settings))
            return Outcome(task, figures, _present(products.files, files), was_done=True)
        cine = _read(path, options)
        result = predictor.segment(cine, roi=options.roi, flip=options.flip, progress=progress)
        cine = _shown(cine, settings)
        figures = write_results(
            files, task.label, cine, result, identity, lambda figures: products.replace(figures, result.mask, cine)
        )
        return Outcome(task, figures, _present(products.files, files))


def _read(path: Path, options: CineOptions) -> Cine:
    roi = options.roi
    box = (roi.x, roi.y, roi.width, roi.height) if roi else None
    with held_to_budget():
        return read_cine(path, fps=options.fps, spacing_mm=options.spacing_mm, roi=box)


def _shown(cine: Cine, settings: Settings) -> Cine:
    """Return the cine with the frames that pictures may show."""
    return replace(cine, frames=cover_text(cine.frames, cine.spacing_mm)) if settings.blur_text else cine


class _Products:
    """Files of a cine for other software."""

    def __init__(self, out: Path, name: str, path: Path, sha256: str | None, settings: Settings) -> None:
        self._out, self._name = out, name
        self._origin = origin_of(path, sha256, settings.pseudonyms) if settings.products and sha256 else None
        self._kinds = with_cine(settings.products, self._origin) if self._origin else ()
        self.files = product_files(out, name, self._kinds)
        self._had_result = (out / f"{name}.json").exists()

    def replace(self, figures: dict[str, Any], mask: np.ndarray, cine: Cine) -> None:
        """Write the products, and remove those of an earlier result, which do not belong to the new one.

        The cine itself stays. Where there was no result, files with such names are not EdgeEcho's.
        """
        if self._had_result:
            for path in product_files(self._out, self._name, PRODUCTS.keys() - {"cine"}):
                path.unlink(missing_ok=True)
        self.write(figures, mask, cine)

    def write(self, figures: dict[str, Any], mask: np.ndarray, cine: Cine) -> None:
        """Write the products that are wanted."""
        if self._origin:
            write_products(self._out, self._name, self._kinds, Content(figures, mask, cine, self._origin))


def _identity(predictor: CinePredictor, task: CineTask, settings: Settings, sha256: str) -> RunIdentity:
    """Return the digests of the cine and of the settings; with pseudonyms, that of the cine needs the key."""
    if settings.pseudonyms:
        sha256 = settings.pseudonyms.digest("sha256", sha256)
    options = settings_sha256(asdict(predictor.info), task.options, blur_text=settings.blur_text)
    return RunIdentity(sha256, options, settings.blur_text)


def _present(products: list[Path], files: list[Path]) -> tuple[str, ...]:
    """Return the paths of the files that are there, NAME.json last."""
    return tuple(str(path) for path in (*products, *files) if path.is_file())


def _stored(files: list[Path], identity: RunIdentity) -> dict[str, Any] | None:
    """Return the figures of an earlier run of the same cine, model and settings; None if they are not all there.

    A result that a person corrected may lack its video: what the person did must not be lost for it.
    """
    if not files[0].is_file():
        return None
    try:
        figures = json.loads(read_regular(files[-1]))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(figures, dict) or figures.get("run") != asdict(identity):
        return None
    if fault := find_fault(figures):
        if figures.get("corrections"):
            raise DataError(f"{files[-1]}: was corrected, and `{fault}` makes no sense; move it away to segment again")
        return None
    return figures if figures.get("corrections") or all(file.is_file() for file in files) else None


def _line(error: EdgeEchoError) -> str:
    return " ".join(str(error).split())

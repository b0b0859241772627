"""Segmentation of files and folders: each input on its own, so that a bad one does not stop the rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeecho.cine import check_stated, find_cines, read_cine
from edgeecho.cine.result_files import SUFFIXES
from edgeecho.errors import EdgeEchoError, OutputError, VideoError
from edgeecho.preprocess import AUTO, Roi, check_flip
from edgeecho.runtime import CinePredictor, Segmentation


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """Settings that a user may give for all inputs.

    Raises:
        ConfigError: If a setting makes no sense for any input.
    """

    fps: float | None = None
    spacing_mm: tuple[float, float] | None = None
    roi: Roi | None = None
    flip: str | None = AUTO

    def __post_init__(self) -> None:
        check_stated(self.fps, self.spacing_mm)
        check_flip(self.flip)


@dataclass(frozen=True)
class Outcome:
    """Outcome of one input: a result and its files, or an error whose message names the input."""

    source: Path
    result: Segmentation | None = None
    files: tuple[Path, ...] = ()
    error: EdgeEchoError | None = None


def name_outputs(inputs: list[Path]) -> dict[Path, str]:
    """Return the name of each input's results: its own, with its folder's before it where two would be equal."""
    stems = {path: path.name.removesuffix(".gz").rpartition(".")[0] or path.name for path in inputs}
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path, stem in stems.items():
        name = stem if list(stems.values()).count(stem) == 1 else f"{path.absolute().parent.name}_{path.name}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[path] = name
    return names


def segment_files(
    predictor: CinePredictor,
    inputs: list[Path],
    out: Path,
    options: SegmentOptions,
    progress: Callable[[str, int, int], None],
) -> Iterator[Outcome]:
    """Segment cines, one after the other.

    Args:
        predictor: An opened model.
        inputs: Files and folders.
        out: Folder for the results; files in it are no inputs, unless they are named one by one.
        options: Settings for all inputs.
        progress: Called with an input's name, frames done, and frames.
    """
    from edgeecho.report.results import write_results

    named, results = {path.resolve() for path in inputs}, out.resolve()
    found = [p for p in find_cines(inputs) if p.resolve() in named or results not in p.resolve().parents]
    if not found:
        raise VideoError("no cine to segment: the inputs hold none outside the output folder")
    names = name_outputs(found)
    for path in found:
        try:
            progress(names[path], 0, 0)
            if path.resolve() in {results / f"{names[path]}{suffix}" for suffix in SUFFIXES}:
                raise VideoError(f"{path}: its results would overwrite it; choose another --out", file=path)
            cine = read_cine(path, fps=options.fps, spacing_mm=options.spacing_mm)
            result = predictor.segment(
                cine,
                roi=options.roi,
                flip=options.flip,
                progress=lambda done, total, name=names[path]: progress(name, done, total),  # type: ignore[misc]
            )
            yield Outcome(path, result, tuple(write_results(out, names[path], str(path), cine, result)))
        except OutputError:
            raise  # the next input would fail the same way
        except EdgeEchoError as error:
            yield Outcome(path, error=error.naming(path))

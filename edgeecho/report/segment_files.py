"""Segmenting files and folders: each input on its own, a bad one does not stop the rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeecho.cine import check_stated, find_cines, read_cine
from edgeecho.cine.result_files import SUFFIXES
from edgeecho.errors import EdgeEchoError, OutputError, VideoError
from edgeecho.preprocess import Roi
from edgeecho.runtime import Predictor, Segmentation
from edgeecho.runtime.predictor import check_flip


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """What a user may say about the inputs.

    Raises:
        ConfigError: If it makes no sense for any input.
    """

    fps: float | None = None
    spacing_mm: tuple[float, float] | None = None
    roi: Roi | None = None
    flip: str | None = None

    def __post_init__(self) -> None:
        check_stated(self.fps, self.spacing_mm)
        check_flip(self.flip)


@dataclass(frozen=True)
class Outcome:
    """One input's end: a result and where it is, or an error."""

    source: Path
    result: Segmentation | None = None
    files: tuple[Path, ...] = ()
    error: EdgeEchoError | None = None


def name_outputs(inputs: list[Path]) -> dict[Path, str]:
    """A name for each input's files: its own, with its folder's before it where two would be the same."""
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
    predictor: Predictor,
    inputs: list[Path],
    out: Path,
    options: SegmentOptions,
    progress: Callable[[str, int, int], None],
) -> Iterator[Outcome]:
    """Segment cines, one after the other.

    Args:
        predictor: The model.
        inputs: Files and folders.
        out: Folder for the results; what lies in it is not taken for a cine when an input folder is walked.
        options: What holds for all inputs.
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
                raise VideoError(f"{path}: its results would overwrite it; choose another --out")
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
            named_in = path.name in str(error)
            yield Outcome(path, error=error if named_in else type(error)(f"{path}: {error}"))

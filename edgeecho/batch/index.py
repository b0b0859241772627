"""The rows of a run's page, from the outcomes of its cines."""

from pathlib import Path

from edgeecho.batch.task import Outcome
from edgeecho.report.index_page import IndexRow
from edgeecho.report.stored import StoredResult

THUMBNAILS = ("thumbnail0", "thumbnail1")
"""Arrays of NAME.npz with ED and ES."""


def index_row(outcome: Outcome) -> IndexRow:
    """Return the row of a cine; its thumbnails are read from its files.

    Raises:
        DataError: If the files were removed or damaged meanwhile.
    """
    task, figures = outcome.task, outcome.figures
    if figures is None:
        return IndexRow(task.name, task.label, None, outcome.error)
    stored = StoredResult(Path(outcome.files[-1]), figures)
    pictures = [array.tobytes() for name in THUMBNAILS if (array := stored.array(name)) is not None]
    suffixes = {Path(file).suffix for file in outcome.files}
    kept = {key: value for key, value in figures.items() if key != "area_px"}
    return IndexRow(task.name, task.label, kept, "", pictures, ".html" in suffixes, ".webm" in suffixes)

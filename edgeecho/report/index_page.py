"""index.html: all cines of a run on one page, those that need a person first."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edgeecho.files import atomic
from edgeecho.model.spec import NOTICE
from edgeecho.names import printable
from edgeecho.report.marks import ef_of, reasons_of
from edgeecho.report.page.template import FOLDER, render
from edgeecho.report.pictures import data_uri
from edgeecho.report.stored import StoredResult

INDEX_NAME = "index.html"
ORDER = ("failed", "withhold", "review", "report")
"""Order of the rows, the worst first."""
MEANINGS = {
    "failed": "could not be read or segmented",
    "withhold": "no EF is given: the picture, the view or the beats do not allow one",
    "review": "look at the outlines before the figures are used",
    "report": "nothing speaks against the figures",
}
MAX_ROWS = 1000
"""Cines on the page; the table `results.csv` has all of them."""


@dataclass(frozen=True)
class IndexRow:
    """What the page needs of a cine."""

    name: str
    source: str
    figures: Mapping[str, Any] | None
    """Figures of the cine, None if it failed; their `area_px` is not needed."""
    error: str = ""
    stored: StoredResult | None = None
    """The result, of which the page takes the thumbnails; None for none."""
    has_page: bool = True
    has_video: bool = True

    @property
    def verdict(self) -> str:
        """One of `ORDER`."""
        return str(self.figures["verdict"]) if self.figures is not None else "failed"


@dataclass(frozen=True)
class PairRow:
    """Biplane figures of two cines of a study."""

    study: str
    names: tuple[str, str]
    """Names of the four-chamber and the two-chamber cine."""
    verdict: str
    figures: tuple[float | None, float | None, float | None]
    """EF, EDV and ESV."""
    what: str


def write_index_page(folder: Path, rows: Sequence[IndexRow], pairs: Sequence[PairRow] = ()) -> Path:
    """Write index.html and return its path.

    Raises:
        OutputError: If it cannot be written.
        DataError: If the files of a cine were removed or damaged meanwhile.
    """
    path = folder / INDEX_NAME
    text = render_index_page(rows, pairs)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def render_index_page(rows: Sequence[IndexRow], pairs: Sequence[PairRow] = ()) -> str:
    """Return the page of all cines as HTML."""
    counts = Counter(row.verdict for row in rows)
    ordered = sorted(rows, key=lambda row: ORDER.index(row.verdict))
    models = {row.figures["model"]["sha256"]: row.figures["model"] for row in rows if row.figures is not None}
    return render(
        "index.html",
        FOLDER,
        title=f"EdgeEcho: {len(rows)} cines",
        counts=[(verdict, counts[verdict], MEANINGS[verdict]) for verdict in ORDER if counts[verdict]],
        rows=[_cells(row) for row in ordered[:MAX_ROWS]],
        pairs=sorted(pairs, key=lambda pair: ORDER.index(pair.verdict)),
        missing=max(0, len(rows) - MAX_ROWS),
        models=list(models.values()),
        notice=NOTICE,
    )


def _cells(row: IndexRow) -> dict[str, Any]:
    name = printable(row.name)
    cells: dict[str, Any] = {"name": name, "source": printable(row.source), "verdict": row.verdict, "ef": None}
    address = quote(os.fsencode(row.name))
    cells |= {
        "pictures": [data_uri(jpeg) for jpeg in row.stored.thumbnails] if row.stored else [],
        "page": f"{address}.html" if row.has_page else None,
        "video": f"{address}.webm" if row.has_video else None,
    }
    if row.figures is None:
        return cells | {
            "page": None,
            "video": None,
            "words": "failed",
            "what": [printable(row.error.replace(row.source, Path(row.source).name))],
            "corrected": False,
        }
    figures = row.figures
    keys = ("edv_ml", "esv_ml", "heart_rate_bpm")
    return cells | {
        "ef": figures["ef_percent"],
        "interval": figures["ef_interval"],
        "words": ef_of(figures),
        "what": reasons_of(figures),
        "corrected": bool(figures.get("corrections")),
        **{key: figures[key] for key in keys},
    }

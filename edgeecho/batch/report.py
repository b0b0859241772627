"""Files about all cines of a run, written at its end: the table, the page, and biplane figures of pairs."""

import csv
import io
from pathlib import Path

from edgeecho.batch.pairs import Pair, PairResult, measure_pair
from edgeecho.batch.settings import Settings
from edgeecho.batch.table import CSV_NAME, PARQUET_NAME, TableWriter
from edgeecho.batch.task import Outcome
from edgeecho.files import atomic
from edgeecho.names import printable
from edgeecho.report.index_page import INDEX_NAME, IndexRow, PairRow, write_index_page
from edgeecho.report.stored import StoredResult

BIPLANE_NAME = "biplane.csv"
BIPLANE_COLUMNS = (
    "study",
    "four_chamber",
    "two_chamber",
    "verdict",
    "ef_percent",
    "edv_ml",
    "esv_ml",
    "beats",
    "reasons",
)
RUN_FILES = (CSV_NAME, PARQUET_NAME, INDEX_NAME, BIPLANE_NAME)
"""Names of the files about all cines of a run."""


class RunReport:
    """Collects the outcomes of a run and writes what is about all of them."""

    def __init__(self, settings: Settings, pairs: list[Pair]) -> None:
        """
        Args:
            settings: Settings of the run.
            pairs: Cines whose biplane figures are wanted.
        """
        self._out, self._with_page, self._pairs = Path(settings.out), settings.write_page, pairs
        self._paired = {name for pair in pairs for name in (pair.four_chamber, pair.two_chamber)}
        self._table, self._rows = TableWriter(self._out), list[IndexRow]()
        self._outcomes: dict[str, Outcome] = {}
        self.pair_results: list[PairResult] = []
        """Biplane figures, after `write`."""

    def add(self, outcome: Outcome) -> None:
        """Take the outcome of a cine."""
        self._table.add(outcome)
        if self._with_page:
            self._rows.append(_index_row(outcome))
        if outcome.task.name in self._paired:
            self._outcomes[outcome.task.name] = outcome

    def write(self) -> None:
        """Write the files of the run, each whole or not at all.

        Raises:
            OutputError: If one cannot be written.
            DataError: If results were removed or damaged meanwhile.
        """
        complete = [p for p in self._pairs if {p.four_chamber, p.two_chamber} <= self._outcomes.keys()]
        self.pair_results = [measure_pair(pair, self._outcomes) for pair in complete]
        if self._table.rows:
            self._table.write()
        if self.pair_results:
            self._write_biplane()
        if self._rows:
            write_index_page(self._out, self._rows, [_pair_row(result) for result in self.pair_results])

    def _write_biplane(self) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(BIPLANE_COLUMNS)
        for result in self.pair_results:
            pair = result.pair
            figures = (result.ef_percent, result.edv_ml, result.esv_ml, result.beats)
            names = map(printable, (pair.study, pair.four_chamber, pair.two_chamber))
            writer.writerow([*names, result.verdict, *figures, "; ".join(result.reasons)])
        with atomic(self._out / BIPLANE_NAME) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")


def _index_row(outcome: Outcome) -> IndexRow:
    """Return the row of a cine on the page, without what is large in its figures."""
    task, figures = outcome.task, outcome.figures
    if figures is None:
        return IndexRow(task.name, task.label, None, outcome.error)
    suffixes = {Path(file).suffix for file in outcome.files}
    kept = {key: value for key, value in figures.items() if key not in ("area_px", "automatic")}
    stored = StoredResult(Path(outcome.files[-1]), kept)
    return IndexRow(task.name, task.label, kept, "", stored, ".html" in suffixes, ".webm" in suffixes)


def _pair_row(result: PairResult) -> PairRow:
    pair = result.pair
    return PairRow(
        pair.study,
        (pair.four_chamber, pair.two_chamber),
        result.verdict,
        (result.ef_percent, result.edv_ml, result.esv_ml),
        "; ".join(result.reasons),
    )

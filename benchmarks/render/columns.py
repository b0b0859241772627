"""Columns of the terminal, Markdown and HTML tables: the value of a row in each, and which stay in a narrow table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from edgeecho.benchmarks.render.formatting import MISSING, number, number_at, significant, speedup
from edgeecho.benchmarks.run.result import Row


@dataclass(frozen=True)
class Column:
    """Column of a table of rows."""

    heading: str
    unit: str
    """Unit of its figures; the second line of the heading."""
    value: Callable[[Row], Any]
    """Function from a row to the value, which is sorted by; None if the row has none."""
    write: Callable[[Any], str]
    rank: int
    """Order in which columns are kept where the table is too narrow; lower ranks first."""
    about: str
    """Explanation in one line."""
    is_text: bool = False

    @property
    def title(self) -> str:
        """Heading and unit on one line, such as `p50 ms`."""
        gap = "" if self.heading.endswith(("-", "/")) else " "
        return f"{self.heading}{gap}{self.unit}".strip()

    def cell(self, row: Row) -> str:
        """Return the value as text."""
        value = self.value(row)
        return MISSING if value is None else self.write(value)

    def is_empty(self, rows: Iterable[Row]) -> bool:
        """Return whether no row has a value."""
        return all(self.value(row) is None for row in rows)


def _field(name: str, factor: float = 1) -> Callable[[Row], Any]:
    def value(row: Row) -> Any:
        found = getattr(row, name)
        return found if found is None or factor == 1 else found * factor

    return value


def _of(group: str, key: str) -> Callable[[Row], Any]:
    return lambda row: number_at(getattr(row, group), key)


_0, _1, _2, _3 = (partial(number, digits=digits) for digits in range(4))

COLUMNS = (
    Column("model", "", _field("model"), str, 0, "name of the network", True),
    Column("form", "", _field("form"), str, 1, "clip: many frames at once; stream: frame by frame", True),
    Column("runtime", "", _field("runtime"), str, 2, "engine", True),
    Column("asked", "", _field("precision_asked"), str, 13, "precision that was asked for", True),
    Column("ran", "", _field("precision_run"), str, 3, "precision that convolutions ran in, read back", True),
    Column("params", "M", _field("params", 1e-6), _2, 12, "parameters, millions"),
    Column("MMAC", "/frame", _field("macs_per_frame", 1e-6), _0, 16, "millions of multiply-accumulates a frame"),
    Column("file", "MB", _field("file_bytes", 1e-6), _2, 9, "size of the model file, 10^6 bytes"),
    Column("runs", "n", lambda row: row.n, _0, 17, "timed runs, every one counted"),
    Column("p50", "ms", _field("p50_ms"), significant, 8, "median of a run"),
    Column("p90", "ms", _field("p90_ms"), significant, 18, "90th percentile; none below 10 runs"),
    Column("p99", "ms", _field("p99_ms"), significant, 19, "99th percentile; none below 100 runs"),
    Column("ms/", "frame", _field("ms_per_frame"), significant, 4, "median of a run over the frames it answers"),
    Column("live", "ms", _field("ms_per_live_frame"), significant, 6, "what one more live frame costs"),
    Column("frames", "/s", _field("frames_per_second"), _1, 15, "frames a second at the median"),
    Column("peak", "MB", _field("peak_rss_mb"), _0, 14, "most memory of the row's process, 2^20 bytes"),
    Column("Dice", "ED", _of("accuracy", "dice_ed"), _3, 10, "overlap with the expert at end-diastole, 0-1"),
    Column("Dice", "ES", _of("accuracy", "dice_es"), _3, 10, "overlap with the expert at end-systole, 0-1"),
    Column("EF", "error", _of("accuracy", "ef_mae"), _2, 11, "mean size of the ejection fraction's error, points"),
    Column("speed-", "up", _field("speedup_vs_unet3d"), speedup, 5, "over the standard 3D U-Net's fp32, a frame"),
    Column("live", "up", _field("live_speedup_vs_unet3d"), speedup, 7, "the same, of one more live frame"),
)

ACCURACY = ("Dice", "EF")
"""Headings of the columns of accuracy."""


def filled_columns(rows: list[Row]) -> list[Column]:
    """Return the columns in which any row has a value; the form only if there are streams."""
    has_streams = any(row.form == "stream" for row in rows)
    return [c for c in COLUMNS if not c.is_empty(rows) and (c.heading != "form" or has_streams)]

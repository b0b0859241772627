"""The table of `edgeecho data summary`, row by row, and what ends a check of data."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeecho.cli.console import list_console, show
from edgeecho.data.quality.check import _check_item
from edgeecho.data.quality.summary import SplitSummary, Spread, Summary, render_summary
from edgeecho.errors import DataError, MissingExtraError, VideoError


def split(**changes: Any) -> SplitSummary:
    given = {
        "split": "train",
        "items": 9,
        "patients": 5,
        "labels": 18,
        "views": {"A2C": 4, "A4C": 5},
        "qualities": {"Good": 7},
        "sexes": {"F": 3, "M": 2},
        "frames": Spread.of([10, 20, 40]),
        "fps": Spread.of([50.0]),
        "ef_percent": Spread.of([30.0, 40.0, 62.0]),
        "ef_values": (30.0, 34.9, 35.0, 49.9, 50.0),
    }
    return SplitSummary(**{**given, **changes})


def rows(*splits: SplitSummary, capsys: pytest.CaptureFixture[str], unknown: int = 0) -> dict[str, str]:
    """Return the rows that are printed, by their names."""
    fields = {"kind": "cine", "root": "/data", "splits": splits, "notes": (), "unknown": unknown, "picture": None}
    fields |= {"licence": "Apache-2.0", "licence_terms": "free"}
    names = set(Summary.__dataclass_fields__)
    show(render_summary(Summary(**{k: v for k, v in fields.items() if k in names})), list_console())  # type: ignore[arg-type]
    found = {}
    for line in capsys.readouterr().out.splitlines():
        name, _, cells = line.strip().partition("  ")
        found[name] = " ".join(cells.split())
    return found


def test_every_row_of_a_split(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(split(), capsys=capsys)
    expected = {
        "items": "9",
        "patients": "5",
        "labelled frames": "18",
        "views": "4 A2C, 5 A4C",
        "quality": "7 Good",
        "sex": "3 F, 2 M",
        "frames, median (range)": "20 (10 to 40)",
        "frames a second": "50 (50 to 50)",
        "EF %, mean ± SD (range)": "44.0 ± 16.4 (30 to 62)",
        "EF below 50 %": "80.0 %",
        "EF below 35 %": "40.0 %",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_a_row_that_no_split_has_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    bare: dict[str, Any] = {"qualities": {}, "sexes": {}, "fps": None, "ef_percent": None, "ef_values": ()}
    assert "sex" not in rows(split(**bare), capsys=capsys)
    assert rows(split(), split(split="val", **bare), capsys=capsys)["sex"] == "3 F, 2 M -"


def item(error: Exception) -> Any:
    def read() -> None:
        raise error

    return SimpleNamespace(name="x", read=read, metadata={})


def test_what_ends_a_check_and_what_is_a_finding(tmp_path: Any) -> None:
    with pytest.raises(MissingExtraError):
        _check_item(item(MissingExtraError("nibabel is not installed")))
    for error in (VideoError("cannot\n be read"), DataError("cannot\n be read")):
        count, (finding,) = _check_item(cast(Any, item(error)))
        assert (count, finding.where, finding.detail) == (0, "x", "cannot be read")
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()
    assert len(_check_item(item(VideoError("damaged", file=there)))[1]) == 1
    assert _check_item(item(VideoError("missing", file=gone))) == (0, [])

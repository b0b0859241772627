"""docs/trust.md has every reason, with its sentence, and every threshold, with its value."""

import re

from edgeecho.preprocess import FLIPS
from edgeecho.reasons import SENTENCES, VERDICTS, Level, Reason
from edgeecho.runtime import trust_constants
from tests.repository.make_trust_tables import PAGE, between, constants, table

TEXT = PAGE.read_text(encoding="utf-8")


def test_thresholds_are_those_of_the_code() -> None:
    assert between(TEXT, "thresholds") == table(), "run python -m tests.repository.make_trust_tables"
    names = [name for name, _, _ in constants()]
    assert names == [name for name in vars(trust_constants) if name.isupper()]
    assert all(getattr(trust_constants, name) == value for name, value, _ in constants())


def test_reasons_are_those_of_the_code() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in between(TEXT, "reasons").splitlines()[2:]]
    assert [row[0] for row in rows] == [f"`{reason.code}`" for reason in Reason]
    levels = [level.name.lower() for level in Level]
    for reason, (_, level, meaning, remedy) in zip(Reason, rows, strict=True):
        assert meaning == SENTENCES[reason]
        assert set(level.split(", ")) <= set(levels)
        assert [name for name in levels if name in level.split(", ")] == level.split(", ")
        assert remedy


def test_verdicts_flips_and_constants_that_are_named() -> None:
    for verdict in VERDICTS:
        assert f"| `{verdict}` |" in TEXT
    for flip in FLIPS:
        assert f"`{flip}`" in TEXT
    for name in re.findall(r"`([A-Z][A-Z_]{3,})`", TEXT):
        assert hasattr(trust_constants, name), name

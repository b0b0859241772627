"""docs/ladder.md has every degradation, with the strengths of the ladder and of training."""

from tests.repository.make_ladder_table import PAGE, table
from tests.repository.make_trust_tables import between


def test_rungs_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert between(page, "rungs") == table(), "run python -m tests.repository.make_ladder_table"

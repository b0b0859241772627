"""docs/clinic.md has the columns of the table."""

from pathlib import Path

from edgeecho.batch.table import COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "clinic.md"


def test_the_columns_are_those_of_the_page() -> None:
    listed = PAGE.read_text().split("<!-- columns -->")[1].split("<!-- /columns -->")[0]
    rows = "".join(f"| `{column.name}` | {column.kind} | {column.meaning} |\n" for column in COLUMNS)
    assert listed.strip() == "| column | kind | meaning |\n|---|---|---|\n" + rows.strip()

"""Table, curves and file of `studies.claim`."""

from pathlib import Path
from typing import Any


def report(results: list[dict[str, Any]], rows: list[str], out: Path) -> None:
    """Print the table."""
    print(len(results))

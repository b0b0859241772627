"""Consoles that tables and lists are printed on."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 124
"""Columns of a table in a file or a pipe, which has no width of its own."""
LIST_WIDTH = 120
"""Least number of columns of a list in a file or a pipe."""


def table_console() -> "Console":
    """Return standard output, as wide as the terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDTH)


def list_console() -> "Console":
    """Return standard output for lists, whose long lines the terminal wraps."""
    from rich.console import Console

    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, LIST_WIDTH)
    return console

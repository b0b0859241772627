"""Consoles that tables and lists are printed on, and `show`, which prints what the library lays out."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

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


def show(blocks: "Iterable[RenderableType]", console: "Console") -> None:
    """Print tables and lines one below the other.

    Tables fit the console. `Text` is printed as it is, and whole if it is `no_wrap`; a `str` may contain markup.
    """
    from rich.table import Table
    from rich.text import Text

    for block in blocks:
        is_whole = isinstance(block, Text) and block.no_wrap
        console.print(block, soft_wrap=False if isinstance(block, Table) else is_whole or None)

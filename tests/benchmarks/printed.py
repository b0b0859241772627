"""Text that the command line prints of a result or a comparison."""

import io
from collections.abc import Callable, Iterable
from typing import TypeVar

from rich.console import Console, RenderableType

from edgeecho.cli.console import show

T = TypeVar("T")


def printed(render: Callable[[T, int], Iterable[RenderableType]], value: T, width: int = 120) -> str:
    """Return what a terminal of `width` characters shows of a value, without colours."""
    console = Console(file=(out := io.StringIO()), width=width, force_terminal=True, color_system=None)
    show(render(value, width), console)
    return out.getvalue()

"""Parts that commands share: flags, messages on stderr, a progress bar, JSON files."""

import json
import logging
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeecho.errors import ConfigError
from edgeecho.names import printable


def _check_json_file(path: Path | None) -> Path | None:
    """Refuse a place that cannot be written before the work whose figures it is for."""
    if path:
        from edgeecho.files import require_file_place

        require_file_place(path)
    return path


JsonFile = Annotated[
    Path | None, typer.Option("--json", callback=_check_json_file, help="Write the figures here as JSON.")
]
Model = Annotated[str, typer.Option("--model", help="Packaged model's name, folder or file.")]
Runtime = Annotated[str | None, typer.Option(help="ort, openvino or torch.")]
Precision = Annotated[str | None, typer.Option(help="int8 or fp32, for a named model.")]
Threads = Annotated[int | None, typer.Option(help="Worker threads; all cores if not given.")]


def _set_max_memory(text: str | None) -> None:
    """Set the budget of this process and of those that it starts."""
    if text is not None:
        import os

        from edgeecho.memory import ENVIRONMENT, parse_bytes

        os.environ[ENVIRONMENT] = str(parse_bytes(text, "--max-memory"))


MaxMemory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        callback=_set_max_memory,
        expose_value=False,
        help="Memory that reading a file may take, such as 2G; a quarter of the machine's if not given.",
    ),
]
Stream = Annotated[bool, typer.Option("--stream", help="Frame by frame, as live frames run.")]


def say(text: str) -> None:
    """Print a line of progress or a message on stderr."""
    typer.echo(printable(text, sys.stderr.encoding or "utf-8"), err=True)


class _MessageHandler(logging.Handler):
    """Handler that prints the messages of the library on stderr, each of them once."""

    def __init__(self) -> None:
        super().__init__()
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self._printed:
            self._printed.add(text)
            say(text)


@contextmanager
def library_messages() -> Iterator[None]:
    """Print what the library logs, such as a model's licence, while a command runs."""
    logger, handler = logging.getLogger("edgeecho"), _MessageHandler()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a handler that a package gave the root logger would print them again
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def progress_bar() -> Any:
    """Return a progress bar on stderr that is erased at its end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


@contextmanager
def training_progress() -> Iterator[Callable[[int, int, str], None]]:
    """Yield a function that shows step, number of steps and a line of text of a training run in a progress bar.

    Lines with a Dice are printed and stay; where stderr is no terminal, every line is.
    """
    with progress_bar() as progress:
        task = progress.add_task("", total=None)

        def report(step: int, steps: int, text: str) -> None:
            progress.update(task, completed=step, total=steps, description=text)
            if "Dice" in text or not progress.console.is_terminal:
                progress.console.print(f"step {step}/{steps}: {text}", markup=False, soft_wrap=True)

        yield report


def write_json(path: Path | None, values: Any) -> None:
    """Write values, or a text that is JSON already, to a file; None writes nothing."""
    if path:
        from edgeecho.files import atomic

        with atomic(path) as temporary:
            temporary.write_text(values if isinstance(values, str) else json.dumps(values, indent=1) + "\n")


def numbers(text: str | None, count: int, flag: str) -> tuple[float, ...] | None:
    """Read the numbers of a flag, with commas between; None stays None.

    Raises:
        ConfigError: If they are not so many finite numbers.
    """
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise ConfigError(f"{flag} takes {count} numbers with commas between, got {text!r}")
    return values

"""What all commands share: messages on stderr, a progress bar, JSON on request."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures here as JSON.")]
Model = Annotated[str, typer.Option("--model", help="Packaged model's name, folder or file.")]
Runtime = Annotated[str | None, typer.Option(help="ort, openvino or torch.")]
Precision = Annotated[str | None, typer.Option(help="int8 or fp32, for a named model.")]
Threads = Annotated[int | None, typer.Option(help="Worker threads; all cores if not given.")]
Stream = Annotated[bool, typer.Option("--stream", help="Frame by frame, as live frames run.")]


def say(text: str) -> None:
    """Progress and messages go to stderr."""
    typer.echo(text, err=True)


def progress_bar() -> Any:
    """A bar on stderr that leaves nothing behind."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


def write_json(path: Path | None, values: Any) -> None:
    """Write values where a path is given; text stands for itself."""
    if path:
        from edgeecho.files import atomic

        with atomic(path) as temporary:
            temporary.write_text(values if isinstance(values, str) else json.dumps(values, indent=1) + "\n")

"""`edgeecho data`: summary and check of a data set."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import JsonFile, MaxMemory, progress_bar, write_json
from edgeecho.cli.console import list_console, show

data_app = typer.Typer(help="Look at a data set.", no_args_is_help=True)


@data_app.command("check")
def check_data(
    data: Annotated[str, typer.Argument(help="KIND:DIR, such as camus:/data/camus.")],
    jobs: Annotated[int | None, typer.Option(help="Threads; all cores if not given.")] = None,
    json_file: JsonFile = None,
    max_memory: MaxMemory = None,
) -> None:
    """Is a data set complete, what is wrong file by file, and what is done about it."""
    from edgeecho.data.quality.check import check, render_check

    with progress_bar() as progress:
        task = progress.add_task("checking", total=None)
        report = check(data, jobs=jobs, progress=lambda n, t: progress.update(task, completed=n, total=t))
    show(render_check(report), list_console())
    write_json(json_file, report.to_dict())
    if not report.is_sound:
        raise typer.Exit(1)


@data_app.command("summary")
def summarise_data(
    data: Annotated[str, typer.Argument(help="KIND:DIR, such as camus:/data/camus.")],
    out: Annotated[Path | None, typer.Option(help="PNG of the distributions.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Threads; all cores if not given.")] = None,
    max_memory: MaxMemory = None,
) -> None:
    """What is in a data set: videos per split, frames, frame rates, EF."""
    from edgeecho.data.quality.summary import render_summary, summarise

    with progress_bar() as progress:
        task = progress.add_task("reading", total=None)
        summary = summarise(data, out, jobs=jobs, progress=lambda n, t: progress.update(task, completed=n, total=t))
    show(render_summary(summary), list_console())

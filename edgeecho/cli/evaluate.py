"""`edgeecho eval`: evaluation of a model on a data set."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import JsonFile, Precision, Runtime, Stream, Threads, progress_bar, say, write_json
from edgeecho.cli.console import show, table_console


def evaluate(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder or file.")],
    data: Annotated[str, typer.Option(help="KIND:DIR, such as camus:/data/camus.")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "val",
    runtime: Runtime = None,
    precision: Precision = None,
    threads: Threads = None,
    as_stream: Stream = False,
    out: Annotated[Path | None, typer.Option(help="Folder for CSV and plots.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Figures of a model on a data set: Dice, distances, volumes, EF, time; with 95% intervals."""
    from edgeecho.errors import require
    from edgeecho.evaluate import evaluate_model, render_scores, write_report

    if out:
        require("matplotlib", "report")
    with progress_bar() as progress:
        task = progress.add_task(split, total=None)
        scores = evaluate_model(
            model,
            data,
            split,
            runtime,
            precision,
            threads,
            lambda n, t: progress.update(task, completed=n, total=t),
            as_stream=as_stream,
        )
    show(render_scores(scores), table_console())
    for failure in scores.failed:
        say(f"skipped {failure.name}: {failure.reason}")
    write_json(json_file, scores.to_dict())
    if out:
        for path in write_report(scores, out):
            say(f"wrote {path}")
    if scores.failed:
        raise typer.Exit(1)

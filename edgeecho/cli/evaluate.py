"""`edgeecho eval`: evaluation of a model on a data set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.common import JsonFile, MaxMemory, Precision, Runtime, Stream, Threads, progress_bar, say, write_json
from edgeecho.cli.console import show, table_console
from edgeecho.errors import ConfigError, ModelFileError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgeecho.evaluate import LadderScores, Scores

MASKS = "masks:"
"""Beginning of a model's name that is a folder of masks."""


def evaluate(
    model: Annotated[
        str, typer.Argument(help="Packaged model's name, folder or file; masks:FOLDER; any ONNX with --spec.")
    ],
    data: Annotated[str, typer.Option(help="KIND:DIR, such as camus:/data/camus.")],
    split: Annotated[str, typer.Option(help="train, val, test or all.")] = "val",
    spec: Annotated[
        Path | None, typer.Option(help="Description of a foreign ONNX; by default the .toml beside it.")
    ] = None,
    mask_label: Annotated[
        int | None, typer.Option(help="Value of the cavity in masks:FOLDER with several labels.")
    ] = None,
    runtime: Runtime = None,
    precision: Precision = None,
    threads: Threads = None,
    as_stream: Stream = False,
    ladder: Annotated[bool, typer.Option("--ladder", help="Figures on pictures of low-cost probes, by rung.")] = False,
    rungs: Annotated[str | None, typer.Option(help="With --ladder: NAME,NAME; `noise` or `noise 30`.")] = None,
    limit: Annotated[int | None, typer.Option(help="With --ladder: number of patients, at even steps.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for CSV and plots.")] = None,
    json_file: JsonFile = None,
    max_memory: MaxMemory = None,
) -> None:
    """Figures of a model, or of given masks, on a data set: Dice, distances, volumes, EF, time; with 95% intervals."""
    from edgeecho.evaluate import render_scores, write_report
    from edgeecho.evaluate.matplotlib_figure import figure_class
    from edgeecho.files import require_writable

    flags = _Flags(_description(model, spec), mask_label, runtime, precision, threads, as_stream or None)
    flags.check(model)
    if out:
        figure_class()  # before long work, as the folder
        require_writable(out)
    files = out, json_file
    if ladder:
        _climb(flags, model, data, split, rungs, limit, files)
        return
    if rungs is not None or limit is not None:
        raise ConfigError(f"--{'limit' if rungs is None else 'rungs'} needs --ladder; add it or leave the flag out")
    with progress_bar() as progress:
        task = progress.add_task(split, total=None)
        scores = flags.evaluate(model, data, split, lambda n, t: progress.update(task, completed=n, total=t))
    _finish(scores, render_scores(scores), lambda folder: write_report(scores, folder), files)


def _climb(
    flags: "_Flags",
    model: str,
    data: str,
    split: str,
    rungs: str | None,
    limit: int | None,
    files: tuple[Path | None, Path | None],
) -> None:
    """Run a model of EdgeEcho on the ladder, and print and write its figures."""
    from edgeecho.evaluate import evaluate_ladder, render_ladder, write_ladder
    from edgeecho.synthetic.degrade.ladder import LADDER, find_rungs

    if model.startswith(MASKS) or flags.spec:
        raise ConfigError(f"--ladder is for a model of EdgeEcho, which {model} is not; leave it out")
    chosen = LADDER if rungs is None else find_rungs(rungs)
    settings = flags.runtime, flags.precision, flags.threads
    with progress_bar() as progress:
        task = progress.add_task(split, total=None)
        scores = evaluate_ladder(
            *(model, data, split, chosen, limit),
            settings=settings,
            as_stream=bool(flags.stream),
            progress=lambda n, t: progress.update(task, completed=n, total=t),
        )
    _finish(scores, render_ladder(scores), lambda folder: write_ladder(scores, folder), files)


def _finish(
    scores: "Scores | LadderScores",
    table: "Iterator[RenderableType]",
    write: Callable[[Path], list[Path]],
    files: tuple[Path | None, Path | None],
) -> None:
    """Print a result with the items that were left out, and write its files.

    Args:
        scores: The result.
        table: Its tables for the terminal.
        write: Function that writes its report into a folder and returns the files.
        files: Folder of the report and file of the JSON, None for none.

    Raises:
        typer.Exit: If items were left out.
    """
    out, json_file = files
    show(table, table_console())
    for failure in scores.failed:
        say(f"skipped {failure.name}: {failure.reason}")
    write_json(json_file, scores.to_dict())
    for path in write(out) if out else ():
        say(f"wrote {path}")
    if scores.failed:
        raise typer.Exit(1)


def _description(model: str, spec: Path | None) -> Path | None:
    """Return the description of a foreign ONNX: the given one, or the TOML file beside it if there is one."""
    if spec or not model.endswith(".onnx"):
        return spec
    beside = Path(model).with_suffix(".toml")
    return beside if beside.is_file() else None


@dataclass(frozen=True)
class _Flags:
    """Flags that are for one kind of model alone; None where they are not given."""

    spec: Path | None
    mask_label: int | None
    runtime: str | None
    precision: str | None
    threads: int | None
    stream: bool | None

    def check(self, model: str) -> None:
        """Refuse flags that are for another kind of model.

        Raises:
            ConfigError: If any is given.
        """
        if model.startswith(MASKS):
            kind, allowed = "masks", {"mask_label"}
        elif self.spec:
            kind, allowed = "another program's network", {"spec", "threads"}
        else:
            kind, allowed = "a model of EdgeEcho", {"runtime", "precision", "threads", "stream"}
        given = [f.name for f in fields(self) if getattr(self, f.name) is not None and f.name not in allowed]
        if given:
            raise ConfigError(f"--{given[0].replace('_', '-')} is not for {kind}, which {model} is; leave it out")

    def evaluate(self, model: str, data: str, split: str, progress: Callable[[int, int], None]) -> "Scores":
        """Evaluate masks, another program's network, or a model of EdgeEcho."""
        from edgeecho.evaluate import evaluate_masks, evaluate_model, evaluate_network

        if model.startswith(MASKS):
            return evaluate_masks(Path(model.removeprefix(MASKS)), data, split, self.mask_label, progress)
        if self.spec:
            return evaluate_network(Path(model), self.spec, data, split, self.threads, progress)
        settings = self.runtime, self.precision, self.threads
        try:
            return evaluate_model(model, data, split, *settings, progress, as_stream=bool(self.stream))
        except ModelFileError as error:
            if model.endswith(".onnx"):
                raise ModelFileError(f"{error}; another program's network needs --spec FILE") from error
            raise

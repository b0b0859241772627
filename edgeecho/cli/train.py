"""`edgeecho train`: training of a network from ED and ES labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.common import progress_bar

if TYPE_CHECKING:
    from edgeecho.train.config import TrainConfig


def train(
    config: Annotated[Path, typer.Argument(help="TOML file.")],
    init: Annotated[str | None, typer.Option(help="Model to start from: name, folder or checkpoint.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in run.out.")] = False,
    steps: Annotated[int | None, typer.Option(help="optim.steps; with --resume also beyond the end.")] = None,
    epochs: Annotated[int | None, typer.Option(help="optim.epochs, instead of steps.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Several runs, such as 1,2,3, in run.out/seed1 and so on.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, such as optim.steps=100.")] = None,
) -> None:
    """Train a network from ED and ES labels."""
    from edgeecho.errors import require

    require("torch", "train")
    from edgeecho.runtime import locate
    from edgeecho.train.config import load_config
    from edgeecho.train.loop import train as run
    from edgeecho.train.seeds import train_seeds

    given = list(settings or [])
    given += [f"optim.steps={steps}", "optim.epochs=0"] if steps is not None else []
    given += [f"optim.epochs={epochs}"] if epochs is not None else []
    wanted = load_config(config, given)
    start = locate(init, "torch").path if init else None
    with progress_bar() as progress:
        task = progress.add_task("", total=None)

        def report(step: int, steps: int, text: str) -> None:
            progress.update(task, completed=step, total=steps, description=text)
            if "Dice" in text or not progress.console.is_terminal:
                progress.console.print(f"step {step}/{steps}: {text}", markup=False)

        def one(its: "TrainConfig") -> Path:
            return run(its, init=start, resume=resume, report=report)

        text = train_seeds(wanted, seeds, one) if seeds else str(one(wanted))
    _print_from_first(text)


def _print_from_first(text: str) -> None:
    """Print from the first of several processes alone."""
    from edgeecho.train.processes import Processes

    if Processes.from_environment().first:
        typer.echo(text)

"""`edgeecho train`: training of a network from ED and ES labels."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import progress_bar


def train(
    config: Annotated[Path, typer.Argument(help="TOML file.")],
    init: Annotated[str | None, typer.Option(help="Model to start from: name, folder or checkpoint.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in run.out.")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, such as optim.steps=100.")] = None,
) -> None:
    """Train a network from ED and ES labels."""
    from edgeecho.errors import require

    require("torch", "train")
    from edgeecho.runtime import locate
    from edgeecho.train.config import load_config
    from edgeecho.train.loop import train as run

    with progress_bar() as progress:
        task = progress.add_task("", total=None)

        def report(step: int, steps: int, text: str) -> None:
            progress.update(task, completed=step, total=steps, description=text)
            if "Dice" in text or not progress.console.is_terminal:
                progress.console.print(f"step {step}/{steps}: {text}", markup=False)

        start = locate(init, "torch").path if init else None
        typer.echo(run(load_config(config, settings), init=start, resume=resume, report=report))

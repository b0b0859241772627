"""`edgeecho train`: training of a network from ED and ES labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.common import MaxMemory, training_progress
from edgeecho.cli.recipe import train_recipe
from edgeecho.errors import ConfigError

if TYPE_CHECKING:
    from edgeecho.train.config import TrainConfig


def train(
    config: Annotated[Path, typer.Argument(help="TOML file of a run, or a recipe of several.")],
    init: Annotated[str | None, typer.Option(help="Model to start from: name, folder or checkpoint.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in run.out.")] = False,
    steps: Annotated[int | None, typer.Option(help="optim.steps; with --resume also beyond the end.")] = None,
    epochs: Annotated[int | None, typer.Option(help="optim.epochs, instead of steps.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Several runs, such as 1,2,3, in run.out/seed1 and so on.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, such as optim.steps=100.")] = None,
    stage: Annotated[str | None, typer.Option(help="Of a recipe: run this stage and what it needs alone.")] = None,
    any_revision: Annotated[
        bool, typer.Option("--any-revision", help="Of a recipe: go on with stages of another revision of the code.")
    ] = False,
    max_memory: MaxMemory = None,
) -> None:
    """Train a network from ED and ES labels."""
    from edgeecho.errors import require

    require("torch", "train")
    require("threadpoolctl", "train")
    from edgeecho.runtime import locate
    from edgeecho.train.config import load_config
    from edgeecho.train.loop import train as run
    from edgeecho.train.recipe_file import is_recipe
    from edgeecho.train.seeds import train_seeds

    recipe = is_recipe(config)
    if recipe and (init or resume or seeds or steps is not None or epochs is not None):
        raise ConfigError(
            "a recipe is resumed by itself and names its first weights, lengths and seeds; "
            "leave --init, --resume, --steps, --epochs and --seeds out"
        )
    if not recipe and (stage or any_revision):
        raise ConfigError(f"--stage and --any-revision are for recipes; {config} has no [[stage]]")
    if recipe:
        _print_from_first(str(train_recipe(config, settings, stage=stage, any_revision=any_revision)))
        return
    given = list(settings or [])
    given += [f"optim.steps={steps}", "optim.epochs=0"] if steps is not None else []
    given += [f"optim.epochs={epochs}"] if epochs is not None else []
    wanted = load_config(config, given)
    start = locate(init, "torch").path if init else None
    with training_progress() as report:

        def one(its: "TrainConfig") -> Path:
            return run(its, init=start, resume=resume, report=report)

        text = train_seeds(wanted, seeds, one) if seeds else str(one(wanted))
    _print_from_first(text)


def _print_from_first(text: str) -> None:
    """Print from the first of several processes alone."""
    from edgeecho.train.processes import Processes

    if Processes.from_environment().first:
        typer.echo(text)

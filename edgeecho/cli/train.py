"""`edgeecho train`: training of a network from ED and ES labels."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import training_progress
from edgeecho.cli.recipe import train_recipe
from edgeecho.errors import ConfigError


def train(
    config: Annotated[Path, typer.Argument(help="TOML file of a run, or a recipe of several.")],
    init: Annotated[str | None, typer.Option(help="Model to start from: name, folder or checkpoint.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in run.out.")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, such as optim.steps=100.")] = None,
    stage: Annotated[str | None, typer.Option(help="Of a recipe: run this stage and what it needs alone.")] = None,
    any_revision: Annotated[
        bool, typer.Option("--any-revision", help="Of a recipe: go on with stages of another revision of the code.")
    ] = False,
) -> None:
    """Train a network from ED and ES labels."""
    from edgeecho.errors import require

    require("torch", "train")
    from edgeecho.runtime import locate
    from edgeecho.train.config import load_config
    from edgeecho.train.loop import train as run
    from edgeecho.train.recipe_file import is_recipe

    recipe = is_recipe(config)
    if recipe and (init or resume):
        raise ConfigError("a recipe is resumed by itself and names its first weights; leave --init and --resume out")
    if not recipe and (stage or any_revision):
        raise ConfigError(f"--stage and --any-revision are for recipes; {config} has no [[stage]]")
    if recipe:
        typer.echo(train_recipe(config, settings, stage=stage, any_revision=any_revision))
        return
    with training_progress() as report:
        start = locate(init, "torch").path if init else None
        typer.echo(run(load_config(config, settings), init=start, resume=resume, report=report))

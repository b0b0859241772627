"""Recipes for `edgeecho train`: the stages, and the export of the released checkpoint."""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeecho.cli.common import say, training_progress
from edgeecho.errors import ConfigError, DataError, require

if TYPE_CHECKING:
    from edgeecho.export.options import Options

EXPORTED, EXPORT_RECORD = "exported", "export.json"
"""Folder of the exported files in `recipe.out`, and the record of what they were exported from."""


def train_recipe(path: Path, settings: list[str] | None, *, stage: str | None, any_revision: bool) -> Path:
    """Run a recipe, or one stage and those that it depends on, and export the released checkpoint if it has [export].

    Returns:
        The released checkpoint or that of the stage.

    Raises:
        EdgeEchoError: If the recipe is wrong, a stage cannot be run, or the export is refused.
    """
    from edgeecho.train.processes import Processes
    from edgeecho.train.recipe_file import load_recipe
    from edgeecho.train.recipe_run import run_recipe

    recipe = load_recipe(path, settings)
    options = export_options(recipe.export) if recipe.export else None  # a wrong one is found before days of training
    say(f"{recipe.name}: {len(recipe.stages)} runs, recipe of SHA-256 {recipe.sha256}, in {recipe.out}")
    with training_progress() as report:
        made = run_recipe(recipe, stage=stage, any_revision=any_revision, report=report)
    if options and not stage and Processes.from_environment().first:
        export_once(made, recipe.out, options)
    return made


def export_options(values: dict[str, Any]) -> "Options":
    """Return the options of an export from the keys of [export], which are those of `Options`.

    Raises:
        ConfigError: If a key or value is wrong.
        DataError: If the calibration set is missing.
        MissingExtraError: If the packages for an export are not installed.
    """
    require("onnx", "export")
    from edgeecho.data import open_data
    from edgeecho.export.check.figures import Limits
    from edgeecho.export.options import Options

    known: dict[str, Any] = {f.name: f.default for f in fields(Options)}
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    for key, value in given.items():
        if key not in known:
            raise ConfigError(f"[export]: unknown key {key!r}; known: {', '.join(known)}")
        listed = key == "limits" or isinstance(known[key], tuple)
        usual: type = tuple if listed else {"frames": int, "calib": str}.get(key, type(known[key]))
        if type(value) is not usual or (listed and not all(isinstance(part, str) for part in values[key])):
            kind = "a list of texts" if listed else usual.__name__
            raise ConfigError(f"[export]: {key} must be {kind}, got {values[key]!r}")
    if "limits" in given:
        given["limits"] = Limits.parse(given["limits"])
    if calib := given.get("calib"):
        try:
            open_data(calib)
        except DataError as error:
            raise DataError(f"[export]: calib: {error}; give it with --set export.calib=KIND:DIR") from error
    return Options(**given)


def export_once(checkpoint: Path, out: Path, options: "Options") -> None:
    """Export a checkpoint to `out`/exported, unless the same was exported there before.

    Raises:
        ExportError: If a written file differs from the checkpoint, or the acceptance test refuses one.
    """
    from edgeecho.cli.console import show, table_console
    from edgeecho.export.bundle import export
    from edgeecho.export.write.table import render_bundle
    from edgeecho.files import atomic
    from edgeecho.model.registry import INDEX
    from edgeecho.train.recipe_record import sha256_of

    folder, record = out / EXPORTED, out / EXPORT_RECORD
    facts = {"checkpoint": sha256_of(checkpoint), "options": repr(options)}
    before = json.loads(record.read_text()) if record.is_file() else {}
    if (folder / INDEX).is_file() and before == facts | {"index": sha256_of(folder / INDEX)}:
        return
    show(render_bundle(export(str(checkpoint), folder, options, progress=say)), table_console())
    with atomic(record) as temporary:
        temporary.write_text(json.dumps(facts | {"index": sha256_of(folder / INDEX)}, indent=1) + "\n")

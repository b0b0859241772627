"""Reading of recipes: from a TOML file, with the settings of the command line, to a `Recipe` that can be run."""

from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.model.registry import locate
from edgeecho.train.config import parse_setting, read_toml
from edgeecho.train.recipe import AVERAGE, KINDS, LAST, TRAIN, Recipe, Reference, Stage
from edgeecho.train.recipe_tables import (
    NAME,
    ONLY_KIND,
    RECIPE_KEYS,
    SECTIONS,
    STAGE_KEYS,
    TABLES,
    Table,
    checked,
    config_of,
    dotted,
    given_settings,
    stage_table,
)


def is_recipe(path: Path) -> bool:
    """Whether a TOML file is a recipe: it has a table [recipe] or [[stage]].

    Raises:
        ConfigError: If the file cannot be read.
    """
    return bool({"recipe", "stage"} & set(read_toml(path)))


def load_recipe(path: Path, settings: list[str] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        path: TOML file.
        settings: Texts `KEY=VALUE`. KEY is `section.key` for every training stage, `STAGE.section.key` for one,
            `STAGE.key` for a key beside the settings, `defaults.section.key` for stages that do not give it, or a key
            of [recipe] or [export], such as `recipe.out`.

    Raises:
        ConfigError: If the file is no recipe, or a key, value or reference is wrong.
    """
    values = read_toml(path)
    try:
        return _Reader(values, settings or []).recipe(path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


class _Reader:
    """The tables of a recipe's file, and the stages that are found in them."""

    def __init__(self, values: dict[str, Any], settings: list[str]) -> None:
        unknown = sorted(set(values) - set(TABLES))
        if unknown:
            raise ConfigError(f"unknown table {unknown[0]!r} in a recipe; known: {', '.join(TABLES)}")
        self.header = checked(values.get("recipe", {}), RECIPE_KEYS, "[recipe]")
        self.export = values.get("export", {})
        parsed = [parse_setting(setting) for setting in settings]
        usual = {key.removeprefix("defaults."): value for key, value in parsed if key.startswith("defaults.")}
        defaults = dotted(values.get("defaults", {}), "[defaults]") | usual
        written = values.get("stage", [])
        if not isinstance(written, list) or not written or not all(isinstance(table, dict) for table in written):
            raise ConfigError("a recipe needs at least one [[stage]]")
        self.tables = [stage_table(table, defaults) for table in written]
        for key, value in parsed:
            self._set(key, value)
        self.groups: dict[str, list[str]] = {}
        """Names of the runs of each stage that was read; a stage with several seeds has several."""
        self.runs: dict[str, Stage] = {}
        """Runs that were read, by name."""

    def recipe(self, path: Path) -> Recipe:
        """Read all stages; the file's name is the recipe's if it gives none."""
        name = self.header.get("name", path.stem)
        if not NAME.fullmatch(name):
            raise ConfigError(f"recipe.name must be of letters, digits, _ and -, got {name!r}")
        out = Path(self.header.get("out") or f"runs/{name}")
        stages = tuple(stage for table in self.tables for stage in self._stages(table, out))
        text = self.header.get("release") or stages[-1].name
        released = self._references(text, "recipe.release")
        if len(released) != 1 or not released[0].stage:
            raise ConfigError(f"recipe.release must name one run, got {text!r}; known: {', '.join(self.runs)}")
        return Recipe(name=name, out=out, stages=stages, release=released[0], export=self.export)

    def _set(self, key: str, value: Any) -> None:
        """Apply a setting of the command line."""
        first, _, rest = key.partition(".")
        if first == "defaults":
            return
        if first == "recipe":
            self.header = checked({**self.header, rest: value}, RECIPE_KEYS, "[recipe]")
        elif first == "export":
            self.export = {**self.export, rest: value}
        elif first in SECTIONS:
            for table in self.tables:
                if table.keys.get("kind", TRAIN) == TRAIN:
                    table.settings[key] = value
        else:
            named = [table for table in self.tables if table.keys["name"] == first]
            if not named:
                known = ", ".join(
                    [*SECTIONS, "defaults", "recipe", "export", *(table.keys["name"] for table in self.tables)]
                )
                raise ConfigError(f"--set {key}: no stage and no section {first!r}; known: {known}")
            if "." in rest:
                named[0].settings[rest] = value
            else:
                named[0].keys.update(checked({rest: value}, STAGE_KEYS, f"stage {first}"))

    def _stages(self, table: Table, out: Path) -> list[Stage]:
        """Return the runs of a stage: one, or one of each seed."""
        keys, where = table.keys, f"stage {table.keys['name']}"
        kind = keys.get("kind", TRAIN)
        if kind not in KINDS:
            raise ConfigError(f"{where}: unknown kind {kind!r}; known: {', '.join(KINDS)}")
        other = AVERAGE if kind == TRAIN else TRAIN
        given = {*keys, *(key.partition(".")[0] for key in table.settings)}
        wrong = [key for key in ONLY_KIND[other] if key in given]
        if wrong:
            raise ConfigError(f"{where}: {wrong[0]} is for stages of kind {other!r}, not {kind!r}")
        found = [self._average(keys, where)] if kind == AVERAGE else self._training(table, where, out)
        for name in [keys["name"], *(stage.name for stage in found)]:
            if name in self.groups or name in self.runs:
                raise ConfigError(f"two stages have the name {name!r}; give one of them another name")
        self.groups[keys["name"]] = [stage.name for stage in found]
        self.runs |= {stage.name: stage for stage in found}
        return found

    def _average(self, keys: dict[str, Any], where: str) -> Stage:
        """Read a mean of checkpoints."""
        of = [found for text in keys.get("of", ()) for found in self._references(text, f"{where}: of")]
        last = keys.get("last", 0)
        if last < 0 or (last and any(not r.stage or r.last or self.runs[r.stage].kind != TRAIN for r in of)):
            raise ConfigError(f"{where}: last = {last} takes the last checkpoints of training stages in `of` alone")
        for run in {reference.stage: reference for reference in of} if last else ():
            kept = self.runs[run].config.run.keep
            if kept < last:
                raise ConfigError(f"{where}: last = {last}, but {run} keeps {kept}; set {run}.run.keep = {last}")
        if len(of) * max(last, 1) < 2:
            raise ConfigError(f"{where}: a mean is of two or more checkpoints, got {len(of)} in `of`")
        return Stage(name=keys["name"], group=keys["name"], kind=AVERAGE, of=tuple(of), last=last)

    def _training(self, table: Table, where: str, out: Path) -> list[Stage]:
        """Read a training run, or one for each seed."""
        name, seeds = table.keys["name"], table.keys.get("seeds", [])
        if len(set(seeds)) < len(seeds) or not all(type(seed) is int for seed in seeds):
            raise ConfigError(f"{where}: seeds must be different whole numbers, got {seeds}")
        init, teacher = (self._reference(table.keys.get(key), f"{where}: {key}") for key in ("init", "teacher"))
        stages = []
        for run, seed in [(f"{name}-{seed}", {"run.seed": seed}) for seed in seeds] or [(name, {})]:
            settings = table.settings | seed
            config = config_of({**settings, "model.name": run, "run.out": str(out / "stages" / run)}, where)
            given = given_settings(settings, config)
            stages.append(Stage(name=run, group=name, config=config, given=given, init=init, teacher=teacher))
        return stages

    def _reference(self, text: Any, where: str) -> Reference | None:
        """Return the one checkpoint that a text names; None for no text."""
        found = self._references(text, where) if text else []
        if len(found) > 1:
            runs = ", ".join(reference.stage for reference in found)
            raise ConfigError(f"{where} must be one run, got several: {runs}; name one, or their mean")
        return found[0] if found else None

    def _references(self, text: Any, where: str) -> list[Reference]:
        """Return the checkpoints that a text names: those of the runs of a stage before, or a model.

        Raises:
            ConfigError: If there is neither.
        """
        if not isinstance(text, str):
            raise ConfigError(f"{where} must be the name of a stage or model, got {text!r}")
        name, last = text.removesuffix(LAST), text.endswith(LAST)
        runs = self.groups.get(name) or [run for run in self.runs if run == name]
        if last and any(self.runs[run].kind == AVERAGE for run in runs):
            raise ConfigError(f"{where}: {name!r} is a mean, which has no {LAST}; write {name!r}")
        if runs:
            return [Reference(run + LAST * last, run, last) for run in runs]
        if any(table.keys["name"] == name for table in self.tables):
            raise ConfigError(f"{where}: stage {name!r} does not come before it; reorder the stages")
        try:
            locate(text, "torch")
        except EdgeEchoError as error:
            stages = ", ".join(self.runs) or "none"
            raise ConfigError(
                f"{where}: no stage {text!r} before it (stages: {stages}), and no model: {error}"
            ) from error
        return [Reference(text, "")]

"""Tables of a recipe's file: the keys and settings of stages, checked, with the defaults."""

import re
from dataclasses import dataclass, fields
from typing import Any

from edgeecho.errors import ConfigError
from edgeecho.train.config import TrainConfig
from edgeecho.train.recipe import AVERAGE, TRAIN, kind_of_data
from edgeecho.train.start import OF_MACHINE

SECTIONS = tuple(f.name for f in fields(TrainConfig))
"""Sections of the settings of a training run."""
TABLES = ("recipe", "defaults", "stage", "export")
RECIPE_KEYS: dict[str, type] = {"name": str, "out": str, "release": str}
STAGE_KEYS: dict[str, type] = {
    "name": str,
    "kind": str,
    "init": str,
    "teacher": str,
    "of": list,
    "last": int,
    "seeds": list,
}
"""Keys of a stage beside its settings, with their types."""
ONLY_KIND = {TRAIN: ("init", "teacher", "seeds", *SECTIONS), AVERAGE: ("of", "last")}
"""Keys that stages of one kind alone can have."""
SET_BY_RECIPE = {
    "model.name": "the stage's name is the model's",
    "run.out": "stages are in the folder recipe.out",
    "data.teacher": "write teacher = STAGE beside the stage's name",
}
"""Settings that a recipe cannot have, with the reason or what to write instead."""
NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Table:
    """A stage as it is written: its keys, and its settings by dotted key with the defaults."""

    keys: dict[str, Any]
    settings: dict[str, Any]


def stage_table(table: dict[str, Any], defaults: dict[str, Any]) -> Table:
    """Split the table of a stage into its keys and its settings, to which the defaults are added."""
    name = table.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in (*SECTIONS, *TABLES):
        raise ConfigError(f"a [[stage]] needs a name of letters, digits, _ and -, other than a section's, got {name!r}")
    keys = checked({k: v for k, v in table.items() if k not in SECTIONS}, STAGE_KEYS, f"stage {name}")
    settings = dotted({k: v for k, v in table.items() if k in SECTIONS}, f"stage {name}")
    return Table(keys, settings if keys.get("kind", TRAIN) != TRAIN else defaults | settings)


def checked(table: Any, known: dict[str, type], where: str) -> dict[str, Any]:
    """Return a table whose keys are known and whose values have the right types."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table, got {table!r}")
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; known: {', '.join([*known, *SECTIONS])}")
        if type(value) is not known[key]:
            raise ConfigError(f"{where}: {key} must be {known[key].__name__}, got {value!r}")
    return dict(table)


def dotted(sections: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the settings of some sections by dotted key."""
    for section, settings in sections.items():
        if not isinstance(settings, dict):
            raise ConfigError(f"{where}: expected a section [{section}], got {settings!r}")
    return {f"{section}.{key}": value for section, settings in sections.items() for key, value in settings.items()}


def config_of(settings: dict[str, Any], where: str) -> TrainConfig:
    """Build the settings of a run, and name the stage in errors."""
    config = TrainConfig()
    try:
        for key, value in settings.items():
            config = config.with_value(key, value)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return config


def given_settings(settings: dict[str, Any], config: TrainConfig) -> dict[str, Any]:
    """Return the given settings as the configuration has them, without those of one machine."""
    for key, reason in SET_BY_RECIPE.items():
        if key in settings:
            raise ConfigError(f"a recipe cannot set {key}: {reason}")
    nested = config.to_dict()
    given = {}
    for name in settings:
        section, _, key = name.partition(".")
        if name == "data.source":
            given[name] = kind_of_data(nested[section][key])
        elif key not in OF_MACHINE:
            given[name] = nested[section][key]
    return given

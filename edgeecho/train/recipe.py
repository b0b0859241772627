"""A recipe: the stages that make a released checkpoint from nothing, and the SHA-256 that names them.

`edgeecho.train.recipe_file` reads a recipe from TOML, `edgeecho.train.recipe_run` runs it; the format is in
docs/recipes.md.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from edgeecho.data import WITHOUT_FOLDER
from edgeecho.train.config import TrainConfig

TRAIN, AVERAGE = KINDS = ("train", "average")
LAST = ".last"
"""Suffix of a reference to the weights at a run's end, such as `first.last`; without it, the chosen weights."""


class Reference(NamedTuple):
    """Checkpoint that a stage starts from, learns from or averages."""

    text: str
    """Text of the reference in the recipe."""
    stage: str
    """Name of the stage that makes it; empty if it is a model's name or a path."""
    last: bool = False
    """Whether the weights at the end of the run are meant, not the chosen ones."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training run, or one mean of checkpoints."""

    name: str
    group: str
    """Name of the stage in the recipe: `name`, unless it has several seeds and so several runs."""
    kind: str = TRAIN
    init: Reference | None = None
    """Checkpoint to start from; None for random weights."""
    teacher: Reference | None = None
    """Checkpoint whose predictions are learnt too; None for none."""
    of: tuple[Reference, ...] = ()
    """Checkpoints of a mean; one that is named twice counts twice."""
    last: int = 0
    """Number of kept checkpoints that a mean takes of each run in `of`; 0 takes one checkpoint of each."""
    config: TrainConfig = field(default_factory=TrainConfig)
    """All settings of a training run."""
    given: dict[str, Any] = field(default_factory=dict)
    """Settings that the recipe gives, by dotted key, without those of one machine."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """All checkpoints that the stage needs."""
        return tuple(reference for reference in (self.init, self.teacher, *self.of) if reference)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts that decide what the stage makes, as JSON values without those that are not given."""
        values = {
            "name": self.name,
            "kind": self.kind,
            "init": self.init and self.init.text,
            "teacher": self.teacher and self.teacher.text,
            "of": [reference.text for reference in self.of],
            "last": self.last,
            "settings": dict(sorted(self.given.items())),
        }
        return {key: value for key, value in values.items() if value}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Stages in the order in which they are run."""

    name: str
    """Name of the released model."""
    out: Path
    """Folder of the stages and of the released checkpoint."""
    stages: tuple[Stage, ...]
    release: Reference
    """Checkpoint that is released."""
    export: dict[str, Any] = field(default_factory=dict)
    """Options of the export of the released checkpoint; empty for no export."""

    def to_dict(self) -> dict[str, Any]:
        """Return the normalised recipe: JSON values without comments, layout, folders and settings of one machine."""
        values = {"name": self.name, "release": self.release.text, "stages": [s.to_dict() for s in self.stages]}
        export = {key: kind_of_data(value) if key == "calib" else value for key, value in self.export.items()}
        return values | ({"export": export} if export else {})

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the normalised recipe as JSON with sorted keys, 64 hexadecimal digits."""
        return digest_of(self.to_dict())

    def needed_for(self, name: str) -> Iterator[Stage]:
        """Yield the stage or the run of a name and all that it depends on, in the order of the recipe."""
        needed = {stage.name for stage in self.stages if name in (stage.name, stage.group)}
        for stage in reversed(self.stages):
            if stage.name in needed:
                needed |= {reference.stage for reference in stage.references}
        yield from (stage for stage in self.stages if stage.name in needed)


def digest_of(values: Any) -> str:
    """Return the SHA-256 of JSON values, 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def kind_of_data(source: Any) -> Any:
    """Return `KIND` of `KIND:DIR`; drawn hearts have no folder, so their text is kept."""
    kind = source.partition(":")[0] if isinstance(source, str) else source
    return source if kind in WITHOUT_FOLDER else kind

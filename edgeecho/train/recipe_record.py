"""Records of a recipe's stages: what each was run with and what it made, so that a finished one is not run again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError
from edgeecho.files import atomic, read_regular
from edgeecho.revision import revision, uncommitted_changes
from edgeecho.train.recipe import Stage

RECORD = "stage.json"
"""Name of the record in a stage's folder."""
AGAIN = "remove the folder to run the stage again"


@dataclass(frozen=True)
class Code:
    """The code that runs a stage."""

    revision: str
    """Git revision, or `unknown`."""
    changes: dict[str, str] = field(default_factory=dict)
    """Uncommitted files, as `edgeecho.revision.uncommitted_changes` returns them."""

    @classmethod
    def current(cls) -> "Code":
        """Return the code of this process."""
        return cls(revision(), uncommitted_changes())

    def __str__(self) -> str:
        changed = f" with uncommitted changes of {', '.join(self.changes)}" if self.changes else ""
        return f"revision {self.revision}{changed}"

    @property
    def name(self) -> str:
        """Revision as a specification has it, `-dirty` after it where there are uncommitted changes, as in git."""
        return self.revision + "-dirty" * bool(self.changes)


@dataclass(frozen=True)
class Record:
    """What a stage was run with, and the checkpoints that it made."""

    stage: dict[str, Any]
    """`Stage.to_dict` of the stage."""
    inputs: dict[str, str]
    """SHA-256 of every checkpoint that it read, by reference or name."""
    codes: tuple[Code, ...]
    """Code that it was run with; several if it was resumed at another revision."""
    outputs: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every checkpoint that it made, by file name; empty until it is finished."""

    def write(self, folder: Path) -> None:
        """Write the record into the stage's folder."""
        with atomic(folder / RECORD) as path:
            path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Record | None":
        """Read the record of a stage's folder; None if the stage was never begun.

        Raises:
            ConfigError: If the record is damaged.
        """
        path = folder / RECORD
        if not path.is_file():
            return None
        try:
            values = json.loads(read_regular(path))
            return cls(**{**values, "codes": tuple(Code(**code) for code in values["codes"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"{path}: no record of a stage; {AGAIN}") from error

    def require_same_stage(self, stage: Stage, folder: Path) -> None:
        """Refuse a stage whose settings have changed.

        Raises:
            ConfigError: With the first setting that differs.
        """
        before, now = _flat(self.stage), _flat(stage.to_dict())
        for key in sorted(before.keys() | now.keys()):
            if before.get(key) != now.get(key):
                was, is_ = (_text(values.get(key)) for values in (before, now))
                raise ConfigError(f"{folder}: was run with {key} {was}, the recipe has {is_}; {AGAIN}")

    def require_same_code(self, code: Code, folder: Path) -> None:
        """Refuse to go on with other code.

        Raises:
            ConfigError: If the revision or an uncommitted change differs.
        """
        for before in self.codes:
            if before != code:
                raise ConfigError(
                    f"{folder}: was run at {before}, this is {code}; check that out, choose another recipe.out, or add "
                    "--any-revision: the released file then names all revisions"
                )

    def require_same_inputs(self, inputs: Mapping[str, str], folder: Path) -> None:
        """Refuse a stage whose inputs have changed.

        Raises:
            ConfigError: If a checkpoint that the stage read is another one now.
        """
        for name in sorted(self.inputs.keys() | inputs.keys()):
            was, now = self.inputs.get(name, "none"), inputs.get(name, "none")
            if was != now:
                raise ConfigError(
                    f"{folder}: was made from another {name} (SHA-256 {was[:12]}, now {now[:12]}); {AGAIN}"
                )

    def require_outputs(self, folder: Path) -> None:
        """Refuse a finished stage whose checkpoints are missing or changed.

        Raises:
            ConfigError: With the first file that differs.
        """
        for name, was in self.outputs.items():
            path = folder / name
            now = sha256_of(path) if path.is_file() else "missing"
            if now != was:
                raise ConfigError(f"{path}: is not what the stage wrote (SHA-256 {was[:12]}, now {now[:12]}); {AGAIN}")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flat(stage: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a stage, and its settings by their own names."""
    settings: dict[str, Any] = stage.get("settings", {})
    return {key: value for key, value in stage.items() if key != "settings"} | settings


def _text(value: Any) -> str:
    return "not set" if value is None else f"= {json.dumps(value)}"

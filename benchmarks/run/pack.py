"""A pack: model files of a benchmark, read and run on a board that has no torch. `write_pack.py` writes it."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeecho.benchmarks.peers.peers import PEERS
from edgeecho.benchmarks.run.entries import DEFAULT_PRECISIONS, FORMS, PRECISIONS, Entry, require_names, rows_of
from edgeecho.benchmarks.run.machine import has_engine, runtime_name
from edgeecho.errors import ConfigError, EdgeEchoError, MissingExtraError
from edgeecho.files import read_regular
from edgeecho.model.registry import DEFAULT_MODEL

INDEX = "pack.json"
FORMAT = 1
PACKED_RUNTIMES = ("ort", "openvino")
DEFAULT_SELECTION = {"runtimes": PACKED_RUNTIMES, "precisions": DEFAULT_PRECISIONS, "forms": FORMS}
"""Runtimes, precisions and forms of a pack whose index has no key `asked`, as in earlier releases."""


@dataclass(frozen=True)
class Pack:
    """Contents of a folder that `write_pack` wrote."""

    folder: Path
    kinds: dict[str, str]
    """Model to `ours` or `peer`."""
    macs: dict[tuple[str, str | None], int | None]
    """MACs a frame, by model and form; a board has no `onnx` to count them."""
    selected: Mapping[str, Sequence[str]]
    """`runtimes`, `precisions` and `forms` for which it was written."""
    files: dict[str, list[str]] | None
    """Model to the names of its files; None for an older pack, which has all files of its folder."""

    @classmethod
    def read(cls, folder: Path) -> "Pack":
        """Read the index of a pack.

        Raises:
            ConfigError: If the folder is no pack, or one of another version.
        """
        try:
            index = json.loads(read_regular(folder / INDEX))
            made_as, models = index["format"], dict(index["models"])
            macs = {(row["model"], row["form"]): row["macs_per_frame"] for row in index["macs"]}
            selected = {key: tuple(index.get("asked", DEFAULT_SELECTION)[key]) for key in DEFAULT_SELECTION}
            files = index.get("files")
            files = None if files is None else {str(name): list(files[name]) for name in models}
            if any(Path(name).name != name for name in models):
                raise ValueError("a model's name is a path")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{folder}: no pack there (no sound {INDEX}); write one with edgeecho bench --prepare {folder.name}"
            ) from error
        if made_as != FORMAT:
            raise ConfigError(f"{folder.name}: a pack of format {made_as}, this EdgeEcho reads {FORMAT}")
        return cls(folder, models, macs, selected, files)

    def entries(
        self,
        runtimes: Sequence[str] | None = None,
        precisions: Sequence[str] | None = None,
        forms: Sequence[str] | None = None,
        models: Sequence[str] | None = None,
    ) -> list[Entry]:
        """Return every requested entry of the pack whose file is there.

        Args:
            runtimes: Names of `PACKED_RUNTIMES`; None means those of the pack, as for the next two.
            precisions: Names of `PRECISIONS`.
            forms: Names of `FORMS`.
            models: Names in the pack, `default` or `all`; None means all.

        Raises:
            ConfigError: If a name is unknown or nothing is left.
        """
        runtimes, precisions, forms = (
            self.selected[key] if given is None else given
            for key, given in zip(DEFAULT_SELECTION, (runtimes, precisions, forms), strict=True)
        )
        require_names(
            ("runtime", runtimes, PACKED_RUNTIMES), ("precision", precisions, PRECISIONS), ("form", forms, FORMS)
        )
        kept = [
            row
            for name, kind in self.kinds.items()
            if self._is_selected(name, models) and (kind == "ours" or name in PEERS)
            for row in rows_of(self._model(name, kind), runtimes, precisions, forms, self.folder)
            if self._holds(row)
        ]
        if not kept:
            raise ConfigError(f"{self.folder.name}: the pack holds no file of these forms, runtimes and precisions")
        return list(dict.fromkeys(kept))

    def _model(self, name: str, kind: str) -> str:
        """Return the name of a model for `rows_of`: its folder's path, or a peer's name."""
        return str((self.folder / name).absolute()) if kind == "ours" else name

    def _is_selected(self, name: str, models: Sequence[str] | None) -> bool:
        if models is None:
            return True
        names = {DEFAULT_MODEL if model == "default" else model for model in models}
        if unknown := sorted(names - set(self.kinds) - {"all"}):
            raise ConfigError(f"{unknown[0]}: not in the pack {self.folder.name}; it holds {', '.join(self.kinds)}")
        return name in names or "all" in names

    def _holds(self, entry: Entry) -> bool:
        try:
            path = entry.path()
        except EdgeEchoError:
            return False
        return path.is_file() and (self.files is None or path.name in self.files[entry.model])

    def instruction(self) -> str:
        """Return the line that tells how to run the pack on a board."""
        names = [name for of_model in (self.files or {}).values() for name in of_model]
        needs_openvino = any(name.endswith(".xml") for name in names)
        package = "'edgeecho[openvino]'" if needs_openvino else "edgeecho"
        name = shlex.quote(self.folder.name or self.folder.resolve().name)
        line = f"On the board: pip install {package}, then edgeecho bench --pack {name}"
        if needs_openvino and any(not name.endswith((".xml", ".bin")) for name in names):
            line += " (after pip install edgeecho alone, the OpenVINO rows are left out)"
        return line


def with_engines(rows: list[Entry], notify: Callable[[str], None]) -> list[Entry]:
    """Return the entries whose engine is installed on this machine.

    Args:
        rows: Entries of a pack.
        notify: Called with a message for each engine that is not installed.

    Raises:
        MissingExtraError: If none is.
    """
    missing = [runtime for runtime in dict.fromkeys(row.runtime for row in rows) if not has_engine(runtime)]
    kept = [row for row in rows if row.runtime not in missing]
    for runtime in missing:
        count = sum(row.runtime == runtime for row in rows)
        line = f"{runtime_name(runtime)} is not installed: pip install 'edgeecho[{runtime}]'"
        if not kept:
            raise MissingExtraError(f"{line}; the pack has no rows of another engine")
        notify(f"left out {count} of {len(rows)} rows: {line}")
    return kept

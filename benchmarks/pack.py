"""A packed contest: exported on a desktop, run on a board that has no torch."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.contest import prepare, speckle_clip
from edgeecho.benchmarks.entries import FORMS, PRECISIONS, Entry, entries, known, macs_per_frame
from edgeecho.benchmarks.peers import PEERS
from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.files import atomic, require_writable

INDEX = "pack.json"
FORMAT = 1
PACKED_RUNTIMES = ("ort", "openvino")


@dataclass(frozen=True)
class Pack:
    """What a folder of `prepare_pack` holds."""

    folder: Path
    kinds: dict[str, str]
    """Model to `ours` or `peer`."""
    macs: dict[tuple[str, str | None], int | None]
    """Multiply-adds a frame, by model and form: a board has no onnx to count them with."""

    @classmethod
    def read(cls, folder: Path) -> "Pack":
        """
        Raises:
            ConfigError: If the folder is no pack, or one of another version.
        """
        try:
            index = json.loads((folder / INDEX).read_text())
            made_as, models = index["format"], dict(index["models"])
            macs = {(row["model"], row["form"]): row["macs_per_frame"] for row in index["macs"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder}: no pack there (no sound {INDEX}); write one with edgeecho bench --prepare {folder.name}"
            ) from error
        if made_as != FORMAT:
            raise ConfigError(f"{folder.name}: a pack of format {made_as}, this EdgeEcho reads {FORMAT}")
        return cls(folder, models, macs)

    def entries(self, runtimes: Sequence[str], precisions: Sequence[str], forms: Sequence[str]) -> list[Entry]:
        """Every row of the pack that is asked for and whose file is there.

        Raises:
            ConfigError: If a name is unknown or nothing is left.
        """
        known(("runtime", runtimes, PACKED_RUNTIMES), ("precision", precisions, PRECISIONS), ("form", forms, FORMS))
        ours = [str((self.folder / name).absolute()) for name, kind in self.kinds.items() if kind == "ours"]
        peers = [name for name, kind in self.kinds.items() if kind == "peer" and name in PEERS]
        rows = entries([*ours, *peers], runtimes, precisions, forms, self.folder)
        kept = [row for row in rows if _is_there(row)]
        if not kept:
            raise ConfigError(f"{self.folder.name}: the pack holds no file of these forms, runtimes and precisions")
        return kept


def _is_there(entry: Entry) -> bool:
    try:
        return entry.path().is_file()
    except EdgeEchoError:
        return False


def prepare_pack(
    folder: Path,
    models: Sequence[str],
    runtimes: Sequence[str],
    precisions: Sequence[str],
    forms: Sequence[str],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Write the contestants' files and what a board cannot find out by itself.

    Args:
        folder: Made if need be; what it holds already and is current stays.
        models: As `run_bench`; files cannot be packed, folders and names can.
        runtimes: `ort`, `openvino`.
        precisions: As `run_bench`.
        forms: As `run_bench`.
        say: Told what is done.

    Returns:
        Model to the reason why it is not in the pack; empty if all are.

    Raises:
        ConfigError: If a name makes no sense.
        OutputError: If the folder cannot be written.
    """
    known(("runtime", runtimes, PACKED_RUNTIMES))
    rows = entries(models, runtimes, precisions, forms, folder)
    require_writable(folder)
    np.save(folder / "frames.npy", speckle_clip())
    kinds: dict[str, str] = {}
    failures: dict[str, str] = {}
    for name in dict.fromkeys(row.model for row in rows):
        of_name = [row for row in rows if row.model == name]
        say(f"packing {name}")
        failure = _pack_one(folder, name, of_name)
        if failure:
            failures[name] = failure
        else:
            kinds[name] = of_name[0].kind
    clip = np.load(folder / "frames.npy", mmap_mode="r")
    macs = [
        {
            "model": row.model,
            "form": row.form,
            "macs_per_frame": macs_per_frame(row, 1 if row.form == "stream" else len(clip)),
        }
        for row in {(r.model, r.form): r for r in rows if r.model in kinds}.values()
    ]
    with atomic(folder / INDEX) as path:
        path.write_text(json.dumps({"format": FORMAT, "models": kinds, "macs": macs}, indent=1) + "\n")
    return failures


def _pack_one(folder: Path, name: str, rows: list[Entry]) -> str | None:
    if len({row.source for row in rows}) > 1:
        return "two models have that name; rename a folder, or pack one of them"
    if rows[0].kind == "peer":
        return prepare(name, rows, folder / "frames.npy")
    source = Path(rows[0].source)
    if not source.is_dir():
        return "a single file; pack the folder that edgeecho export wrote"
    files = [p for p in source.iterdir() if p.suffix in (".onnx", ".xml", ".bin", ".ort") or p.name == "bundle.json"]
    (folder / name).mkdir(exist_ok=True)
    for file in files:
        with atomic(folder / name / file.name) as path:
            shutil.copyfile(file, path)
    return None

"""Writer of packs, for `edgeecho bench --prepare`: files of the requested rows, and what a board cannot compute."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.complete_models import complete_models
from edgeecho.benchmarks.run.entries import Entry, entries, macs_per_frame, require_names
from edgeecho.benchmarks.run.pack import DEFAULT_SELECTION, FORMAT, INDEX, PACKED_RUNTIMES
from edgeecho.benchmarks.run.peer_files import export_peer_files
from edgeecho.errors import EdgeEchoError
from edgeecho.files import atomic, require_writable, scratch_folder
from edgeecho.model.index_seal import write_index_file
from edgeecho.model.registry import INDEX as BUNDLE_INDEX
from edgeecho.model.registry import read_index

MODEL_SUFFIXES = (".onnx", ".ort", ".xml", ".bin")


def write_pack(
    folder: Path,
    models: Sequence[str],
    runtimes: Sequence[str],
    precisions: Sequence[str],
    forms: Sequence[str],
    notify: Callable[[str], None],
    clip: np.ndarray | None = None,
) -> dict[str, str]:
    """Write the files of the requested rows and an index of them.

    Args:
        folder: Folder, which is made if it does not exist; other files of an earlier pack stay, and are not run.
        models: Names and folders as in `run_bench`; files cannot be packed.
        runtimes: `ort`, `openvino`.
        precisions: Names as in `run_bench`.
        forms: Names as in `run_bench`.
        notify: Called with messages: progress, models without a possible row, files that are not of this pack.
        clip: Clip that peers are exported with, uint8 (T, 1, S, S); None means that of `run_bench`.

    Returns:
        Model to the reason why it is not in the pack; empty if all models are.

    Raises:
        ConfigError: If a name makes no sense.
        OutputError: If the folder cannot be written.
    """
    require_names(("runtime", runtimes, PACKED_RUNTIMES))
    with scratch_folder("edgeecho-pack-") as scratch:
        completed = complete_models(models, runtimes, precisions, forms, Path(scratch), notify)
        rows = entries(models, runtimes, precisions, forms, folder, notify=notify, completed=completed)
        require_writable(folder)
        selected = dict(zip(DEFAULT_SELECTION, map(list, (runtimes, precisions, forms)), strict=True))
        return _write(folder, rows, selected, clip, notify)


def _write(
    folder: Path,
    rows: list[Entry],
    selected: dict[str, list[str]],
    clip: np.ndarray | None,
    notify: Callable[[str], None],
) -> dict[str, str]:
    """Write the files of the rows and the index, and return the failures of models."""
    np.save(folder / "frames.npy", speckle_clip() if clip is None else clip)
    frames = len(np.load(folder / "frames.npy", mmap_mode="r"))
    kinds: dict[str, str] = {}
    files: dict[str, list[str]] = {}
    macs: list[dict[str, object]] = []
    failures: dict[str, str] = {}
    for name in dict.fromkeys(row.model for row in rows):
        of_name = [row for row in rows if row.model == name]
        notify(f"packing {name}")
        try:
            packed, counts = _pack_one(folder, name, of_name, frames)
        except EdgeEchoError as error:
            failures[name] = str(error)
            continue
        kinds[name], files[name] = of_name[0].kind, packed
        macs += [{"model": name, "form": form, "macs_per_frame": count} for form, count in counts.items()]
        lying = {path.name for path in (folder / name).iterdir() if path.suffix in MODEL_SUFFIXES}
        if others := sorted(lying - set(packed)):
            notify(f"{name}: not of this pack, and not run: {', '.join(others)}")
    with atomic(folder / INDEX) as path:
        index = {"format": FORMAT, "models": kinds, "asked": selected, "files": files, "macs": macs}
        path.write_text(json.dumps(index, indent=1) + "\n")
    return failures


class _NotPackedError(EdgeEchoError):
    """Error of one model; the others go on."""


def _pack_one(
    folder: Path, name: str, rows: list[Entry], frames: int
) -> tuple[list[str], dict[str | None, int | None]]:
    """Write the files of one model's rows.

    Returns:
        Names of the files, and MACs a frame by form.

    Raises:
        EdgeEchoError: If it cannot be packed.
    """
    if len({row.source for row in rows}) > 1:
        raise _NotPackedError("two models have that name; rename a folder, or pack one of them")
    own = folder / name
    if rows[0].kind == "peer":
        before = set(own.iterdir()) if own.is_dir() else set()
        if failure := export_peer_files(name, rows, folder / "frames.npy"):
            raise _NotPackedError(failure)
    elif not Path(rows[0].source).is_dir():
        raise _NotPackedError("a single file; pack the folder that edgeecho export wrote")
    counts = {row.form: macs_per_frame(row, 1 if row.form == "stream" else frames) for row in rows}
    paths = [path for row in rows for path in _files(row.path())]
    names = sorted({path.name for path in paths})
    if rows[0].kind == "peer":
        for path in set(own.iterdir()) - before:
            if path.suffix in MODEL_SUFFIXES and path.name not in names:
                path.unlink()  # was written to be counted alone
        return names, counts
    own.mkdir(exist_ok=True)
    for path in paths:
        if path.resolve() != (own / path.name).resolve():
            with atomic(own / path.name) as temporary:
                shutil.copyfile(path, temporary)
    _write_bundle_index(Path(rows[0].source), own, names)
    return names, counts


def _files(path: Path) -> list[Path]:
    """Return a model file, and OpenVINO's weights beside it."""
    return [path, path.with_suffix(".bin")] if path.suffix == ".xml" else [path]


def _write_bundle_index(source: Path, own: Path, names: list[str]) -> None:
    """Write the `bundle.json` of a folder for its packed files alone."""
    index = read_index(source)
    if index and source.resolve() != own.resolve():
        for key in {"files", "graphs"} & set(index):
            index[key] = {name: value for name, value in index[key].items() if name in names}
        write_index_file(own / BUNDLE_INDEX, index)

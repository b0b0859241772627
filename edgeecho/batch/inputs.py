"""The cines of a run: files, folders, patterns, lists, tables and addresses, each with a name for its results."""

import csv
import glob
import io
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeecho.batch.settings import CineOptions
from edgeecho.batch.task import CineTask
from edgeecho.cine import find_cines
from edgeecho.cine.result_files import PRODUCT_SUFFIXES, SUFFIXES
from edgeecho.dicom import Pseudonyms
from edgeecho.errors import ConfigError, EdgeEchoError, VideoError, require
from edgeecho.files import atomic, open_regular, read_regular
from edgeecho.names import printable
from edgeecho.preprocess import Roi

LIST_SUFFIXES = (".txt", ".csv", ".parquet")
"""A text file has a path a line; a table has a row a cine, with the columns of `TABLE_COLUMNS`."""
TABLE_COLUMNS = ("path", "name", "fps", "row_mm", "column_mm", "roi", "flip")
"""Columns of a table; all but `path` may be missing or empty, and the run's settings then hold. Others are ignored."""


def find_tasks(
    inputs: Iterable[str], out: str, options: CineOptions, pseudonyms: Pseudonyms | None = None
) -> list[CineTask]:
    """Find the cines of a run.

    Args:
        inputs: Files, folders, patterns with `*`, lists and tables (`LIST_SUFFIXES`), and addresses with `://`.
        out: Folder for the results; files in it are no inputs, unless they are named one by one.
        options: Settings of cines for which a table does not give others.
        pseudonyms: If they are given, each cine is named by the pseudonym of its absolute path or address.

    Raises:
        VideoError: If there is no cine, or a list cannot be read.
        ConfigError: If a table gives a setting that makes no sense, or a name twice.
    """
    found = [row for given in inputs for row in _rows_of(given, Path(os.path.realpath(out)))]
    if not found:
        raise VideoError("no cine to segment: the inputs hold none outside the output folder")
    found = list({row["path"]: row for row in found}.values())
    if pseudonyms:
        return [
            CineTask(row["path"], pseudonym_of(row["path"], pseudonyms), _options_of(row, options), is_hidden=True)
            for row in found
        ]
    names = name_results([row["path"] for row in found], [row.get("name") for row in found])
    return [CineTask(row["path"], name, _options_of(row, options)) for row, name in zip(found, names, strict=True)]


def pseudonym_of(source: str, pseudonyms: Pseudonyms) -> str:
    """Return the pseudonym of a cine, that of its absolute path or its address."""
    return pseudonyms.name("cine", source if "://" in source else os.path.abspath(source))


def name_results(sources: list[str], given: list[str | None]) -> list[str]:
    """Return the name of each cine's results: its own, with its folder's before it where two would be equal.

    Raises:
        ConfigError: If a given name is no plain file name, or is there twice.
    """
    stems = [Path(source).name.removesuffix(".gz").rpartition(".")[0] or Path(source).name for source in sources]
    count, taken = Counter(stems), set[str]()
    names = []
    for source, stem, own in zip(sources, stems, given, strict=True):
        if own is not None and (own in taken or own != Path(own).name or own.startswith(".")):
            raise ConfigError(f"name {own!r} of {source}: names must be file names, and each there once; change it")
        path = Path(source)
        name = own or (stem if count[stem] == 1 else f"{path.absolute().parent.name}_{path.name}")
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def write_pseudonym_map(path: Path, tasks: Iterable[CineTask]) -> None:
    """Write which cine each pseudonym stands for, a CSV with the columns name and input that only its owner may read.

    Raises:
        OutputError: If it cannot be written.
    """
    with atomic(path, mode=0o600) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("name", "input"))
        rows.writerows((task.name, printable(task.source)) for task in tasks)


def overwrites(task: CineTask, out: Path) -> bool:
    """Whether the results of a cine would replace the cine itself."""
    return "://" not in task.source and Path(os.path.realpath(task.source)) in {
        Path(os.path.realpath(out)) / f"{task.name}{suffix}" for suffix in (*SUFFIXES, *PRODUCT_SUFFIXES)
    }


def _rows_of(given: str, out: Path) -> Iterator[dict[str, Any]]:
    if "://" in given:
        yield from ({"path": address} for address in _addresses(given))
        return
    path = Path(given)
    if path.suffix.lower() in LIST_SUFFIXES and path.is_file():
        yield from _listed(path)
        return
    if not path.exists() and glob.has_magic(given):
        matched = sorted(glob.glob(given, recursive=True))
        if not matched:
            raise VideoError(f"{given}: no file matches this pattern; check it, and its quotes")
        yield from ({"path": os.fspath(cine)} for cine in find_cines(matched))
        return
    own = Path(os.path.realpath(path))
    for cine in find_cines([path]):
        if (real := Path(os.path.realpath(cine))) == own or out not in real.parents:
            yield {"path": os.fspath(cine)}


def _addresses(given: str) -> list[str]:
    """Return the files of an address: those that match its pattern, or it alone."""
    fsspec = require("fsspec", "batch")
    try:
        files, path = fsspec.core.url_to_fs(given)
        found = [files.unstrip_protocol(name) for name in sorted(files.glob(path))] if glob.has_magic(path) else [given]
    except Exception as error:  # each kind of address raises its own
        raise VideoError(f"{given}: cannot be opened: {' '.join(str(error).split())}; check the address") from error
    if not found:
        raise VideoError(f"{given}: no file matches this pattern; check it, and its quotes")
    return found


def _listed(path: Path) -> list[dict[str, Any]]:
    """Read a list or a table; relative paths are relative to its folder."""
    try:
        rows = _read_table(path) if path.suffix.lower() != ".txt" else _read_lines(path)
    except (OSError, ValueError, csv.Error) as error:
        raise VideoError(f"{path}: cannot be read as a list of cines: {error}; give a path a line") from error
    if any(not row.get("path") for row in rows):
        raise VideoError(
            f"{path}: a row without `path`; a table needs the column path, and may have {TABLE_COLUMNS[1:]}"
        )
    return [row | {"path": _relative_to(path.parent, str(row["path"]))} for row in rows]


def _relative_to(folder: Path, name: str) -> str:
    return name if "://" in name else os.fspath(folder / name)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    lines = (line.strip() for line in read_regular(path).decode("utf-8", "surrogateescape").splitlines())
    return [{"path": line} for line in lines if line and not line.startswith("#")]


def _read_table(path: Path) -> list[dict[str, Any]]:
    if path.suffix.lower() == ".parquet":
        require("pyarrow", "batch")
        from pyarrow import ArrowException, parquet

        try:
            rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        except ArrowException as error:
            raise ValueError(" ".join(str(error).split())) from error
    else:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    return [{key: row[key] for key in TABLE_COLUMNS if row.get(key) not in (None, "")} for row in rows]


def _options_of(row: Mapping[str, Any], options: CineOptions) -> CineOptions:
    """Return the settings of a cine: those of its row in a table, else those of the run."""
    try:
        changes: dict[str, Any] = {}
        if "fps" in row:
            changes["fps"] = float(row["fps"])
        if "row_mm" in row or "column_mm" in row:
            changes["spacing_mm"] = (float(row["row_mm"]), float(row["column_mm"]))
        if "roi" in row:
            x, y, width, height = (float(value) for value in str(row["roi"]).split(","))
            changes["roi"] = Roi(*(round(value) for value in (x, y, width, height)))
        if "flip" in row:
            changes["flip"] = str(row["flip"])
        if not all(math.isfinite(value) for value in changes.get("spacing_mm", ())):
            raise ValueError("spacing is not finite")
        return replace(options, **changes)
    except (ValueError, KeyError, OverflowError) as error:
        reason = str(error) if isinstance(error, EdgeEchoError) else "fps, row_mm, column_mm: numbers; roi: X,Y,W,H"
        raise ConfigError(f"{row['path']}: a setting in its table makes no sense: {reason}") from error

"""CSV tables and folder listings of data sets, with errors that name the column or the folder."""

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edgeecho.errors import DataError
from edgeecho.files import open_regular


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Read the rows of a CSV by column name, without blanks around names and values; a short row has empty values.

    Raises:
        DataError: If the file is missing, no text, or lacks one of `columns`.
    """
    names, lines = _open(path, columns)
    for line in lines:
        if line:
            values = [value.strip() for value in line]
            yield dict(zip(names, values + [""] * (len(names) - len(values)), strict=False))


def read_columns(path: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """Read the values of some columns, row by row: for tables of half a million rows.

    Raises:
        DataError: If the file is missing, no text, or lacks one of `columns`.
    """
    names, lines = _open(path, columns)
    picks = [names.index(column) for column in columns]
    last = max(picks)
    for line in lines:
        if line:
            if len(line) <= last:
                line = line + [""] * (last + 1 - len(line))
            yield [line[i] for i in picks]


def _open(path: Path, columns: Sequence[str]) -> tuple[list[str], Iterator[list[str]]]:
    lines = _lines(path)
    names = [name.strip() for name in next(lines, [])]
    missing = [column for column in columns if column not in names]
    if missing:
        found = ", ".join(names) or "nothing"
        raise DataError(f"{path}: no column {' and no column '.join(missing)}; found {found}; fetch the file again")
    return names, lines


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
    except FileNotFoundError as error:
        raise DataError(f"{path}: missing; fetch the data set again or check the folder") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV text file: {error}") from error


def number(text: str | None) -> float:
    """Parse a number; NaN if the text is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def stated_values(**values: Any) -> dict[str, Any]:
    """Return the values that are stated: without None, empty texts, NaN and infinity."""
    return {
        key: value
        for key, value in values.items()
        if value is not None and value != "" and not (isinstance(value, float) and not math.isfinite(value))
    }


def whole(text: str | None) -> int | None:
    """Parse a whole number, such as `46` or `46.0`; None if the text is none."""
    value = number(text)
    return int(value) if math.isfinite(value) and value == int(value) else None


def list_folder(path: Path) -> list[str]:
    """List the names inside a folder, sorted, without hidden ones; empty if there is no such folder.

    Raises:
        DataError: If it may not be read.
    """
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; check the rights") from error

"""Integrity of a model file or a bundle: its checksums, and what it contains, for `edgeecho info`."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgeecho.errors import ModelFileError
from edgeecho.files import read_regular
from edgeecho.model.index_seal import is_sealed
from edgeecho.model.registry import INDEX, find_files, model_folder, read_index
from edgeecho.model.sealed_file import MAX_BYTES, read_verified
from edgeecho.model.spec import ModelSpec

_NO_SEAL = (
    f"{INDEX} has no seal, so that only what the sealed files state is shown; "
    "python -m edgeecho.model.index_seal FOLDER seals it"
)


@dataclass(frozen=True)
class FileReport:
    """Contents of one file, and whether it is intact."""

    name: str
    bytes: int
    """Size of the file and of its `.bin`, if it has one; 0 if it is missing."""
    error: str | None
    """Reason why the file must not be used; None if its checksums hold."""
    spec: ModelSpec | None
    """Specification in the file; None for a file without a model and for a damaged one."""
    selftest: str | None = None
    """Tolerance of the self-test and its processors, in words; None without a self-test."""
    refusal: str | None = None
    """Reason why the acceptance test refused the file at its export; None if it did not."""


@dataclass(frozen=True)
class Report:
    """Contents of a model file or of a folder, and whether its files are intact."""

    name: str
    files: list[FileReport]
    index: dict[str, Any] = field(default_factory=dict)
    """Contents of `bundle.json`; empty if there is none, or if it has no seal, so that nothing shows it is whole."""
    note: str = ""
    """Sentence that tells a user why the index is not shown; empty if it is sealed."""

    @property
    def errors(self) -> list[str]:
        """Errors of all files."""
        return [file.error for file in self.files if file.error]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        rows = [{**asdict(f), "spec": json.loads(f.spec.to_json()) if f.spec else None} for f in self.files]
        return {"name": self.name, "sound": not self.errors, "files": rows, "bundle": self.index or None}


def verify_model(model: str) -> Report:
    """Verify the files of a model and read what they contain.

    Args:
        model: A packaged model's name, a folder or a file. In a folder every model file is checked by its own seal, and
            what `bundle.json` lists by the SHA-256 there too.

    Raises:
        ModelFileError: If there is no such model, or a folder's index is damaged.
    """
    paths, folder = find_files(model), model_folder(model)
    index = read_index(folder) if folder else {}
    listed: dict[str, str] = index.get("files", {})
    seen = {path.name for path in paths} | {path.with_suffix(".bin").name for path in paths if path.suffix == ".xml"}
    reports = [_file(path, listed) for path in paths]
    if folder:
        reports += [_listed(folder / name, listed[name]) for name in sorted(set(listed) - seen)]
    reports += _contradictions(index, reports)
    name = folder.name if folder else paths[0].name
    return Report(name, reports, index) if is_sealed(index) or not index else Report(name, reports, {}, _NO_SEAL)


def _contradictions(index: dict[str, Any], reports: list[FileReport]) -> list[FileReport]:
    """Return an error of the index if it states another specification than the sealed files."""
    stated = {report.name: report.spec for report in reports if report.spec}
    wrong = [
        name for name, spec in index.get("graphs", {}).items() if name in stated and not _is_of(spec, stated[name])
    ]
    whole = index.get("spec")
    if whole is not None and any(_identity(whole) != _identity(spec.to_dict()) for spec in stated.values()):
        wrong.append("its model")
    text = f"{INDEX}: states of {wrong[0]} what the sealed files do not; export again" if wrong else None
    return [FileReport(INDEX, 0, text, None)] if wrong else []


def _is_of(values: Any, spec: ModelSpec) -> bool:
    return bool(values == json.loads(spec.to_json()))


def _identity(values: Any) -> tuple[Any, ...]:
    """Return what all files of a bundle have in common."""
    return (
        tuple(values.get(key) for key in ("name", "family", "licence", "trained_on"))
        if isinstance(values, dict)
        else ()
    )


def _file(path: Path, listed: dict[str, str]) -> FileReport:
    """Verify a model file by its seal, and by the index if that lists it."""
    try:
        _, spec, companion, record, refusal = read_verified(path)
    except ModelFileError as broken:
        return FileReport(path.name, 0, str(broken), None)
    parts = {path.name: read_regular(path)}  # of a device file, more than the graph in it
    if companion:
        parts[path.with_suffix(".bin").name] = companion
    others = [n for n, data in parts.items() if listed.get(n) not in (None, hashlib.sha256(data).hexdigest())]
    error = f"{others[0]}: sound, but not the file that {INDEX} lists; export again" if others else None
    test = f"{len(record.answers)} frames, {record.tolerance}, on {record.processors}" if record else None
    return FileReport(path.name, sum(map(len, parts.values())), error, spec, test, refusal)


def _listed(path: Path, expected: str) -> FileReport:
    """Verify a file without a model by the index, which lists it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return FileReport(path.name, 0, f"{path.name}: more than the {MAX_BYTES} bytes allowed", None)
        data = read_regular(path)
    except OSError as broken:
        return FileReport(path.name, 0, f"{path.name}: listed in {INDEX}, cannot be read ({broken.strerror})", None)
    holds = hashlib.sha256(data).hexdigest() == expected
    error = None if holds else f"{path.name}: not the file that {INDEX} lists; export again"
    return FileReport(path.name, len(data), error, None)

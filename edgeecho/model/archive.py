"""Model archives: a bundle as one file that `edgeecho models --add` verifies and installs.

    python -m edgeecho.model.archive OUT NAME...

writes OUT/NAME-VERSION.zip, and beside each its SHA-256 in the form that `sha256sum --check` reads. The same bundle
gives the same bytes. An archive contains the folder NAME with `bundle.json`, the files that this lists, the licence and
the model's README.
"""

import hashlib
import sys
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path

from edgeecho.errors import ModelFileError, OutputError
from edgeecho.files import atomic, open_regular, read_regular, replace_folder, scratch_folder
from edgeecho.model.integrity import verify_model
from edgeecho.model.registry import INDEX, added_models_folder, model_folder, read_index
from edgeecho.model.sealed_file import MAX_BYTES

BESIDE = ("LICENSE", "README.md", "CARD.md")
"""Files that an archive may contain without an entry in its index."""
MAX_FILES = 100
DATE = (2026, 1, 1, 0, 0, 0)
"""Time of every file in an archive, so that its bytes depend on the bundle alone."""


def write_archive(model: str, out: Path) -> Path:
    """Pack a bundle.

    Args:
        model: A model's name, or a folder that `edgeecho export` wrote.
        out: Folder for the archive and its checksum.

    Raises:
        ModelFileError: If there is no such bundle, or one of its files is damaged.
        OutputError: If the folder cannot be written.
    """
    folder = model_folder(model)
    if folder is None or not (folder / INDEX).is_file():
        raise ModelFileError(f"{model}: no bundle to pack; give a model's name or a folder that edgeecho export wrote")
    _require_sound(folder)
    names = {INDEX, *read_index(folder)["files"], *(name for name in BESIDE if (folder / name).is_file())}
    path = out / f"{folder.name}-{version('edgeecho')}.zip"
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (folder / name).read_bytes(), zipfile.ZIP_DEFLATED, 9)
    with atomic(_checksum_file(path)) as temporary:
        temporary.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return path


def add_archive(path: Path, folder: Path | None = None) -> Path:
    """Verify an archive and install its model; one of the same name that was added before is replaced.

    The archive is compared with the SHA-256 file beside it, if there is one, and every file inside with its own seal
    and with the index.

    Args:
        path: Archive that `write_archive` wrote.
        folder: Folder of the added models; None means `added_models_folder()`.

    Returns:
        The model's folder.

    Raises:
        ModelFileError: If it is no model archive, is damaged, or contains a file that its index does not list.
        OutputError: If the folder cannot be written.
    """
    folder = folder or added_models_folder()
    _require_checksum(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch_folder(".adding-", folder) as staging:
            unpacked = _unpack(path, staging)
            _require_sound(unpacked)
            allowed = {INDEX, *BESIDE, *read_index(unpacked)["files"]}
            if others := sorted({file.name for file in unpacked.iterdir()} - allowed):
                raise ModelFileError(f"{path.name}: holds {others[0]}, which its {INDEX} does not list; not installed")
            target = folder / unpacked.name
            replace_folder(unpacked, target)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}; set EDGEECHO_MODELS") from error
    return target


def _unpack(path: Path, staging: Path) -> Path:
    """Unpack an archive of one flat folder, whose files together may not be larger than a model file."""
    broken = f"{path.name}: not a model archive of EdgeEcho's; fetch it again"
    files: dict[str, bytes] = {}
    try:
        opened = open_regular(path)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        with opened, zipfile.ZipFile(opened) as archive:
            entries = archive.infolist()
            names = {entry.filename.partition("/")[0] for entry in entries}
            if len(names) != 1 or not 0 < len(entries) <= MAX_FILES:
                raise ModelFileError(broken)
            if (size := sum(entry.file_size for entry in entries)) > MAX_BYTES:
                raise ModelFileError(f"{path.name}: {size} bytes unpacked, more than the {MAX_BYTES} allowed")
            for entry in entries:
                files[_plain(entry.filename.partition("/")[2], broken)] = archive.read(entry)
            if len(files) != len(entries):
                raise ModelFileError(broken)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError) as error:
        raise ModelFileError(broken) from error
    unpacked = staging / _plain(names.pop(), broken)
    unpacked.mkdir()
    for name, data in files.items():
        (unpacked / name).write_bytes(data)
    return unpacked


def _plain(name: str, broken: str) -> str:
    """Return the name of a file or folder; refuse a path, which could lead out of the folder."""
    if not name or name.startswith(".") or any(letter in name for letter in "/\\:\0") or not name.isprintable():
        raise ModelFileError(broken)
    return name


def _require_sound(folder: Path) -> None:
    if not (folder / INDEX).is_file():
        raise ModelFileError(f"{folder.name}: has no {INDEX}; fetch or export the model again")
    report = verify_model(str(folder))
    if report.errors:
        raise ModelFileError(f"{folder.name}: {report.errors[0].replace(f'{folder}/', '')}")


def _require_checksum(path: Path) -> None:
    """Compare an archive with the SHA-256 file beside it, where there is one."""
    beside = _checksum_file(path)
    if not beside.is_file():
        return
    try:
        expected = read_regular(beside).decode().split()[0]
        with open_regular(path) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, IndexError) as error:
        raise ModelFileError(
            f"{path.name}: its SHA-256 cannot be compared with {beside.name}; fetch both again"
        ) from error
    if found != expected:
        raise ModelFileError(f"{path.name}: not the file that {beside.name} names (SHA-256 {found}); fetch it again")


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        write_archive(name, Path(sys.argv[1]))

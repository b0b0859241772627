"""DICOMDIR: the cines that the directory of a medium lists (PS3.3 F)."""

import warnings
from pathlib import Path

from edgeecho.cine.arrays import one_line
from edgeecho.errors import VideoError, require

NAME = "DICOMDIR"
_SUFFIXED = "DICOMDIR.DCM"


def is_directory_file(path: Path) -> bool:
    """Whether a path is that of a DICOMDIR, by its name."""
    return path.name.upper() in (NAME, _SUFFIXED) and path.is_file()


def cines_of_directory(path: Path) -> list[Path]:
    """Return the image files that a DICOMDIR lists, in its order, whether they exist or not.

    Raises:
        VideoError: If it cannot be read, lists no image, or a file outside its folder.
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            records = pydicom.dcmread(path).DirectoryRecordSequence
            listed = [record.ReferencedFileID for record in records if record.DirectoryRecordType == "IMAGE"]
        except OSError as error:
            text = f"{path}: cannot be read: {error.strerror or error}; check the medium"
            raise VideoError(text, file=path) from error
        except Exception as error:  # a damaged file raises many kinds of error
            text = f"{path}: damaged DICOMDIR: {one_line(error)}; pass the folder instead"
            raise VideoError(text, file=path) from error
    if not listed:
        raise VideoError(f"{path}: this DICOMDIR lists no image; pass the folder instead", file=path)
    return [_inside(path, [parts] if isinstance(parts, str) else list(parts)) for parts in listed]


def _inside(directory: Path, parts: list[str]) -> Path:
    """Return the path of a file ID, whose parts are names of folders and of the file.

    Some systems write the names of a medium in small letters.
    """
    folder = directory.parent
    if not parts or any(part in ("", ".", "..") or set(part) & set("/\\:") for part in parts):
        raise VideoError(f"{directory}: lists a file outside its folder; pass the folder instead", file=directory)
    path = folder.joinpath(*parts)
    lower = folder.joinpath(*(part.lower() for part in parts))
    return lower if not path.exists() and lower.exists() else path

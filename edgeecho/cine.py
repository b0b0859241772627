"""Cine: the frames of one ultrasound loop, with what is known about them; `read_cine` makes one from a file."""

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edgeecho.errors import ConfigError, ShapeError, VideoError
from edgeecho.frames import MAX_PIXELS, MAX_SIDE_PX, MIN_SIDE_PX, to_grey
from edgeecho.outputs import own_outputs

__all__ = ["MAX_PIXELS", "MAX_SIDE_PX", "MIN_SIDE_PX", "Cine", "find_cines", "read_cine", "to_grey"]

FPS_RANGE = (0.5, 500.0)
"""What a file says outside this range is no frame rate of echocardiography; containers without one say 1000."""
SPACING_RANGE_MM = (0.01, 5.0)
"""What a file says outside this range is no pixel spacing of echocardiography."""
MAX_FPS, MAX_SPACING_MM = 10_000, 1_000
"""What a user states is taken up to here: it may be a phantom, or another animal."""

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".m4v", ".webm", ".mkv", ".gif"})
STILL_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
_SUFFIXES = (*VIDEO_SUFFIXES, *STILL_SUFFIXES, *DICOM_SUFFIXES, ".npz", ".nii.gz", ".nii")
_KINDS = "AVI, MP4, MOV, WEBM, MKV, GIF, PNG, JPG, NPZ, DICOM, NIfTI or a folder of PNG frames"


@dataclass(frozen=True, eq=False)
class Cine:
    """One loop of grey frames.

    Raises:
        ShapeError: If `frames` is not uint8 (T, H, W) with T >= 1, or a label does not fit.
    """

    frames: np.ndarray
    """uint8 (T, H, W)."""
    fps: float | None = None
    """Frames per second, None if unknown."""
    spacing_mm: tuple[float, float] | None = None
    """(row, column) millimetres per pixel, None if unknown."""
    labels: dict[int, np.ndarray] = field(default_factory=dict)
    """Frame index to left-ventricle mask, uint8 {0, 1} (H, W), for the labelled frames only."""
    phases: dict[int, str] = field(default_factory=dict)
    """Frame index to `ED` or `ES`, where a person marked it."""
    name: str = "cine"
    """For messages and output files."""
    warnings: tuple[str, ...] = ()
    """What was odd about the file, each a sentence for the user."""

    def __post_init__(self) -> None:
        if self.frames.dtype != np.uint8 or self.frames.ndim != 3 or 0 in self.frames.shape:
            raise ShapeError(
                f"{self.name}: expected frames uint8 (T, H, W), got {self.frames.dtype} {self.frames.shape}; "
                "pass one grey cine"
            )
        for index, mask in self.labels.items():
            if not 0 <= index < len(self.frames) or mask.shape != self.frames.shape[1:]:
                raise ShapeError(f"{self.name}: label {index} {mask.shape} does not fit frames {self.frames.shape}")

    @property
    def marked(self) -> list[int]:
        """The labelled frames that are ED or ES, in order of time; every labelled one where neither is marked."""
        return sorted(self.labels.keys() & self.phases.keys()) or sorted(self.labels)


def read_cine(
    path: str | os.PathLike[str], *, fps: float | None = None, spacing_mm: Sequence[float] | None = None
) -> Cine:
    """Read one cine: AVI, MP4, MOV, WEBM, MKV, GIF, PNG, JPG, NPZ, DICOM, NIfTI or a folder of PNG frames.

    Args:
        path: The file, or the folder of equally large PNG frames in natural order (`2.png` before `10.png`).
        fps: Frames per second, instead of what the file says.
        spacing_mm: (row, column) millimetres per pixel, instead of what the file says.

    Returns:
        Frames uint8 (T, H, W), colour made grey by `to_grey`; `fps` and `spacing_mm` None where neither the file nor
        the caller states them. What the file states and cannot be true is not used, and `warnings` says so.

    Raises:
        VideoError: If the path cannot be read, is no cine, is cut short, or is smaller or larger than the bounds
            `MIN_SIDE_PX`, `MAX_SIDE_PX` and `MAX_PIXELS`.
        ConfigError: If `fps` or `spacing_mm` is not positive.
        MissingExtraError: If DICOM or NIfTI needs a package that is not installed.
    """
    path = Path(path)
    check_stated(fps, spacing_mm)
    try:
        cine = _reader(path)(path)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror or error}; check the file and its rights") from error
    cine = _without_the_implausible(replace(cine, name=_name(path)))
    return replace(
        cine,
        fps=cine.fps if fps is None else float(fps),
        spacing_mm=cine.spacing_mm if spacing_mm is None else (float(spacing_mm[0]), float(spacing_mm[1])),
    )


def check_stated(fps: float | None, spacing_mm: Sequence[float] | None) -> None:
    """Refuse what a caller states and cannot be.

    Raises:
        ConfigError: If `fps` or a spacing is not a positive number of a plausible size.
    """
    if fps is not None and not 0 < fps < MAX_FPS:
        raise ConfigError(f"fps must be positive and below {MAX_FPS}, got {fps}")
    if spacing_mm is not None and not (len(spacing_mm) == 2 and all(0 < mm < MAX_SPACING_MM for mm in spacing_mm)):
        raise ConfigError(
            f"spacing_mm must be two positive numbers (row, column) below {MAX_SPACING_MM}, got {tuple(spacing_mm)}"
        )


def find_cines(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Expand folders into the cines inside, at any depth, in natural order.

    A folder that directly holds PNG frames and no cines is itself one cine. Inside folders these are passed over:
    hidden files, stills beside cines, `*_gt.nii.gz` (masks by the CAMUS naming), NPZ without `frames`, and what
    EdgeEcho wrote.

    Args:
        paths: Files and folders. A path that is no folder is kept as it is, so that `read_cine` can say what is wrong
            with it; so is a folder without any cine.

    Returns:
        Each cine once, in the order of `paths`.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        inside = list(_cines_inside(path)) if path.is_dir() else []
        found.update(dict.fromkeys(inside or [path]))
    return list(found)


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sort key of a path that counts digits as numbers: `2.png` before `10.png`."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", str(path))
    return [(0, int(digits), digits) if digits else (1, 0, text) for digits, text in parts]


def _reader(path: Path) -> Callable[[Path], Cine]:
    """Choose by what the path is, once. Readers import what they need."""
    if path.is_dir():
        from edgeecho.stills import read_folder

        return read_folder
    if not path.exists():
        raise VideoError(f"{path}: no such file or folder; check the path")
    if not path.is_file():
        raise VideoError(f"{path}: neither a file nor a folder; pass {_KINDS}")
    with path.open("rb") as file:
        head = file.read(132)
    if not head:
        raise VideoError(f"{path}: the file is empty (0 bytes); copy it again")
    suffix = _suffix(path)
    if suffix in DICOM_SUFFIXES or head[128:] == b"DICM":
        from edgeecho.dicom import read_dicom

        return read_dicom
    if suffix in VIDEO_SUFFIXES:
        from edgeecho.video import read_video

        return read_video
    if suffix in STILL_SUFFIXES:
        from edgeecho.stills import read_still

        return read_still
    from edgeecho.arrays import read_nifti, read_npz

    if suffix in (".nii", ".nii.gz"):
        return read_nifti
    if suffix == ".npz":
        return read_npz
    raise VideoError(f"{path}: not a kind of cine that is read, by its name or its content; pass {_KINDS}")


def _cines_inside(folder: Path) -> Iterator[Path]:
    found: list[Path] = []

    def unreadable(error: OSError) -> None:
        found.append(Path(error.filename))  # stays in the list, so that `read_cine` reports it

    for where, _, names in os.walk(folder, onerror=unreadable):
        own = own_outputs(Path(where), names)
        files = [Path(where, name) for name in names if not name.startswith(".") and name not in own]
        cines = [file for file in files if _is_cine(file)]
        found += cines
        if not cines and any(file.suffix.lower() == ".png" for file in files):
            found.append(Path(where))
    yield from sorted(found, key=natural_key)


def _is_cine(file: Path) -> bool:
    """Whether a file inside a folder is meant to be a cine; a damaged one is, so that it gets reported."""
    suffix = _suffix(file)
    if suffix in STILL_SUFFIXES or file.name.lower().endswith(("_gt.nii.gz", "_gt.nii")):
        return False
    if suffix == ".npz":
        try:
            with zipfile.ZipFile(file) as archive:
                return "frames.npy" in archive.namelist()
        except (OSError, zipfile.BadZipFile):
            return True
    if suffix:
        return True
    try:
        with file.open("rb") as opened:
            return file.is_file() and opened.read(132)[128:] == b"DICM" and file.name.upper() != "DICOMDIR"
    except OSError:
        return False


def _suffix(path: Path) -> str:
    """The suffix if it is one that is known, in lower case, else an empty string."""
    return next((suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), "")


def _name(path: Path) -> str:
    name = path.resolve().name  # of `.` too
    return name if path.is_dir() else name[: len(name) - len(_suffix(path))] or name


def _without_the_implausible(cine: Cine) -> Cine:
    fps, spacing_mm, warnings = cine.fps, cine.spacing_mm, list(cine.warnings)
    if fps is not None and not FPS_RANGE[0] <= fps <= FPS_RANGE[1]:
        warnings.append(f"The file states {fps:g} frames per second, which cannot be; it was not used.")
        fps = None
    if spacing_mm is not None and not all(SPACING_RANGE_MM[0] <= s <= SPACING_RANGE_MM[1] for s in spacing_mm):
        warnings.append(
            f"The file states {spacing_mm[0]:g} x {spacing_mm[1]:g} mm per pixel, which cannot be; it was not used."
        )
        spacing_mm = None
    return replace(cine, fps=fps, spacing_mm=spacing_mm, warnings=tuple(warnings))

"""The files of a CAMUS patient: pictures, masks and `Info_*.cfg`, read into cines."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data.datasets.dataset import ItemCine
from edgeecho.data.io.metaimage import read_metaimage
from edgeecho.data.io.tables import number, stated_values, whole
from edgeecho.data.quality import defects
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError
from edgeecho.files import read_regular

CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3
"""Labels of the left ventricle's cavity and wall, and of the left atrium."""
NAMES = {"ef_percent": ("EF", "LVef"), "edv_ml": ("LVedv",), "esv_ml": ("LVesv",), "fps": ("FrameRate",)}


@dataclass(frozen=True)
class Files:
    """Places of the files of one patient and view."""

    folder: Path
    stem: str
    """Beginning of the files' names, such as `patient0001_4CH`."""
    suffix: str
    """`.nii.gz` or `.mhd`."""
    sequence: str | None = None
    """Part of the name of the sequence, such as `half_sequence`; None if there is none."""
    masked: bool = True
    """Whether masks belong to the pictures; the first release holds those of its test patients back."""

    def path(self, part: str) -> Path:
        """Return the path of a part, such as `ED_gt`."""
        return self.folder / f"{self.stem}_{part}{self.suffix}"

    def of_still(self, phase: str) -> tuple[Path, ...]:
        """Return the files that `read_still` reads."""
        parts = (phase, f"{phase}_gt") if self.masked else (phase,)
        paths = [self.path(part) for part in parts]
        return (*paths, *(path.with_suffix(".raw") for path in paths if self.suffix == ".mhd"))

    def of_sequence(self) -> tuple[Path, ...]:
        """Return the files that `read_sequence` reads, those of the stills among them."""
        path = self.path(self.sequence or "half_sequence")
        pixels = (path.with_suffix(".raw"),) if self.suffix == ".mhd" else ()
        info = self.folder / f"Info_{self.stem.rpartition('_')[2]}.cfg"
        return (path, *pixels, info, *self.of_still("ED"), *self.of_still("ES"))

    def read(self, part: str) -> Cine:
        """Read one file.

        Raises:
            DataError: If it is missing.
            VideoError: If it is damaged.
        """
        path = self.path(part)
        if not path.is_file():
            raise DataError(f"{path.name}: missing from {self.folder.name}; fetch the data set again", file=path)
        return read_metaimage(path) if self.suffix == ".mhd" else read_cine(path)


def read_still(files: Files, phase: str) -> ItemCine:
    """Read the ED or ES frame as a cine of one frame with its mask.

    Raises:
        VideoError: If a file is damaged.
        DataError: If one is missing, or image and mask do not fit each other.
    """
    image = files.read(phase)
    if len(image.frames) != 1:
        raise DataError(f"{files.path(phase).name}: expected one frame, got {len(image.frames)}")
    image = replace(image, name=f"{files.stem}_{phase}")
    if not files.masked:
        return ItemCine.of(image)
    mask, found = read_mask(files, f"{phase}_gt", image)
    return ItemCine.of(replace(image, labels={0: mask[0]}, phases={0: phase}), found)


def read_sequence(files: Files, fps: float | None) -> ItemCine:
    """Read a half sequence with the masks of its ED and ES frame, in the order of time.

    The masks are those of the stills, which an expert drew; the masks of the frames between, in `half_sequence_gt`,
    are propagated and are not used. Which frames are ED and ES is found by the stills, as the frames that equal them;
    a cfg that states other frames is not used.

    Raises:
        VideoError: If a file is damaged.
        DataError: If one is missing, or the files do not fit each other.
    """
    cine = files.read(files.sequence or "half_sequence")
    info = read_info(files.folder / f"Info_{files.stem.rpartition('_')[2]}.cfg")
    found = list[Finding]()
    labels: dict[int, np.ndarray] = {}
    phases: dict[int, str] = {}
    for phase in ("ED", "ES") if files.masked else ():
        still = read_still(files, phase)
        if still.frames.shape[1:] != cine.frames.shape[1:]:
            raise DataError(f"{files.stem}: {phase} is {still.frames.shape[1:]}, the sequence {cine.frames.shape[1:]}")
        stated = whole(info.get(phase))
        index = _same_frame(cine.frames, still.frames[0], None if stated is None else stated - 1)
        if stated is not None and index != stated - 1:
            detail = f"{phase} is frame {index + 1}, the cfg says {stated}"
            found.append(Finding(defects.OTHER_FRAME, files.stem, detail))
        if index in labels:
            raise DataError(f"{files.stem}: ED and ES are the same frame {index}; fetch the patient again")
        labels[index], phases[index] = still.labels[0], phase
        found += still.findings
    if phases.get(min(phases, default=-1)) == "ES":
        detail = f"the half sequence runs from ES to ED, {len(cine.frames)} frames"
        found.append(Finding(defects.ES_FIRST, files.stem, detail))
    cine = replace(cine, labels=labels, phases=phases, fps=fps or cine.fps, name=files.stem)
    return ItemCine.of(cine, found)


def read_mask(files: Files, part: str, image: Cine) -> tuple[np.ndarray, list[Finding]]:
    """Read the mask of the cavity, uint8 {0, 1} (T, H, W), and find what is odd about it.

    Raises:
        VideoError: If the file is damaged.
        DataError: If it does not fit the image.
    """
    labels, shape, found = files.read(part).frames, image.frames.shape, list[Finding]()
    name = files.path(part).name
    if labels.shape != shape and labels.shape == (shape[0], shape[2], shape[1]):
        labels = labels.transpose(0, 2, 1)
        found.append(Finding(defects.TRANSPOSED_MASK, files.stem, name))
    if labels.shape != shape:
        raise DataError(f"{name}: expected mask and image of one frame and equal size, got {labels.shape} and {shape}")
    if labels.max() > ATRIUM:
        found.append(Finding(defects.UNKNOWN_LABEL, files.stem, f"up to {labels.max()} in {name}"))
    cavity, atrium = labels == CAVITY, labels == ATRIUM
    if cavity.any() and atrium.any():
        (_, y, x), (_, below, beside) = (np.mean(np.nonzero(part), axis=1) for part in (cavity, atrium))
        if below - y < abs(beside - x):
            where = "above" if y - below > abs(beside - x) else "beside"
            found.append(Finding(defects.ORIENTATION, files.stem, f"{where} it in {name}"))
    return np.ascontiguousarray(cavity, np.uint8), found


def read_info(path: Path) -> dict[str, str]:
    """Read the `Key: value` lines of an `Info_*.cfg`; empty if there is no such file.

    Raises:
        DataError: If it is no text.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def metadata_of(info: dict[str, str]) -> dict[str, object]:
    """Return the metadata of a patient from a cfg or a row of `patients_info.csv`."""
    figures = {key: next((number(info[n]) for n in names if n in info), None) for key, names in NAMES.items()}
    return stated_values(quality=info.get("ImageQuality"), sex=info.get("Sex"), age=number(info.get("Age")), **figures)


def _same_frame(frames: np.ndarray, still: np.ndarray, stated: int | None) -> int:
    """Return the frame that equals the still, or is most like it; the stated one where several do."""
    difference = np.abs(frames.astype(np.int16) - still).mean(axis=(1, 2))
    best = int(difference.argmin())
    if stated is not None and 0 <= stated < len(frames) and difference[stated] <= difference[best]:
        return stated
    return best

"""CAMUS: apical four-chamber ED and ES frames with expert masks, NIfTI release or its ED/ES-only subset.

Leclerc et al., IEEE TMI 2019, doi 10.1109/TMI.2019.2900516; CC BY-NC-SA 4.0, non-commercial research.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.errors import ConfigError, DataError

LICENCE = "CC-BY-NC-SA-4.0"
CAVITY = 1
"""Label of the left-ventricular cavity."""
PHASES = ("ED", "ES")
SPLITS = {"train": "training", "val": "validation", "test": "testing"}


@dataclass(frozen=True)
class Still:
    """One labelled frame of one patient, read on demand."""

    patient: str
    view: str
    """`4CH`."""
    phase: str
    """`ED` or `ES`."""
    image_path: Path
    mask_path: Path

    def read(self) -> Cine:
        """The frame as a cine of one frame with its left-ventricle mask.

        Raises:
            VideoError: If a file is missing or damaged.
            DataError: If image and mask do not fit each other.
        """
        image, labels = read_cine(self.image_path), read_cine(self.mask_path).frames
        if labels.shape != image.frames.shape or len(labels) != 1:
            found = f"{labels.shape} and {image.frames.shape}"
            raise DataError(f"{self.mask_path.name}: expected mask and image of one frame and equal size, got {found}")
        name = f"{self.patient}_{self.view}_{self.phase}"
        return replace(image, labels={0: (labels[0] == CAVITY).astype(np.uint8)}, name=name)


def read_split(root: Path, split: str) -> list[str]:
    """Patient names of an official list.

    Raises:
        ConfigError: If the split's name is unknown.
        DataError: If the list is not there.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    for folder in ("official_split", "database_split"):
        path = root / folder / f"subgroup_{SPLITS[split]}.txt"
        if path.is_file():
            return sorted(path.read_text().split())
    raise DataError(f"{root}: no list subgroup_{SPLITS[split]}.txt in official_split/ or database_split/")


def find_stills(root: Path | str, split: str) -> list[Still]:
    """The labelled 4CH frames of an official split, in patient order.

    Args:
        root: Folder that holds `database_nifti/`.
        split: `train`, `val` or `test`.

    Raises:
        DataError: If the folder is no CAMUS release or a listed patient's file is missing.
    """
    root = Path(root)
    base = root / "database_nifti"
    if not base.is_dir():
        raise DataError(f"{root}: no CAMUS data set here; expected a folder database_nifti/ with patientXXXX/ inside")
    stills = []
    for patient in read_split(root, split):
        for phase in PHASES:
            stem = base / patient / f"{patient}_4CH_{phase}"
            image, mask = Path(f"{stem}.nii.gz"), Path(f"{stem}_gt.nii.gz")
            for path in (image, mask):
                if not path.is_file():
                    raise DataError(f"{path.name}: missing from {base.name}/{patient}; fetch the data set again")
            stills.append(Still(patient, "4CH", phase, image, mask))
    return stills

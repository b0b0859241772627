"""CAMUS: apical four-chamber ED and ES frames with expert masks, NIfTI release or its ED/ES-only subset.

Leclerc et al., IEEE TMI 2019, doi 10.1109/TMI.2019.2900516; CC BY-NC-SA 4.0, non-commercial research.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data.dataset import SPLITS, Item
from edgeecho.errors import ConfigError, DataError

CAVITY = 1
"""Label of the left-ventricular cavity."""
PHASES = ("ED", "ES")
LISTS = {"train": "training", "val": "validation", "test": "testing"}


class Camus:
    """A CAMUS folder; each labelled frame is an item of one frame."""

    kind = "camus"
    licence = "CC-BY-NC-SA-4.0"

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: Folder that holds `database_nifti/` and the official split.

        Raises:
            DataError: If it does not.
        """
        self.root, self.notes = root, list[str]()
        self._base = root / "database_nifti"
        if not self._base.is_dir():
            raise DataError(
                f"{root}: no CAMUS data set here; expected a folder database_nifti/ with patientXXXX/ inside"
            )

    def items(self, split: str) -> list[Item]:
        """The labelled 4CH frames of an official split, in patient order."""
        items = []
        for patient in self._patients(split):
            for phase in PHASES:
                stem = self._base / patient / f"{patient}_4CH_{phase}"
                image, mask = Path(f"{stem}.nii.gz"), Path(f"{stem}_gt.nii.gz")
                for path in (image, mask):
                    if not path.is_file():
                        raise DataError(f"{path.name}: missing from {patient}; fetch the data set again")
                items.append(Item(stem.name, patient, split, "4CH", partial(read_still, image, mask, phase)))
        return items

    def _patients(self, split: str) -> list[str]:
        if split not in SPLITS:
            raise ConfigError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        for folder in ("official_split", "database_split"):
            path = self.root / folder / f"subgroup_{LISTS[split]}.txt"
            if path.is_file():
                return sorted(path.read_text().split())
        raise DataError(f"{self.root}: no list subgroup_{LISTS[split]}.txt in official_split/ or database_split/")


def read_still(image_path: Path, mask_path: Path, phase: str) -> Cine:
    """A labelled frame as a cine of one frame with its left-ventricle mask.

    Raises:
        VideoError: If a file is missing or damaged.
        DataError: If image and mask do not fit each other.
    """
    image, labels = read_cine(image_path), read_cine(mask_path).frames
    if labels.shape != image.frames.shape or len(labels) != 1:
        found = f"{labels.shape} and {image.frames.shape}"
        raise DataError(f"{mask_path.name}: expected mask and image of one frame and equal size, got {found}")
    cavity = (labels[0] == CAVITY).astype(np.uint8)
    return replace(image, labels={0: cavity}, phases={0: phase}, name=image_path.name.partition(".")[0])

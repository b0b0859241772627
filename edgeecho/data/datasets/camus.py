"""CAMUS: apical two- and four-chamber half beats of 500 patients, with expert masks at ED and ES.

Leclerc et al., IEEE TMI 2019, doi 10.1109/TMI.2019.2900516; CC BY-NC-SA 4.0, non-commercial research. It reads
the NIfTI release, a part of that (such as ED and ES stills of one view), and the first release (.mhd, .raw).
"""

import re
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from edgeecho.data.datasets import licences
from edgeecho.data.datasets.camus_files import Files, metadata_of, read_info, read_sequence, read_still
from edgeecho.data.datasets.dataset import SPLITS, Item, require_split
from edgeecho.data.io.tables import list_folder, read_rows, whole
from edgeecho.data.quality import defects
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError
from edgeecho.files import read_regular

PHASES = ("ED", "ES")
VIEWS = ("2CH", "4CH")
LISTS = {"train": "training", "val": "validation", "test": "testing"}
SEQUENCES = {".nii.gz": "half_sequence", ".mhd": "sequence"}
FIRST_RELEASE_VAL = 10
"""Step of the numbers of training patients that validate, as the first release has no validation list."""
_PATIENT = re.compile(r"patient[0-9]{1,9}")


class Camus:
    """A CAMUS folder; each half sequence is an item, or each labelled frame where there are no half sequences."""

    kind = "camus"
    licence = licences.CAMUS

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: Folder that holds `database_nifti/` and the official split; or `training/` and `testing/` of the
                first release.

        Raises:
            DataError: If it does not.
        """
        self.root = root
        self._folders, self._lists = _find(root)
        self.splits = tuple(split for split in SPLITS if self._lists.get(split))
        self.notes = self._lacks()

    def items(self, split: str) -> list[Item]:
        """Return the half sequences of a split in patient order, 2CH before 4CH; else its labelled frames."""
        if require_split(split) not in self.splits:
            raise DataError(
                f"{self.root}: no list subgroup_{LISTS[split]}.txt in official_split/ or database_split/; "
                f"splits here: {', '.join(self.splits)}"
            )
        return [item for patient in self._lists[split] for item in self._items(patient, split)]

    def findings(self) -> list[Finding]:
        """Return the listed patients and files that are missing, and the patients who are on no list."""
        found = []
        for split in self.splits:
            for patient in self._lists[split]:
                if patient not in self._folders:
                    found.append(Finding(defects.MISSING_PATIENT, patient, f"{split} list"))
                else:
                    found += self._missing(patient)
        listed = {patient for patients in self._lists.values() for patient in patients}
        return found + [Finding(defects.UNLISTED, patient) for patient in self._folders if patient not in listed]

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """Names of the files by patient."""
        return {patient: set(list_folder(folder)) for patient, folder in self._folders.items()}

    @cached_property
    def _suffix(self) -> str:
        mhd = any(name.endswith(".mhd") for names in self._names.values() for name in names)
        return ".mhd" if mhd else ".nii.gz"

    @cached_property
    def _parts(self) -> set[str]:
        """Kinds of files that any patient has, such as `4CH_ED_gt`."""
        return {
            name.partition("_")[2].removesuffix(self._suffix)
            for names in self._names.values()
            for name in names
            if name.endswith(self._suffix)
        }

    @cached_property
    def _patients_info(self) -> dict[str, dict[str, str]]:
        path = self.root / "patients_info.csv"
        return {row["Patient"]: row for row in read_rows(path, ["Patient"])} if path.is_file() else {}

    def _views(self) -> list[str]:
        return [view for view in VIEWS if any(part.startswith(view) for part in self._parts)]

    def _masked(self, patient: str) -> bool:
        """Return whether the patient has masks; the first release has none for its test patients."""
        return not patient.startswith("testing/") or any("_gt" in name for name in self._names[patient])

    def _files(self, patient: str, view: str) -> Files:
        folder = self._folders.get(patient, self.root / patient)
        stem = f"{folder.name}_{view}"
        wanted = SEQUENCES[self._suffix]
        has = f"{stem}_{wanted}{self._suffix}" in self._names.get(patient, ())
        masked = patient in self._folders and self._masked(patient)
        return Files(folder, stem, self._suffix, wanted if has else None, masked or patient not in self._folders)

    def _items(self, patient: str, split: str) -> list[Item]:
        items = []
        for view in self._views():
            files = self._files(patient, view)
            metadata = self._metadata(patient, view, files)
            name = files.stem if not patient.startswith("testing/") else f"testing_{files.stem}"
            if files.sequence:
                read = partial(read_sequence, files, metadata.get("fps"))
                about = metadata | {"labels": 2 * files.masked, "half_sequence": True}
                items.append(Item(name, patient, split, view, read, about, files=files.of_sequence()))
                continue
            about = metadata | {"labels": int(files.masked), "frames": 1}
            for phase in PHASES:
                read = partial(read_still, files, phase)
                items.append(Item(f"{name}_{phase}", patient, split, view, read, about, files=files.of_still(phase)))
        return items

    def _metadata(self, patient: str, view: str, files: Files) -> dict[str, Any]:
        info = read_info(files.folder / f"Info_{view}.cfg")
        if not info:
            return metadata_of(self._patients_info.get(patient, {}))
        frames = whole(info.get("NbFrame"))
        return metadata_of(info) | ({"frames": frames} if frames else {})

    def _missing(self, patient: str) -> list[Finding]:
        found = []
        gone = []
        names = self._names[patient]
        for view in self._views():
            files = self._files(patient, view)
            wanted = [f"{phase}{gt}" for phase in PHASES for gt in (("", "_gt") if files.masked else ("",))]
            gone += [files.path(part).name for part in wanted if files.path(part).name not in names]
            if not files.masked:
                found.append(Finding(defects.NO_MASK, files.stem, "test patient of the first release"))
            if not files.sequence and f"{view}_{SEQUENCES[self._suffix]}" in self._parts:
                found.append(Finding(defects.NO_SEQUENCE, files.stem))
        return found + [Finding(defects.MISSING_FILE, f"{patient}/{name}") for name in gone]

    def _lacks(self) -> list[str]:
        """Return one sentence on the files of the release that the folder lacks; empty if it lacks none."""
        lacks = [f"{view} views" for view in VIEWS if view not in self._views()]
        if not any("sequence" in part for part in self._parts):
            lacks.append("half sequences")
        if not any(name.startswith("Info_") for names in self._names.values() for name in names):
            lacks.append("Info_*.cfg files")
        lacks += [f"a {LISTS[split]} list" for split in SPLITS if split not in self.splits]
        if not lacks:
            return []
        return [f"Of the release this folder lacks {', '.join(lacks)}; what is there is used."]


def _find(root: Path) -> tuple[dict[str, Path], dict[str, list[str]]]:
    """Find the folders by patient, and the patients by split."""
    base = root / "database_nifti"
    if base.is_dir():
        folders = {name: base / name for name in list_folder(base) if (base / name).is_dir()}
        return folders, {split: _read_list(root, split) for split in SPLITS}
    folders = {name: root / "training" / name for name in list_folder(root / "training")}
    folders |= {f"testing/{name}": root / "testing" / name for name in list_folder(root / "testing")}
    folders = {patient: folder for patient, folder in folders.items() if _PATIENT.fullmatch(folder.name)}
    if not folders:
        raise DataError(
            f"{root}: no CAMUS data set here; expected a folder database_nifti/ with patientXXXX/ inside, "
            "or training/ and testing/ of the first release"
        )
    lists: dict[str, list[str]] = {split: [] for split in SPLITS}
    for patient, folder in folders.items():
        tenth = int(folder.name.removeprefix("patient")) % FIRST_RELEASE_VAL == 0
        lists["test" if patient.startswith("testing/") else "val" if tenth else "train"].append(patient)
    return folders, lists


def _read_list(root: Path, split: str) -> list[str]:
    for folder in ("official_split", "database_split"):
        path = root / folder / f"subgroup_{LISTS[split]}.txt"
        if path.is_file():
            try:
                return sorted(set(read_regular(path).decode("utf-8-sig").split()))
            except (OSError, UnicodeDecodeError) as error:
                raise DataError(f"{path}: cannot be read: {error}") from error
    return []

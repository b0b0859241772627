"""EF from the expert masks of CAMUS, one view, against the clinical EF: the floor for every model.

    python -m edgeecho.benchmarks.expert_ef camus:DIR [--splits train,val] [--json FILE]

Clinical EF is biplane, from the column EF of `patients_info.csv`; what is computed here is of the four-chamber view.
"""

import argparse
import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgeecho.data import open_data
from edgeecho.errors import DataError
from edgeecho.measure import Discs, discs_of

METHODS = {
    "discs, own length": lambda ed, es: (ed.volume(), es.volume()),
    "discs, ED length": lambda ed, es: (ed.volume(_longer(ed, es)), es.volume(_longer(ed, es))),
    "area-length": lambda ed, es: (ed.area_length_volume(), es.area_length_volume()),
}
"""Name to EDV and ESV from the discs of ED and ES; ED's length (the longer one) for both is CAMUS's convention."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Computed against clinical EF, in points."""

    method: str
    patients: int
    r: float
    """Pearson's correlation."""
    mae: float
    bias: float
    """Mean of computed less clinical."""
    limits: float
    """Half width of the 95% limits of agreement, 1.96 standard deviations."""


def expert_ef(data: str, splits: tuple[str, ...] = ("train", "val")) -> list[Agreement]:
    """EF by every method against the clinical EF.

    Args:
        data: `camus:DIR`.
        splits: Official lists to take.

    Raises:
        ConfigError: If `data` or a split is unknown.
        DataError: If the folder holds no CAMUS data set, or no `patients_info.csv`.
        VideoError: If a file is damaged.
    """
    dataset = open_data(data)
    clinical = _clinical_ef(Path(data.partition(":")[2]) / "patients_info.csv")
    discs: dict[str, dict[str, Discs]] = {}
    for split in splits:
        for item in dataset.items(split):
            if item.view != "4CH":
                continue
            cine = item.read()
            for frame, phase in cine.phases.items():
                discs.setdefault(item.group, {})[phase] = discs_of(cine.labels[frame], cine.spacing_mm)
    pairs = {patient: (by["ED"], by["ES"]) for patient, by in discs.items() if {"ED", "ES"} <= by.keys()}
    patients = sorted(pairs.keys() & clinical.keys())
    truth = np.array([clinical[patient] for patient in patients])
    rows = []
    for name, volumes in METHODS.items():
        edv, esv = np.array([volumes(*pairs[patient]) for patient in patients]).T
        error = 100 * (edv - esv) / edv - truth
        rows.append(
            Agreement(
                method=name,
                patients=len(patients),
                r=float(np.corrcoef(truth + error, truth)[0, 1]),
                mae=float(np.abs(error).mean()),
                bias=float(error.mean()),
                limits=1.96 * float(error.std(ddof=1)),
            )
        )
    return rows


def _longer(ed: Discs, es: Discs) -> float:
    return max(ed.length, es.length)


def _clinical_ef(path: Path) -> dict[str, float]:
    """Patient to EF in percent."""
    if not path.is_file():
        raise DataError(f"{path}: not found; it holds the clinical EF, one patient a row (columns Patient and EF)")
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if not {"Patient", "EF"} <= set(reader.fieldnames or ()):
            raise DataError(f"{path}: expected columns Patient and EF, got {', '.join(reader.fieldnames or ())}")
        return {row["Patient"]: float(row["EF"]) for row in reader if row["EF"]}


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="camus:DIR")
    parser.add_argument("--splits", default="train,val")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = expert_ef(options.data, tuple(options.splits.split(",")))
    table = Table("method", "patients", "r", "MAE", "bias", "limits of agreement")
    for row in rows:
        limits = f"{row.bias - row.limits:+.1f} to {row.bias + row.limits:+.1f}"
        table.add_row(row.method, str(row.patients), f"{row.r:.3f}", f"{row.mae:.2f}", f"{row.bias:+.2f}", limits)
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()

"""How well does EF from expert masks of one view agree with the clinical EF? The figures are in docs/evaluation.md.

    python -m studies.expert_ef camus:DIR [--splits train,val] [--json FILE]

No model can be expected to agree better. Clinical EF is biplane, from `patients_info.csv` or the cfg files of CAMUS;
EF from masks is that of the four-chamber view.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from edgeecho.data import open_data
from edgeecho.errors import DataError
from edgeecho.measure import Discs, discs_of, ef_percent
from edgeecho.metrics import Agreement, agreement

METHODS: dict[str, Callable[[Discs, Discs], tuple[float, float]]] = {
    "discs, own length": lambda ed, es: (ed.volume(), es.volume()),
    "discs, ED length": lambda ed, es: (ed.volume(_longer(ed, es)), es.volume(_longer(ed, es))),
    "area-length": lambda ed, es: (ed.area_length_volume(), es.area_length_volume()),
}
"""Function from the discs of ED and ES to EDV and ESV, by name; CAMUS takes the length of ED (the longer) for both."""


def expert_ef(data: str, splits: tuple[str, ...] = ("train", "val")) -> dict[str, Agreement]:
    """Compare EF by every method with the clinical EF, in points.

    Args:
        data: Data set as `camus:DIR`.
        splits: Official lists of patients.

    Raises:
        ConfigError: If `data` or a split is unknown.
        DataError: If the folder contains no CAMUS data set, or none with EF.
        VideoError: If a file is damaged.
    """
    dataset = open_data(data)
    discs: dict[str, dict[str, Discs]] = {}
    clinical: dict[str, float] = {}
    for split in splits:
        for item in dataset.items(split):
            if item.view != "4CH" or "ef_percent" not in item.metadata:
                continue
            clinical[item.group] = item.metadata["ef_percent"]
            cine = item.read()
            for frame, phase in cine.phases.items():
                discs.setdefault(item.group, {})[phase] = discs_of(cine.labels[frame], cine.spacing_mm)
    patients = sorted(patient for patient, by in discs.items() if {"ED", "ES"} <= by.keys())
    if not patients:
        raise DataError(
            f"{data}: no patient with ED, ES and a clinical EF; patients_info.csv or Info_4CH.cfg states it"
        )
    found = {}
    for name, volumes in METHODS.items():
        edv, esv = np.array([volumes(discs[patient]["ED"], discs[patient]["ES"]) for patient in patients]).T
        found[name] = agreement(ef_percent(edv, esv), np.array([clinical[patient] for patient in patients]))
    return found


def _longer(ed: Discs, es: Discs) -> float:
    return max(ed.length, es.length)


def main() -> None:
    """Run the command line."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="camus:DIR")
    parser.add_argument("--splits", default="train,val")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = expert_ef(options.data, tuple(options.splits.split(",")))
    table = Table("method", "patients", "r", "MAE", "bias", "limits of agreement")
    for method, of in found.items():
        limits = f"{of.loa_low:+.1f} to {of.loa_high:+.1f}"
        table.add_row(method, str(of.n), f"{of.pearson_r:.3f}", f"{of.mae:.2f}", f"{of.bias:+.2f}", limits)
    Console().print(table)
    if options.json:
        rows = [{"method": method, **asdict(of)} for method, of in found.items()]
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

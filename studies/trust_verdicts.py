"""Verdicts and reasons by kind of input, for the study `studies/trust.py`."""

import importlib.util
from collections import Counter
from functools import partial
from pathlib import Path

import edgeecho
from edgeecho.cine import read_cine
from edgeecho.errors import EdgeEchoError
from edgeecho.reasons import VERDICTS
from edgeecho.runtime import Predictor
from edgeecho.synthetic.turned import TURNED
from edgeecho.synthetic.wrong_views import WRONG
from studies.trust_inputs import Options, Read, data_cines, phantoms, reasons, true_ef, with_progress
from studies.trust_table import Table, frequencies, mean

SEEDS = 10
"""Number of cines of each kind of wrong view, if no limit is given."""
SONOSITE = "data/test_files/examples_ybr_color.dcm"
"""Place of the SonoSite cine inside the package `pydicom`."""
COLUMNS = {
    "kind": "kind of input; `wrong` has no valid EF, `turned` has a remedy, the others are apical views.",
    "cines": "number of cines.",
    "report": "cines whose figures are given without reserve.",
    "review": "cines whose figures are given with a doubt.",
    "withhold": "cines of which no EF is given.",
    "refused": "cines for which an error is raised.",
    "EF given": "cines with an EF, whatever the verdict.",
    "EF error": "mean absolute difference in points of the EFs of all verdicts to those of the cines' own masks.",
    "EF error of reports": "the same for verdict `report` alone.",
    "reasons": "codes of the reasons with the number of cines that have them.",
}


def verdicts(options: Options) -> Table:
    """Measure the table of verdicts."""
    predictor = edgeecho.load(options.model, threads=options.threads)
    table = Table(f"Verdicts by kind of input, model {predictor.spec.name}.", COLUMNS)
    for kind, reads in kinds(options).items():
        _add(table, predictor, kind, reads)
    return table


def kinds(options: Options) -> dict[str, list[Read]]:
    """Return the cines of every kind, each made when it is read."""
    seeds = range(options.first_seed, options.first_seed + options.count(SEEDS))
    found: dict[str, list[Read]] = {}
    for group, drawn in (("wrong", WRONG), ("turned", TURNED)):
        found |= {f"{group}: {kind}": [partial(draw, seed) for seed in seeds] for kind, draw in drawn.items()}
    found["phantom, upright"] = phantoms(options)
    found |= data_cines(options)
    package = importlib.util.find_spec("pydicom")
    if package and package.origin and (path := Path(package.origin).parent / SONOSITE).is_file():
        found["SonoSite, in pydicom"] = [partial(read_cine, path)]
    return found | {str(path): [partial(read_cine, path)] for path in options.cines}


def _add(table: Table, predictor: Predictor, kind: str, reads: list[Read]) -> None:
    """Add the row of one kind."""
    counts, codes, given = Counter[str](), Counter[str](), 0
    errors: dict[str, list[float]] = {name: [] for name in VERDICTS}
    for read in with_progress(kind, reads):
        try:
            cine = read()
            result = predictor.segment(cine)
        except EdgeEchoError as error:
            counts["refused"] += 1
            codes[f"error: {type(error).__name__}"] += 1
            continue
        named = result.verdict
        counts[named] += 1
        codes.update(reasons(result))
        truth = true_ef(cine)
        given += result.ef_percent is not None
        if result.ef_percent is not None and truth is not None and not kind.startswith("wrong"):
            errors[named].append(abs(result.ef_percent - truth))
    table.rows.append(
        {
            "kind": kind,
            "cines": len(reads),
            **{name: counts[name] for name in (*VERDICTS, "refused")},
            "EF given": given,
            "EF error": mean([value for values in errors.values() for value in values]),
            "EF error of reports": mean(errors["report"]),
            "reasons": frequencies(codes),
        }
    )

"""Coverage and width of the interval of EF against the EF of expert masks, for the study `studies/trust.py`."""

import numpy as np

import edgeecho
from edgeecho.errors import EdgeEchoError
from studies.trust_inputs import Options, data_cines, true_ef, with_progress
from studies.trust_table import Row, Table, mean, share

Case = tuple[float, float, tuple[float, float] | None]
"""EF, EF of the masks, and interval of EF, all in percent; the interval is None if the result has none."""
COLUMNS = {
    "input": "data set and split.",
    "verdict": "verdict of the results in the row.",
    "cines": "number of cines.",
    "EF given": "cines with an EF, and with masks that have one.",
    "EF error": "mean absolute difference to the EF of the cine's own masks, in points.",
    "interval given": "those of them with an interval of EF.",
    "covered": "intervals that contain the EF of the masks.",
    "half-width": "median half-width of the intervals in points.",
    "half-width of 90%": "half-width that nine of ten intervals do not exceed.",
}


def interval(options: Options) -> Table:
    """Measure the table of intervals."""
    predictor = edgeecho.load(options.model, threads=options.threads)
    table = Table(f"Interval of EF against the EF of masks, model {predictor.spec.name}.", COLUMNS)
    for name, reads in data_cines(options).items():
        found: dict[str, list[Case | None]] = {}
        for read in with_progress(name, reads):
            try:
                cine = read()
                result = predictor.segment(cine)
            except EdgeEchoError:
                found.setdefault("refused", []).append(None)
                continue
            truth = true_ef(cine)
            whole = result.ef_percent is not None and truth is not None
            case = (float(result.ef_percent or 0), truth or 0.0, result.ef_interval)
            found.setdefault(result.verdict, []).append(case if whole else None)
        for kind in ("all", *sorted(found)):
            cases = [case for key, values in found.items() if kind in ("all", key) for case in values]
            about: Row = {"input": name, "verdict": kind}
            table.rows.append(about | figures(cases))
    return table


def figures(cases: list[Case | None]) -> Row:
    """Return the figures of some cines, each with its EF, its true EF and its interval; None for a cine without EF."""
    there = [case for case in cases if case]
    bounded = [(truth, *bounds) for _, truth, bounds in there if bounds is not None]
    half = [(high - low) / 2 for _, low, high in bounded]
    return {
        "cines": len(cases),
        "EF given": len(there),
        "EF error": mean([abs(ef - truth) for ef, truth, _ in there]),
        "interval given": share(len(bounded), len(there)),
        "covered": share(sum(low <= truth <= high for truth, low, high in bounded), len(bounded)),
        "half-width": float(np.median(half)) if half else None,
        "half-width of 90%": float(np.quantile(half, 0.9)) if half else None,
    }

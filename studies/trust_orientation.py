"""Share of mirrored, turned and inverted pictures that are recognised, for the study `studies/trust.py`."""

from collections import Counter

import edgeecho
from edgeecho.errors import EdgeEchoError
from edgeecho.runtime import Segmentation
from edgeecho.synthetic.turned import KINDS, turn
from studies.trust_inputs import Options, data_cines, phantoms, pooled_dice, reasons, with_progress
from studies.trust_table import Table, frequencies, mean, share, worst

UPRIGHT = "upright"
RIGHT = {
    UPRIGHT: ("none", False),
    "mirrored": ("lr", False),
    "apex down": ("ud", False),
    "turned by 90": ("cw", False),
    "turned by 180": ("lrud", False),
    "turned by 270": ("ccw", False),
    "inverted": ("none", True),
}
"""Flip that puts each kind upright, and whether its grey levels are inverted."""
CODES = {
    "mirrored": {"mirrored"},
    "apex down": {"turned"},
    "turned by 90": {"turned"},
    "turned by 180": {"turned"},
    "turned by 270": {"turned"},
    "inverted": {"inverted"},
}
"""Codes of the reasons that name each kind."""
COLUMNS = {
    "input": "phantoms, or data set and split.",
    "picture": "kind of the picture.",
    "cines": "number of cines.",
    "recognised": "cines that were put upright by the right flip, or whose reasons name the kind; for upright cines, "
    "those that were flipped or called mirrored, turned or inverted: here few is good.",
    "put right": "cines that the right flip put upright.",
    "reported wrong": "cines with the verdict `report` that were not put upright.",
    "not reported": "cines with a verdict that is not `report`, or an error.",
    "Dice mean": "mean Dice of all labelled frames of a cine together.",
    "Dice worst": "smallest Dice of a cine.",
    "flips": "flips that the results state, with their numbers.",
    "reasons": "codes of the reasons with the number of cines that have them.",
}


def orientation(options: Options) -> Table:
    """Measure the table of orientations."""
    predictor = edgeecho.load(options.model, threads=options.threads)
    table = Table(f"Mirrored, turned and inverted pictures, model {predictor.spec.name}.", COLUMNS)
    for name, reads in ({"phantom": phantoms(options)} | data_cines(options)).items():
        found: dict[str, list[tuple[Segmentation, float] | None]] = {kind: [] for kind in (UPRIGHT, *KINDS)}
        for read in with_progress(name, reads):
            cine = read()
            for kind, results in found.items():
                turned = cine if kind == UPRIGHT else turn(cine, kind)
                try:
                    result = predictor.segment(turned)
                    results.append((result, pooled_dice(result.mask, turned.labels)))
                except EdgeEchoError:
                    results.append(None)
        for kind, results in found.items():
            _add(table, name, kind, results)
    return table


def is_put_right(result: Segmentation, kind: str) -> bool:
    """Whether the picture was turned as puts this kind upright."""
    return (result.flip, result.orientation.inverted) == RIGHT[kind]


def is_recognised(result: Segmentation, kind: str) -> bool:
    """Whether flip or reasons name this kind; of an upright picture, whether they name any kind."""
    codes = set(reasons(result))
    if kind == UPRIGHT:
        return not is_put_right(result, kind) or bool(codes & {code for each in CODES.values() for code in each})
    return is_put_right(result, kind) or bool(codes & CODES[kind])


def _add(table: Table, name: str, kind: str, results: list[tuple[Segmentation, float] | None]) -> None:
    """Add the row of one kind of picture."""
    there = [each for each in results if each]
    dices = [dice for _, dice in there]
    table.rows.append(
        {
            "input": name,
            "picture": kind,
            "cines": len(results),
            "recognised": share(sum(is_recognised(result, kind) for result, _ in there), len(results)),
            "put right": share(sum(is_put_right(result, kind) for result, _ in there), len(results)),
            "reported wrong": share(
                sum(r.verdict == "report" and not is_put_right(r, kind) for r, _ in there), len(results)
            ),
            "not reported": share(len(results) - sum(result.verdict == "report" for result, _ in there), len(results)),
            "Dice mean": mean(dices),
            "Dice worst": worst(dices),
            "flips": frequencies(Counter(result.flip for result, _ in there)),
            "reasons": frequencies(Counter(code for result, _ in there for code in reasons(result))),
        }
    )

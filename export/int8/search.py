"""Search for an int8 graph that the acceptance test accepts.

If it refuses a graph, convolutions are kept in float, the one with the largest effect on the failed figure first, until
it accepts; if half of them in float do not suffice, the export is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import onnx

from edgeecho.errors import ExportError
from edgeecho.export.check.acceptance import Reference, assess
from edgeecho.export.check.figures import Figure
from edgeecho.export.check.proof import CheckResult, open_graph, require_all
from edgeecho.export.int8.parameters import check_parameters, check_sums
from edgeecho.export.int8.quantize import quantize
from edgeecho.export.int8.ranges import Ranges
from edgeecho.export.options import Options
from edgeecho.model.spec import ModelSpec

RANKING_CINES = 16
"""Number of acceptance cines on which the cost of a convolution is measured."""


@dataclass(frozen=True)
class Int8Graph:
    """An int8 graph with its proof and the figures of the acceptance test."""

    model: onnx.ModelProto
    proof: list[CheckResult]
    """Results of comparing its parameters with the calibration and its sums with the middles between levels."""
    figures: list[Figure]
    kept_float: list[str] = field(default_factory=list)
    """Names of convolutions that stay in float, the one with the largest cost first."""
    costs: list[tuple[str, float]] = field(default_factory=list)
    """Name of each convolution, and the failed figure if that one alone is in float, smallest first; empty if no figure
    failed."""

    @property
    def refusal(self) -> str | None:
        """Reason why the acceptance test refuses the graph; None if it accepts."""
        return refusal_of(self.figures)


def refusal_of(figures: list[Figure]) -> str | None:
    """Describe the first figure that does not hold, with its interval and its worst cines; None if all hold."""
    failed = [figure for figure in figures if not figure.holds]
    return f"{failed[0].file} differs from {failed[0].against} in {failed[0]}" if failed else None


def refusals_of(figures: list[Figure]) -> list[str]:
    """Describe why files are refused, one sentence a file; empty if all are accepted."""
    files = dict.fromkeys(figure.file for figure in figures)
    found = (refusal_of([figure for figure in figures if figure.file == file]) for file in files)
    return [text for text in found if text]


def sources_of(figure: Figure, reference: Reference) -> list[str]:
    """List the names of the worst cines in the data set, for the terminal alone: files contain no name of a patient."""
    found = {cine.name: cine.source for cine in reference.cines if cine.source}
    names = [text.rpartition(" (")[0] for text in figure.worst]
    return [f"{name} is {found[name]}" for name in names if name in found]


def quantize_accepted(
    model: onnx.ModelProto,
    ranges: Ranges,
    reference: Reference,
    spec: ModelSpec,
    options: Options,
    progress: Callable[[str], None],
) -> Int8Graph:
    """Quantize, test, and keep more convolutions in float until the acceptance test accepts.

    Args:
        model: The fp32 clip graph.
        ranges: Ranges of its tensors.
        reference: Predictions of fp32 on the acceptance cines.
        spec: Specification of the fp32 clip graph.
        options: Options of the export; with `gate` `report` all convolutions stay in int8, whatever is found.
        progress: Function that is called with what is being done.

    Raises:
        ExportError: If parameters of the graph are not those of the calibration, or with `gate` `enforce` half of the
            convolutions in float do not suffice.
    """
    names = [node.name for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    candidates = names[1:-1]  # the first and the last have the given scales at the ends
    found = _attempt(model, ranges, reference, spec, options, [])
    if found.refusal is None:
        return found
    failed = next(figure for figure in found.figures if not figure.holds)
    progress(f"{found.refusal}; measuring what each convolution costs")
    for text in sources_of(failed, reference):
        progress(text)
    costs = rank(model, ranges, reference, spec, options, candidates, failed.figure)
    if options.gate == "report":
        return Int8Graph(found.model, found.proof, found.figures, [], costs)
    kept: list[str] = []
    for name, _ in costs[: -(-len(candidates) // 2)]:
        kept.append(name)
        progress(f"back to float: {name}")
        found = _attempt(model, ranges, reference, spec, options, kept)
        if found.refusal is None:
            return Int8Graph(found.model, found.proof, found.figures, kept, costs)
    raise ExportError(
        f"int8 is refused: {found.refusal}; even with {len(kept)} of {len(candidates)} convolutions in float. "
        "Calibrate on other data (--calib), look at the files with --gate report, or export --fp32"
    )


def _attempt(
    model: onnx.ModelProto,
    ranges: Ranges,
    reference: Reference,
    spec: ModelSpec,
    options: Options,
    kept: list[str],
) -> Int8Graph:
    int8 = quantize(model, ranges, keep_float=kept, weight_bits=options.weight_bits)
    proof = [check_parameters(int8, model, options.weight_bits, ranges), check_sums(int8)]
    require_all(proof)
    run = open_graph(int8, spec).probabilities
    return Int8Graph(int8, proof, assess("clip.int8.onnx", run, reference, options.limits), list(kept))


def rank(
    model: onnx.ModelProto,
    ranges: Ranges,
    reference: Reference,
    spec: ModelSpec,
    options: Options,
    candidates: list[str],
    figure: str,
) -> list[tuple[str, float]]:
    """Rank convolutions by the failed figure if each alone is in float; the smallest first."""
    few = reference.subset(range(min(RANKING_CINES, len(reference.cines))))
    costs = []
    for name in candidates:
        graph = quantize(model, ranges, keep_float=[name], weight_bits=options.weight_bits)
        figures = assess(name, open_graph(graph, spec).probabilities, few, options.limits)
        value = next((abs(found.value) for found in figures if found.figure == figure), 0.0)
        costs.append((name, value))
    return sorted(costs, key=lambda cost: cost[1])

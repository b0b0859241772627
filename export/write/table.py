"""Tables of an export and of a verification, for the terminal."""

from collections.abc import Iterator
from dataclasses import asdict

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from edgeecho.export.check.proof import CheckResult
from edgeecho.export.check.verification import Verification
from edgeecho.export.pipeline import Bundle
from edgeecho.model.spec import NOTICE
from edgeecho.report.model import acceptance_table


def render_bundle(bundle: Bundle) -> Iterator[RenderableType]:
    """Yield the proof, the files and the licence for the terminal."""
    yield proof_table(bundle.proof, bundle.spec.name)
    if bundle.gate:
        yield acceptance_table([asdict(figure) for figure in bundle.gate], bundle.gate_cines)
        if bundle.kept_float:
            yield Text(f"given back to float: {', '.join(bundle.kept_float)}")
        for text in bundle.refusals:
            yield Text(f"refused by the acceptance test: {text}")
    for path in sorted(bundle.folder.iterdir()):
        yield Text(f"{path.stat().st_size:>10,} bytes  {path}", no_wrap=True)
    if bundle.calibration:
        yield Text(f"calibrated on {bundle.calibration}")
    yield Text(f"weights: {bundle.spec.licence}. {NOTICE}")


def proof_table(proof: list[CheckResult], name: str) -> Table:
    """Lay out the comparisons of all files as a table."""
    table = Table("file", "against", "figure", "value", "worst clip", "limit", title=f"{name}: proof")
    for v in proof:
        limit = f"{v.limit:g}{'' if v.holds else ' FAILS'}"
        table.add_row(v.file, v.against, v.figure, f"{v.value:.4g}", f"{v.worst:.4g}", limit)
    return table


def render_verification(found: Verification) -> Iterator[RenderableType]:
    """Yield the result of a verification for the terminal."""
    yield proof_table(found.proof, found.spec.name)
    if found.figures:
        yield acceptance_table([asdict(figure) for figure in found.figures], found.cines)
    yield Text(f"{len(found.proof)} comparisons on this machine. {NOTICE}")

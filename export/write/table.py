"""Tables of an export and of a verification, for the terminal."""

from dataclasses import asdict

from rich.table import Table

from edgeecho.export.check.proof import CheckResult
from edgeecho.export.check.verification import Verification
from edgeecho.export.pipeline import Bundle
from edgeecho.model.spec import NOTICE
from edgeecho.report.model import acceptance_table
from edgeecho.report.terminal import table_console


def print_bundle(bundle: Bundle) -> None:
    """Print the proof, the files and the licence to stdout."""
    console = table_console()
    console.print(proof_table(bundle.proof, bundle.spec.name))
    if bundle.gate:
        console.print(acceptance_table([asdict(figure) for figure in bundle.gate], bundle.gate_cines))
        if bundle.kept_float:
            console.print(f"given back to float: {', '.join(bundle.kept_float)}", highlight=False)
        for text in bundle.refusals:
            console.print(f"refused by the acceptance test: {text}", highlight=False)
    for path in sorted(bundle.folder.iterdir()):
        console.print(f"{path.stat().st_size:>10,} bytes  {path}", highlight=False, soft_wrap=True)
    if bundle.calibration:
        console.print(f"calibrated on {bundle.calibration}", highlight=False)
    console.print(f"weights: {bundle.spec.licence}. {NOTICE}", highlight=False)


def proof_table(proof: list[CheckResult], name: str) -> Table:
    """Lay out the comparisons of all files as a table."""
    table = Table("file", "against", "figure", "value", "worst clip", "limit", title=f"{name}: proof")
    for v in proof:
        limit = f"{v.limit:g}{'' if v.holds else ' FAILS'}"
        table.add_row(v.file, v.against, v.figure, f"{v.value:.4g}", f"{v.worst:.4g}", limit)
    return table


def print_verification(found: Verification) -> None:
    """Print the result of a verification to stdout."""
    console = table_console()
    console.print(proof_table(found.proof, found.spec.name))
    if found.figures:
        console.print(acceptance_table([asdict(figure) for figure in found.figures], found.cines))
    console.print(f"{len(found.proof)} comparisons on this machine. {NOTICE}", highlight=False)

"""What an export proved, as a table."""

from rich.table import Table

from edgeecho.export.pipeline import Bundle
from edgeecho.report.terminal import table_console
from edgeecho.spec import NOTICE


def print_bundle(bundle: Bundle) -> None:
    """Print the proof, the files and the licence to stdout."""
    console = table_console()
    table = Table("file", "against", "figure", "value", "worst clip", "limit", title=f"{bundle.spec.name}: proof")
    for v in bundle.verdicts:
        table.add_row(v.file, v.against, v.figure, f"{v.value:.4g}", f"{v.worst:.4g}", f"{v.limit:g}")
    console.print(table)
    if bundle.gate:
        cines = len(bundle.frames.judges)
        gate = Table(
            "file", "figure", "value", "worst cine", "limit", title=f"int8 against fp32 on {cines} whole cines"
        )
        for v in bundle.gate:
            gate.add_row(v.file, v.figure, f"{v.value:.4g}", f"{v.worst:.4g}", f"{v.limit:g}")
        console.print(gate)
        if bundle.kept_float:
            console.print(f"given back to float: {', '.join(bundle.kept_float)}", highlight=False)
    for path in sorted(bundle.folder.iterdir()):
        console.print(f"{path.stat().st_size:>10,} bytes  {path}", highlight=False, soft_wrap=True)
    if bundle.calibration:
        console.print(f"calibrated on {bundle.calibration}", highlight=False)
    console.print(f"weights: {bundle.spec.licence}. {NOTICE}", highlight=False)

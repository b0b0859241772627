"""Tables of a model in the terminal: its files, their proof, and their origin."""

from typing import Any

from rich.console import Console
from rich.table import Table

from edgeecho.model.integrity import FileReport, Report


def print_report(report: Report, console: Console) -> None:
    """Print what a file or a bundle contains about itself."""
    models = [file for file in report.files if file.spec]
    if len(report.files) == 1 and models and not report.index:
        _print_file(models[0], console)
        return
    index = report.index
    table = Table(title=f"{report.name}: files")
    table.add_column("file", no_wrap=True)
    for heading in ("checksum", "T", "lowering"):
        table.add_column(heading)
    for heading in ("bytes", "state, bytes"):
        table.add_column(heading, justify="right", no_wrap=True)
    for file in report.files:
        about = ["", "", ""]
        if file.spec and file.spec.form != "checkpoint":
            streams = file.spec.form == "stream"
            about = ["1" if streams else str(file.spec.frames or "free"), file.spec.lowering, ""]
            about[2] = f"{file.spec.state_bytes:,}" if streams else ""
        holds = "broken" if file.error else "holds"
        table.add_row(file.name, holds, *about[:2], f"{file.bytes:,}", about[2])
    console.print(table)
    if index.get("gate"):
        gate = index["gate"]
        if "cines" in gate:
            console.print(acceptance_table(gate["figures"], gate["cines"]))
        else:  # of an export before the acceptance test was one of statistics
            _print_figures(gate["figures"], "int8 against fp32 on whole cines", console)
        kept = ", ".join(gate["kept_float"]) or "none"
        console.print(f"convolutions given back to float: {kept}", highlight=False)
        for text in gate.get("refusals", ()):
            console.print(f"refused by the acceptance test: {text}", highlight=False)
    if index.get("proof"):
        _print_figures(index["proof"], "proof", console)
    if index.get("soup"):
        soup = Table("software", "version", "what for", title="software of unknown provenance (IEC 62304)")
        for row in index["soup"]:
            soup.add_row(row["name"], row["version"], row["purpose"])
        console.print(soup)
    specs = [file.spec.to_dict() for file in models if file.spec]
    spec: dict[str, Any] = index.get("spec") or (specs[0] if specs else {})
    rows = {"made by": index.get("command"), "of revision": index.get("revision")}
    rows |= {"calibrated on": index.get("calibration"), "trained on": spec.get("trained_on")}
    rows |= {"licence": spec.get("licence"), "intended use": spec.get("intended_use")}
    _print_rows({key: value for key, value in rows.items() if value}, console)


def acceptance_table(figures: list[dict[str, Any]], cines: int) -> Table:
    """Lay out the figures of an acceptance test, as `edgeecho.export.check.acceptance.Figure` has them."""
    table = Table(title=f"acceptance test: quantized against fp32 on {cines} cines")
    for heading in ("file", "figure", "value", "interval", "limit", "cines", "worst cines"):
        table.add_column(heading, overflow="fold")
    for row in figures:
        low, high = row["low"], row["high"]
        interval = "" if low == high or low is None or high is None else f"{low:.3g} to {high:.3g}"
        limit = "reported" if row["limit"] is None else f"{row['limit']:g}{'' if row['holds'] else ' FAILS'}"
        value = "-" if row["value"] is None else f"{row['value']:.3g}"
        worst = ", ".join(row["worst"]) if row["holds"] is False else (row["worst"] or ("",))[0]
        table.add_row(row["file"], row["figure"], value, interval, limit, str(row["cines"]), worst)
    return table


def _print_file(file: FileReport, console: Console) -> None:
    assert file.spec
    console.print(f"{file.name}: checksum holds, {file.bytes:,} bytes", highlight=False)
    values = file.spec.to_dict()
    state = values.pop("state", ())
    _print_rows(values, console)
    if file.selftest:
        console.print(f"self-test: {file.selftest}", highlight=False)
    if file.refusal:
        console.print(f"refused by the acceptance test at its export: {file.refusal}", highlight=False)
    if state:
        table = Table("input", "output", "shape", "type", "zero point", title="state carried from frame to frame")
        for name, shape, dtype, zero in state:
            table.add_row(name, f"next_{name}", " x ".join(map(str, shape)), dtype, str(zero))
        console.print(table)
        console.print(f"{file.spec.state_bytes:,} bytes in all", highlight=False)


def _print_rows(values: dict[str, Any], console: Console) -> None:
    grid = Table.grid(padding=(0, 2))
    for key, value in values.items():
        grid.add_row(key, str(value))
    console.print(grid)


def _print_figures(rows: list[dict[str, Any]], title: str, console: Console) -> None:
    table = Table(title=title)
    for heading in ("file", "against", "figure", "value", "worst", "limit"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        numbers = ["-" if row[key] is None else f"{row[key]:.4g}" for key in ("value", "worst", "limit")]
        table.add_row(row["file"], row["against"], row["figure"], *numbers)
    console.print(table)

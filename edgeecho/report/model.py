"""Tables of a model in the terminal: its files, their proof, and their origin."""

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from edgeecho.model.integrity import FileReport, Report


def render_report(report: Report) -> Iterator[RenderableType]:
    """Yield what a file or a bundle contains about itself, as tables and lines for the terminal."""
    models = [file for file in report.files if file.spec]
    if len(report.files) == 1 and models and not report.index:
        yield from _render_file(models[0])
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
        holds = "refused" if file.error else "holds"
        table.add_row(file.name, holds, *about[:2], f"{file.bytes:,}", about[2])
    yield table
    if report.note:
        yield Text(report.note)
    if index.get("gate"):
        gate = index["gate"]
        if "cines" in gate:
            yield acceptance_table(gate["figures"], gate["cines"])
        else:  # of an export before the acceptance test was one of statistics
            yield _figure_table(gate["figures"], "int8 against fp32 on whole cines")
        kept = ", ".join(gate["kept_float"]) or "none"
        yield Text(f"convolutions given back to float: {kept}")
        for text in gate.get("refusals", ()):
            yield Text(f"refused by the acceptance test: {text}")
    if index.get("proof"):
        yield _figure_table(index["proof"], "proof")
    if index.get("soup"):
        soup = Table("software", "version", "what for", title="software of unknown provenance (IEC 62304)")
        for row in index["soup"]:
            soup.add_row(row["name"], row["version"], row["purpose"])
        yield soup
    specs = [file.spec.to_dict() for file in models if file.spec]
    spec: dict[str, Any] = index.get("spec") or (specs[0] if specs else {})
    rows = {"made by": index.get("command"), "of revision": index.get("revision")}
    rows |= {"calibrated on": index.get("calibration"), "trained on": spec.get("trained_on")}
    rows |= {"recipe, SHA-256": spec.get("recipe")}
    rows |= {"licence": spec.get("licence"), "intended use": spec.get("intended_use")}
    yield _grid({key: value for key, value in rows.items() if value})


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


def _render_file(file: FileReport) -> Iterator[RenderableType]:
    assert file.spec
    yield Text(f"{file.name}: checksum holds, {file.bytes:,} bytes")
    values = file.spec.to_dict()
    state = values.pop("state", ())
    yield _grid(values)
    if file.selftest:
        yield Text(f"self-test: {file.selftest}")
    if file.refusal:
        yield Text(f"refused by the acceptance test at its export: {file.refusal}")
    if state:
        table = Table("input", "output", "shape", "type", "zero point", title="state carried from frame to frame")
        for name, shape, dtype, zero in state:
            table.add_row(name, f"next_{name}", " x ".join(map(str, shape)), dtype, str(zero))
        yield table
        yield Text(f"{file.spec.state_bytes:,} bytes in all")


def _grid(values: dict[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for key, value in values.items():
        grid.add_row(key, str(value))
    return grid


def _figure_table(rows: list[dict[str, Any]], title: str) -> Table:
    table = Table(title=title)
    for heading in ("file", "against", "figure", "value", "worst", "limit"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        numbers = ["-" if row[key] is None else f"{row[key]:.4g}" for key in ("value", "worst", "limit")]
        table.add_row(row["file"], row["against"], row["figure"], *numbers)
    return table

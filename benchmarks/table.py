"""The terminal table."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edgeecho.benchmarks.result import BenchResult, Row

MISSING = "-"
COLUMNS = (
    *("model", "runtime", "asked", "ran", "params\nM", "MMAC\n/frame", "file\nMB", "runs\nn", "p50\nms", "p90\nms"),
    *("frames\n/s", "peak\nMB", "speed-\nup"),
)
TEXT_COLUMNS = 4
FULL_WIDTH = 116
NARROW = (0, 1, 3, 6, 8, 11, 12)
"""Columns that a narrower terminal shows."""


def print_table(result: BenchResult, console: Console) -> None:
    """Print rows, fastest first and failed ones last, with the rules and the machine's state underneath."""
    protocol, machine = result.protocol, result.machine
    t, _, size_px, _ = protocol["clip"]
    title = f"Clips of {t} frames of {size_px} x {size_px}, {_threads(protocol['threads'])}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    if not console.is_terminal and console.width < FULL_WIDTH:
        console.width = FULL_WIDTH  # a file or a pipe has room
    shown = range(len(COLUMNS)) if console.width >= FULL_WIDTH else NARROW
    for i in shown:
        table.add_column(COLUMNS[i], justify="left" if i < TEXT_COLUMNS else "right", no_wrap=True)
    rows = sorted(result.rows, key=lambda row: (row.p50_ms is None, row.p50_ms or 0))
    for row in rows:
        cells = _cells(row)
        table.add_row(*(cells[i] for i in shown))
    console.print(table)
    if shown == NARROW:
        console.print(f"More columns in a terminal of {FULL_WIDTH} or more, and with --json.", style="dim")
    for row in rows:
        if row.error:
            name = " ".join(part for part in (row.model, row.runtime, row.precision_asked) if part)
            console.print(f"[red]{escape(name)}[/]: {escape(row.error)}", highlight=False)
    for line in _notes(result):
        console.print(line, style="dim", highlight=False)
    busy = machine["load_average_at_start"]
    if busy is not None and busy + protocol["threads"] > machine["usable_cores"] + 0.5:
        console.print(
            f"The machine was busy (load average {busy} on {machine['usable_cores']} cores): "
            "trust the ratios more than the milliseconds, and run it again when idle.",
            style="yellow",
            highlight=False,
        )
    if not result.complete:
        console.print("Interrupted: the figures are partial.", style="yellow", highlight=False)


def _cells(row: Row) -> list[str]:
    return [
        escape(row.model),
        row.runtime,
        row.precision_asked or MISSING,
        row.precision_run or MISSING,
        _number(row.params and row.params / 1e6, 2),
        _number(row.macs_per_frame and row.macs_per_frame / 1e6, 0),
        _number(row.file_bytes and row.file_bytes / 1e6, 2),
        str(row.n),
        _number(row.p50_ms, 1),
        _number(row.p90_ms, 1),
        _number(row.frames_per_second, 1),
        _number(row.peak_rss_mb, 0),
        f"{_number(row.speedup_vs_unet3d, 1)}x" if row.speedup_vs_unet3d else MISSING,
    ]


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}".replace(",", " ")


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _notes(result: BenchResult) -> list[str]:
    protocol, machine = result.protocol, result.machine
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items() if v and k in ("onnxruntime", "openvino"))
    yardstick = "over unet3d, the standard 3D U-Net (random weights, same exporter), fp32 in ONNX Runtime, this run."
    return [
        "Network alone, uint8 in, uint8 out. One process a row, in turns, every run counts; FLOPs = 2 x MACs.",
        *([f"Speed-up: {yardstick}"] if any(row.speedup_vs_unet3d for row in result.rows) else []),
        f"{machine['cpu']}, {machine['usable_cores']} cores; {versions}; energy {protocol['energy']}.",
    ]

"""Terminal table of a profile."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from edgeecho.benchmarks.render.formatting import MISSING

TEXT_COLUMNS = 3


def _table(title: str, headings: Sequence[str], text_columns: int = TEXT_COLUMNS) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for i, heading in enumerate(headings):
        is_text = i < text_columns
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text)
    return table


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def render_profile(profile: Mapping[str, Any], title: str, frames: int) -> Iterator[RenderableType]:
    """Yield a table of the layers in the order in which they ran, then the sums and the ceiling.

    Args:
        profile: Profile, from `profile_model`.
        title: Title of the table.
        frames: Frames of a run.
    """
    headings = ("layer", "kernel", "ran", "MMAC", "ms", "of time", "GMAC/s", "of ceiling")
    table = _table(escape(title), headings)
    total_ms = profile["total_ms"]
    for layer in profile["layers"]:
        table.add_row(
            escape(layer["name"]),
            layer["op"],
            layer["precision"] or MISSING,
            _number(layer["macs"] / 1e6 if layer["macs"] else None, 1),
            _number(layer["ms"], 3),
            f"{layer['ms'] / total_ms:.1%}" if total_ms else MISSING,
            _number(layer["gmac_per_s"], 1),
            MISSING if layer["of_ceiling"] is None else f"{layer['of_ceiling']:.0%}",
        )
    table.add_section()
    share = profile["conv_ms"] / total_ms if total_ms else 0.0
    table.add_row("convolutions", "", "", "", _number(profile["conv_ms"], 3), f"{share:.1%}", "", "")
    rate = profile["macs"] / total_ms / 1e6 if total_ms else None
    of_ceiling = MISSING if profile["of_ceiling"] is None else f"{profile['of_ceiling']:.0%}"
    cells = (_number(profile["macs"] / 1e6, 1), _number(total_ms, 3), "100.0%", _number(rate, 1), of_ceiling)
    table.add_row("all", "", "", *cells)
    yield table
    ceilings = ", ".join(f"{rate:.0f} GMAC/s {name}" for name, rate in profile["ceilings"].items())
    for line in (
        f"Ceiling, a convolution of 256 x 256 x 3 x 3 at 64 x 64 in the same engine: {ceilings}.",
        f"A whole run of {frames} frame(s), profiler on: {profile['run_ms']:.3f} ms, "
        f"{profile['run_ms'] / frames:.3f} ms a frame; {profile['runs']} runs.",
    ):
        yield Text(line, "dim")

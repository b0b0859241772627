"""Make the README's speed table and docs/img/bench.svg from docs/bench-cpu.json.

Usage: python -m edgeecho.benchmarks.render.readme [--check] [--root DIR]

The table stands between two comments of README.md; what is around them is left as it is. With --check nothing is
written, and exit code 1 means that README or picture differ from the JSON.
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

from edgeecho.benchmarks.peers.peers import PEERS, YARDSTICK
from edgeecho.benchmarks.render.formatting import (
    MISSING,
    accuracy_text,
    clip_text,
    in_order,
    machine_text,
    number,
    number_at,
    significant,
    speedup,
)
from edgeecho.benchmarks.render.markdown import clean, table
from edgeecho.benchmarks.render.pareto import caption, draw_pareto
from edgeecho.benchmarks.run.machine import runtime_name
from edgeecho.benchmarks.run.result import BenchResult, Row
from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.files import atomic

BEGIN = "<!-- bench: from docs/bench-cpu.json by python -m edgeecho.benchmarks.render.readme -->"
END = "<!-- /bench -->"
SOURCE, README, PICTURE = Path("docs/bench-cpu.json"), Path("README.md"), Path("docs/img/bench.svg")
PICTURE_WIDTH_PX = 880
LEFT_OUT = set(PEERS) - {YARDSTICK}
"""Networks whose rows are in the linked result alone; the picture shows them too."""
PLAIN_NAME = re.compile(r"[\w-][\w.-]*")
"""Name of a network that is linked to its model card; other names are plain text."""
FILE_PRECISION = "as the file"
"""Precision in the heading of rows that are a single file."""


def render_region(result: BenchResult, root: Path) -> str:
    """Return the text between the comments: the table, what was measured, the picture.

    The table has the rows of all models but the peers, of which it has the standard 3D U-Net alone.

    Args:
        result: Result of any schema.
        root: The repository; networks that have a model card in it are linked.
    """
    rows = [row for row in in_order(result.rows) if row.p50_ms and row.model not in LEFT_OUT]
    ways = sorted(
        {(row.precision_asked or FILE_PRECISION, row.runtime) for row in rows}, key=lambda w: (w[0] != "int8", *w)
    )
    kinds = list(dict.fromkeys((row.model, row.form or "clip") for row in rows))
    has_streams = any(form == "stream" for _, form in kinds)
    has_accuracy = any(row.accuracy for row in rows)
    heads = [
        *("network", *(["form"] if has_streams else []), "parameters", "int8 file"),
        *(["Dice ED / ES"] if has_accuracy else []),
        *(f"{precision}, {runtime_name(runtime)}" for precision, runtime in ways),
    ]
    lines = []
    for model, form in kinds:
        members = [row for row in rows if (row.model, row.form or "clip") == (model, form)]
        cells = [_linked(model, root), *([form] if has_streams else []), _parameters(members), _int8_file(members)]
        cells += [_dice(members)] if has_accuracy else []
        for precision, runtime in ways:
            way = (r for r in members if (r.precision_asked or FILE_PRECISION, r.runtime) == (precision, runtime))
            cells.append(_speed(next(way, None)))
        lines.append(cells)
    text = table(heads, lines, 2 if has_streams else 1)
    for model in {model for model, _ in kinds if PLAIN_NAME.fullmatch(model)}:  # links are ours: they stay links
        text = text.replace(f"| {clean(_linked(model, root))} |", f"| {_linked(model, root)} |")
    accuracy = accuracy_text(result)
    words = (
        "Milliseconds a frame (median), and how many times as fast as the standard 3D U-Net's fp32 in ONNX Runtime; "
        f"{clip_text(result)}, the network alone. {clean(machine_text(result))}; {clean(_day(result))}. `unet3d` is "
        "the standard 3D U-Net with random weights, through the same exporter."
        f"{f' {clean(accuracy)}' if accuracy else ''} [Every row and the rules]({SOURCE.as_posix()})."
        f"{'' if result.complete else ' **Interrupted: partial figures.**'}"
    )
    paragraph = textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False)
    return "\n\n".join([text, paragraph, f"![{clean(caption(result))}]({PICTURE.as_posix()})"])


def render_picture(result: BenchResult) -> str:
    """Return the chart as an SVG file for light and dark pages.

    Raises:
        ConfigError: If no row of the result can be drawn.
    """
    drawing = draw_pareto(result, PICTURE_WIDTH_PX)
    if drawing is None:
        raise ConfigError(f"{SOURCE.as_posix()}: no timed row to draw")
    return drawing.to_svg(standalone=True) + "\n"


def with_region(readme: str, region: str) -> str:
    """Return README's text with the region between the comments replaced.

    Raises:
        ConfigError: If the comments are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ConfigError(f"{README}: expected one {BEGIN!r} and one {END!r} after it")
    return f"{before}{BEGIN}\n\n{region}\n\n{END}{after}"


def outdated(root: Path, *, write: bool) -> list[str]:
    """Return which of README and picture differ from the JSON, and write them if `write` is true.

    Raises:
        ConfigError: If README cannot be read or has no place for the table.
        DataError: If the JSON is no result.
        OutputError: If a file cannot be written.
    """
    result = BenchResult.from_json(root / SOURCE)
    try:
        readme = (root / README).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {README}: {error.strerror}; run it in the repository") from error
    wanted = {README: with_region(readme, render_region(result, root)), PICTURE: render_picture(result)}
    found = []
    for path, text in wanted.items():
        place = root / path
        if not place.is_file() or place.read_text(encoding="utf-8") != text:
            found.append(path.as_posix())
            if write:
                with atomic(place) as temporary:
                    temporary.write_text(text, encoding="utf-8")
    return found


def _linked(model: str, root: Path) -> str:
    if not PLAIN_NAME.fullmatch(model):
        return model
    card = f"models/{model}/README.md"
    return f"[`{model}`]({card})" if (root / card).is_file() else f"`{model}`"


def _parameters(rows: list[Row]) -> str:
    count = next((row.params for row in rows if row.params), None)
    return f"{number(count / 1e6, 2)} M" if count else MISSING


def _int8_file(rows: list[Row]) -> str:
    size = min((row.file_bytes for row in rows if row.file_bytes and row.precision_asked == "int8"), default=None)
    return f"{number(size / 1e6, 2)} MB" if size else MISSING


def _dice(rows: list[Row]) -> str:
    """Return Dice of the int8 row where it is known, else of any row."""
    with_accuracy = sorted((row for row in rows if row.accuracy), key=lambda row: row.precision_asked != "int8")
    if not with_accuracy:
        return MISSING
    return " / ".join(number(number_at(with_accuracy[0].accuracy, key), 3) for key in ("dice_ed", "dice_es"))


def _speed(row: Row | None) -> str:
    if row is None or not row.ms_per_frame:
        return MISSING
    return f"{significant(row.ms_per_frame)}" + (
        f" ({speedup(row.speedup_vs_unet3d)})" if row.speedup_vs_unet3d else ""
    )


def _day(result: BenchResult) -> str:
    return str(result.protocol.get("started") or "date unknown")[:10]


def main(arguments: list[str] | None = None) -> int:
    """Write or check; return 1 if --check found a difference or something failed."""
    parser = argparse.ArgumentParser(
        prog="python -m edgeecho.benchmarks.render.readme", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="the repository")
    options = parser.parse_args(arguments)
    try:
        names = outdated(options.root, write=not options.check)
    except EdgeEchoError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if names and options.check:
        sys.stderr.write(f"error: {', '.join(names)}: not what {SOURCE} says; run this without --check\n")
        return 1
    sys.stdout.write("".join(f"{name} written\n" for name in names) or "up to date\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

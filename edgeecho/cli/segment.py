"""`edgeecho segment`: masks, figures and an overlay video of cines."""

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeecho.cli.common import Model, Precision, Runtime, Stream, Threads, progress_bar, say
from edgeecho.errors import ConfigError
from edgeecho.names import printable


def _numbers(text: str | None, count: int, flag: str) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise ConfigError(f"{flag} takes {count} numbers with commas between, got {text!r}")
    return values


def segment(
    inputs: Annotated[list[Path], typer.Argument(help="Cines, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Model = "default",
    runtime: Runtime = None,
    precision: Precision = None,
    threads: Threads = None,
    as_stream: Stream = False,
    fps: Annotated[float | None, typer.Option(help="Frames per second, if the file does not say.")] = None,
    spacing_mm: Annotated[str | None, typer.Option(help="ROW,COL millimetres per pixel.")] = None,
    roi: Annotated[str | None, typer.Option(help="X,Y,W,H region to look at, in pixels.")] = None,
    flip: Annotated[
        str,
        typer.Option(
            help="How pictures are put upright: auto finds it; none; lr mirrored left and right, ud up and down, lrud "
            "both; cw, ccw turned by 90 degrees; cwlr, ccwlr turned, then mirrored."
        ),
    ] = "auto",
) -> None:
    """Outline the left ventricle in every frame: masks, area curve, beats, EF, overlay video."""
    from edgeecho.preprocess import Roi
    from edgeecho.report.segment_files import SegmentOptions, segment_files
    from edgeecho.runtime import load, stream

    region, spacing = _numbers(roi, 4, "--roi"), _numbers(spacing_mm, 2, "--spacing-mm")
    options = SegmentOptions(
        fps=fps,
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        roi=Roi(*(round(v) for v in region)) if region else None,
        flip=flip,
    )
    predictor = (stream if as_stream else load)(model, runtime=runtime, precision=precision, threads=threads)
    messages = _RunMessages()
    with progress_bar() as progress:
        task = progress.add_task("", total=None)
        for outcome in segment_files(
            predictor,
            inputs,
            out,
            options,
            lambda name, n, t: progress.update(
                task, description=printable(name, sys.stderr.encoding), completed=n, total=t
            ),
        ):
            for line in messages.of(outcome):
                progress.console.print(printable(line, sys.stderr.encoding), markup=False, soft_wrap=True)
            if not outcome.error:
                typer.echo(printable(_summary(outcome), sys.stdout.encoding))
    for line in messages.at_end():
        say(line)
    if messages.errors:
        raise typer.Exit(1)


class _RunMessages:
    """Messages of a run on stderr: what many cines have in common once, and errors again at the end."""

    def __init__(self) -> None:
        self.cines = 0
        self.errors: list[str] = []
        self._common: dict[str, list[str]] = {}

    def of(self, outcome: Any) -> list[str]:
        """Return the lines to print when a cine is done: its error, or those of its warnings that are its own."""
        from edgeecho.measure import COMMON_WARNINGS

        self.cines += 1
        name = outcome.source.name
        if outcome.error:
            self.errors.append(" ".join(str(outcome.error).split()))
            return [f"error: {self.errors[-1]}"]
        warnings = outcome.result.warnings
        for warning in COMMON_WARNINGS.intersection(warnings):
            self._common.setdefault(warning, []).append(name)
        return [f"{name}: {warning}" for warning in warnings if warning not in COMMON_WARNINGS]

    def at_end(self) -> list[str]:
        """Return the lines to print at the end: each common warning with the number of cines, and all errors again."""
        lines = [
            f"{names[0] if len(names) == 1 else f'{len(names)} of {self.cines} cines'}: {warning}"
            for warning, names in sorted(self._common.items())
        ]
        if self.errors and self.cines > 1:
            lines += [f"{len(self.errors)} of {self.cines} cines failed:", *(f"  {error}" for error in self.errors)]
        return lines


def _summary(outcome: Any) -> str:
    """Return the line of a cine: frames, beats, EF with its verdict, volumes, heart rate, and a file."""
    from edgeecho.report.marks import verdict_in_words

    result = outcome.result
    counts = ((len(result.area_px), "frame"), (len(result.beats), "beat"))
    parts = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts]
    left_out = sum(not beat.is_used for beat in result.beats)
    if left_out:
        parts[-1] += f" ({left_out} left out)"
    parts.append(verdict_in_words(result))
    if result.edv_ml is not None and result.esv_ml is not None:
        parts.append(f"EDV {result.edv_ml:.0f} mL, ESV {result.esv_ml:.0f} mL")
    if result.heart_rate_bpm is not None:
        parts.append(f"{result.heart_rate_bpm:.0f}/min")
    return f"{outcome.source.name}: " + ", ".join(parts) + f" -> {outcome.files[-1]}"

"""`edgeecho segment`: masks, figures and an overlay video of cines."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeecho.cli.common import Model, Precision, Runtime, Stream, Threads, progress_bar
from edgeecho.errors import ConfigError


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
    flip: Annotated[str | None, typer.Option(help="lr for a mirrored view, ud for apex down.")] = None,
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
    failed = 0
    with progress_bar() as progress:
        task = progress.add_task("", total=None)
        for outcome in segment_files(
            predictor,
            inputs,
            out,
            options,
            lambda name, n, t: progress.update(task, description=name, completed=n, total=t),
        ):
            if outcome.error:
                failed += 1
                progress.console.print(f"error: {' '.join(str(outcome.error).split())}", markup=False, soft_wrap=True)
            else:
                for warning in outcome.result.warnings if outcome.result else ():
                    progress.console.print(f"{outcome.source.name}: {warning}", markup=False, soft_wrap=True)
                typer.echo(_summary(outcome))
    if failed:
        raise typer.Exit(1)


def _summary(outcome: Any) -> str:
    result = outcome.result
    counts = ((len(result.area_px), "frame"), (len(result.beats), "beat"))
    parts = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts]
    ef = "no EF" if result.ef_percent is None else f"EF {result.ef_percent:.0f}%"
    parts.append(f"{ef} (doubtful: {'; '.join(result.doubts)})" if result.doubts else ef)
    if result.edv_ml is not None and result.esv_ml is not None:
        parts.append(f"EDV {result.edv_ml:.0f} mL, ESV {result.esv_ml:.0f} mL")
    if result.heart_rate_bpm is not None:
        parts.append(f"{result.heart_rate_bpm:.0f}/min")
    return f"{outcome.source.name}: " + ", ".join(parts) + f" -> {outcome.files[-1]}"

"""`edgeecho segment`: masks, figures and an overlay video of cines."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.clinic import BlurText, DicomOut, Fhir, PseudonymKey, Send, products_of, pseudonyms_of
from edgeecho.cli.common import Model, Precision, Runtime, Stream, Threads, progress_bar, say
from edgeecho.errors import ConfigError
from edgeecho.names import printable

if TYPE_CHECKING:
    from edgeecho.batch import Batch, Outcome


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
    inputs: Annotated[
        list[str],
        typer.Argument(help="Cines, folders of them, patterns, lists (.txt), tables (.csv, .parquet), addresses."),
    ],
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
    jobs: Annotated[int | None, typer.Option(help="Processes; one a core if not given.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip cines that are done with this model and settings.")
    ] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="Write no overlay videos.")] = False,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers segment.")] = None,
    dicom_out: DicomOut = None,
    fhir: Fhir = False,
    send: Send = None,
    pseudonym: PseudonymKey = None,
    pseudonym_map: Annotated[
        Path | None, typer.Option(help="Write here which cine each pseudonym stands for, as CSV.")
    ] = None,
    blur_text: BlurText = False,
) -> None:
    """Outline the left ventricle in every frame: masks, area curve, beats, EF, overlay video."""
    from edgeecho.batch import CineOptions, ModelChoice, Settings
    from edgeecho.batch.run import prepare_batch
    from edgeecho.dicom import Target
    from edgeecho.preprocess import Roi

    region, spacing = _numbers(roi, 4, "--roi"), _numbers(spacing_mm, 2, "--spacing-mm")
    options = CineOptions(
        fps=fps,
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        roi=Roi(*(round(v) for v in region)) if region else None,
        flip=flip,
    )
    choice = ModelChoice(model=model, runtime=runtime, precision=precision, threads=threads, as_stream=as_stream)
    settings = Settings(
        out=str(out),
        choice=choice,
        write_video=not no_video,
        resume=resume,
        products=products_of(dicom_out, fhir),
        blur_text=blur_text,
        pseudonyms=pseudonyms_of(pseudonym),
    )
    target = Target.parse(send) if send else None
    batch = prepare_batch(inputs, options, settings, jobs=jobs, scheduler=scheduler, target=target)
    if pseudonym_map:
        _write_map(pseudonym_map, batch)
    _run(batch)


def _write_map(path: Path, batch: "Batch") -> None:
    from edgeecho.batch.inputs import write_pseudonym_map

    if not batch.settings.pseudonyms:
        raise ConfigError("--pseudonym-map needs --pseudonym KEYFILE, whose pseudonyms it lists")
    write_pseudonym_map(path, batch.tasks)


def _run(batch: "Batch") -> None:
    """Run over the cines and print a line for each; exit 1 if one failed, or could not be sent."""
    from edgeecho.batch import run_batch

    messages = _RunMessages()
    with progress_bar() as progress:
        task = progress.add_task("", total=None)
        for outcome in run_batch(
            batch,
            lambda name, n, t: progress.update(
                task, description=printable(name, sys.stderr.encoding), completed=n, total=t
            ),
        ):
            for line in messages.of(outcome):
                progress.console.print(printable(line, sys.stderr.encoding), markup=False, soft_wrap=True)
            if not outcome.error:
                typer.echo(printable(summary(outcome), sys.stdout.encoding))
    for line in messages.at_end():
        say(line)
    if messages.errors or messages.unsent:
        raise typer.Exit(1)


class _RunMessages:
    """Messages of a run on stderr: what many cines have in common once, and errors again at the end."""

    def __init__(self) -> None:
        self.cines = self.withheld = self.done_before = 0
        self.errors: list[str] = []
        self.unsent: list[str] = []
        self._common: dict[str, list[str]] = {}

    def of(self, outcome: "Outcome") -> list[str]:
        """Return the lines to print when a cine is done: its error, or those of its warnings that are its own."""
        from edgeecho.measure import COMMON_WARNINGS

        self.cines += 1
        name = Path(outcome.task.label).name
        if outcome.figures is None:
            self.errors.append(outcome.error)
            return [f"error: {self.errors[-1]}"]
        self.withheld += outcome.figures["verdict"] == "withhold"
        self.done_before += outcome.was_done
        warnings = outcome.figures["warnings"]
        for warning in COMMON_WARNINGS.intersection(warnings):
            self._common.setdefault(warning, []).append(name)
        lines = [f"{name}: {warning}" for warning in warnings if warning not in COMMON_WARNINGS]
        if outcome.unsent:
            self.unsent.append(f"{name}: {outcome.unsent}")
            lines.append(f"error: {self.unsent[-1]}")
        return lines

    def at_end(self) -> list[str]:
        """Return the lines to print at the end: each common warning with the number of cines, and all errors again."""
        lines = [
            f"{names[0] if len(names) == 1 else f'{len(names)} of {self.cines} cines'}: {warning}"
            for warning, names in sorted(self._common.items())
        ]
        if self.cines > 1:
            done = self.cines - len(self.errors)
            before = f" ({self.done_before} by an earlier run)" if self.done_before else ""
            lines.append(f"{done} of {self.cines} cines done{before}, {self.withheld} of them with EF withheld")
        if self.errors and self.cines > 1:
            lines += [f"{len(self.errors)} of {self.cines} cines failed:", *(f"  {error}" for error in self.errors)]
        if self.unsent and self.cines > 1:
            lines.append(f"{len(self.unsent)} of {self.cines} cines were not sent; --resume sends them again")
        return lines


def summary(outcome: "Outcome") -> str:
    """Return the line of a cine: frames, beats, EF with its verdict, volumes, heart rate, and a file."""
    from edgeecho.report.marks import verdict_in_words

    figures = outcome.figures
    assert figures is not None
    beats = figures["beats"]
    counts = ((figures["frames"], "frame"), (len(beats), "beat"))
    parts = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts]
    left_out = sum(not beat["is_used"] for beat in beats)
    if left_out:
        parts[-1] += f" ({left_out} left out)"
    parts.append(verdict_in_words(figures))
    if figures["edv_ml"] is not None and figures["esv_ml"] is not None:
        parts.append(f"EDV {figures['edv_ml']:.0f} mL, ESV {figures['esv_ml']:.0f} mL")
    if figures["heart_rate_bpm"] is not None:
        parts.append(f"{figures['heart_rate_bpm']:.0f}/min")
    return f"{Path(outcome.task.label).name}: " + ", ".join(parts) + f" -> {outcome.files[-1]}"

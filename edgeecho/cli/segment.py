"""`edgeecho segment`: masks, figures and an overlay video of cines."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.clinic import BlurText, DicomOut, Fhir, PseudonymKey, Send, products_of, pseudonyms_of
from edgeecho.cli.common import MaxMemory, Model, Precision, Runtime, Stream, Threads, numbers, progress_bar, say
from edgeecho.errors import ConfigError
from edgeecho.names import printable

if TYPE_CHECKING:
    from edgeecho.batch import Batch, CineOptions


def _cine_options(fps: float | None, spacing_mm: str | None, roi: str | None, flip: str) -> "CineOptions":
    from edgeecho.batch import CineOptions
    from edgeecho.preprocess import Roi

    region, spacing = numbers(roi, 4, "--roi"), numbers(spacing_mm, 2, "--spacing-mm")
    return CineOptions(
        fps=fps,
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        roi=Roi(*(round(v) for v in region)) if region else None,
        flip=flip,
    )


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
    no_page: Annotated[bool, typer.Option("--no-page", help="Write no HTML pages.")] = False,
    pair: Annotated[
        str | None, typer.Option(help="Biplane figures of pairs: `names` (x_4CH and x_2CH), or a CSV.")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers segment.")] = None,
    dicom_out: DicomOut = None,
    fhir: Fhir = False,
    send: Send = None,
    pseudonym: PseudonymKey = None,
    pseudonym_map: Annotated[
        Path | None, typer.Option(help="Write here which cine each pseudonym stands for, as CSV.")
    ] = None,
    blur_text: BlurText = False,
    max_memory: MaxMemory = None,
) -> None:
    """Outline the left ventricle in every frame: masks, area curve, beats, EF, overlay video."""
    from edgeecho.batch import ModelChoice, Settings
    from edgeecho.batch.run import prepare_batch
    from edgeecho.dicom import Target

    options = _cine_options(fps, spacing_mm, roi, flip)
    choice = ModelChoice(model=model, runtime=runtime, precision=precision, threads=threads, as_stream=as_stream)
    settings = Settings(
        out=str(out),
        choice=choice,
        write_video=not no_video,
        write_page=not no_page,
        resume=resume,
        products=products_of(dicom_out, fhir),
        blur_text=blur_text,
        pseudonyms=pseudonyms_of(pseudonym),
    )
    target = Target.parse(send) if send else None
    batch = prepare_batch(inputs, options, settings, jobs=jobs, scheduler=scheduler, target=target, pair=pair)
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
    from edgeecho.cli.run_messages import RunMessages, biplane_of, summary_of

    messages = RunMessages()
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
                typer.echo(printable(summary_of(outcome), sys.stdout.encoding))
    for result in batch.report.pair_results:
        typer.echo(printable(biplane_of(result), sys.stdout.encoding))
    for line in messages.at_end():
        say(line)
    if messages.errors or messages.unsent:
        raise typer.Exit(1)

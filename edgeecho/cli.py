"""The command line: flags, printing, exit codes. No logic."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeecho.cli_bench import bench_app
from edgeecho.cli_common import JsonFile, progress_bar, say, write_json
from edgeecho.errors import ConfigError, EdgeEchoError, ModelFileError
from edgeecho.spec import NOTICE

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=f"The left ventricle in every frame of an echo cine, in real time, on a bare CPU.\n\n{NOTICE}",
)
data_app = typer.Typer(help="Look at a data set.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(bench_app, name="bench")
Model = Annotated[str, typer.Option("--model", help="Packaged model's name, folder or file.")]
Runtime = Annotated[str | None, typer.Option(help="ort, openvino or torch.")]
Precision = Annotated[str | None, typer.Option(help="int8 or fp32, for a named model.")]
Threads = Annotated[int | None, typer.Option(help="Worker threads; all cores if not given.")]
Stream = Annotated[bool, typer.Option("--stream", help="Frame by frame, as live frames run.")]


def main() -> None:
    """Entry point: an EdgeEchoError is one line; exit 2 if a flag or setting has a bad value, else 1."""
    try:
        app()
    except EdgeEchoError as error:
        say(f"error: {' '.join(str(error).split())}")
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)


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


@app.command()
def demo(out: Annotated[Path, typer.Option(help="Folder for pictures and files.")] = Path("demo-out")) -> None:
    """Segment a real cine, export int8, benchmark; ends with a table and pictures."""
    from edgeecho.demo import run_demo

    run_demo(out, say)


@app.command()
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
    from edgeecho.jobs import SegmentOptions, segment_files
    from edgeecho.preprocess import Roi
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


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="TOML file.")],
    init: Annotated[str | None, typer.Option(help="Model to start from: name, folder or checkpoint.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in run.out.")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, such as optim.steps=100.")] = None,
) -> None:
    """Train a network from ED and ES labels."""
    from edgeecho.errors import require

    require("torch", "train")
    from edgeecho.runtime import locate
    from edgeecho.train.config import load_config
    from edgeecho.train.loop import train as run

    with progress_bar() as progress:
        task = progress.add_task("", total=None)

        def report(step: int, steps: int, text: str) -> None:
            progress.update(task, completed=step, total=steps, description=text)
            if "Dice" in text or not progress.console.is_terminal:
                progress.console.print(f"step {step}/{steps}: {text}", markup=False)

        start = locate(init, "torch").path if init else None
        typer.echo(run(load_config(config, settings), init=start, resume=resume, report=report))


@app.command("eval")
def evaluate(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder or file.")],
    data: Annotated[str, typer.Option(help="KIND:DIR, such as camus:/data/camus.")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "val",
    runtime: Runtime = None,
    precision: Precision = None,
    threads: Threads = None,
    as_stream: Stream = False,
    out: Annotated[Path | None, typer.Option(help="Folder for CSV and plots.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Figures of a model on a data set: Dice, distances, volumes, EF, time; with 95% intervals."""
    from edgeecho.errors import require
    from edgeecho.evaluate import evaluate_model, print_scores, write_report

    if out:
        require("matplotlib", "report")
    with progress_bar() as progress:
        task = progress.add_task(split, total=None)
        scores = evaluate_model(
            model,
            data,
            split,
            runtime,
            precision,
            threads,
            lambda n, t: progress.update(task, completed=n, total=t),
            as_stream=as_stream,
        )
    print_scores(scores)
    write_json(json_file, scores.to_dict())
    if out:
        for path in write_report(scores, out):
            say(f"wrote {path}")
    if scores.failed:
        raise typer.Exit(1)


@data_app.command("check")
def check_data(
    data: Annotated[str, typer.Argument(help="KIND:DIR, such as camus:/data/camus.")],
    jobs: Annotated[int | None, typer.Option(help="Threads; all cores if not given.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Is a data set complete, what is wrong file by file, and what is done about it."""
    from edgeecho.data.check import check, print_check

    with progress_bar() as progress:
        task = progress.add_task("checking", total=None)
        report = check(data, jobs=jobs, progress=lambda n, t: progress.update(task, completed=n, total=t))
    print_check(report)
    write_json(json_file, report.to_dict())
    if not report.is_sound:
        raise typer.Exit(1)


@data_app.command("summary")
def summarise_data(
    data: Annotated[str, typer.Argument(help="KIND:DIR, such as camus:/data/camus.")],
    out: Annotated[Path | None, typer.Option(help="PNG of the distributions.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Threads; all cores if not given.")] = None,
) -> None:
    """What is in a data set: videos per split, frames, frame rates, EF."""
    from edgeecho.data.summary import print_summary, summarise

    with progress_bar() as progress:
        task = progress.add_task("reading", total=None)
        print_summary(
            summarise(data, out, jobs=jobs, progress=lambda n, t: progress.update(task, completed=n, total=t))
        )


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder, checkpoint or fp32 ONNX.")] = "default",
    int8: Annotated[bool, typer.Option("--int8", help="Quantized files beside fp32 (the default).")] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help="OpenVINO files of 16 bits beside fp32.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="fp32 files alone.")] = False,
    formats: Annotated[
        str, typer.Option("--format", help="Of onnx, openvino and ort, for small ONNX Runtimes.")
    ] = "onnx,openvino",
    forms: Annotated[str, typer.Option("--form", help="clip (T frames a run), stream (one a run).")] = "clip,stream",
    target: Annotated[str, typer.Option(help="x86 or arm.")] = "x86",
    lower: Annotated[str, typer.Option(help="auto, none (native 3D convolutions) or 2d.")] = "auto",
    frames: Annotated[int | None, typer.Option(help="Fixed T of the clip graphs; free if not given.")] = None,
    calib: Annotated[str | None, typer.Option(help="KIND:DIR to calibrate on; else drawn hearts.")] = None,
    method: Annotated[str, typer.Option(help="Ranges for int8: minmax or percentile.")] = "minmax",
    weight_bits: Annotated[int, typer.Option(help="Of int8: 7, the same answer everywhere, or 8.")] = 7,
    reduce_range: Annotated[bool, typer.Option("--reduce-range", hidden=True, help="As --weight-bits 7.")] = False,
    gate: Annotated[
        str, typer.Option(help="enforce, or report: write files that the acceptance test refuses.")
    ] = "enforce",
    gate_seed: Annotated[int, typer.Option(help="Chooses the cines of the acceptance test.")] = 0,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", help="NAME=VALUE of the acceptance test; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("exported"),
) -> None:
    """Checkpoint to ONNX and OpenVINO, compared with PyTorch; refused if they differ."""
    if int8 + fp16 + fp32 > 1:
        raise ConfigError("--int8, --fp16 and --fp32 exclude each other: each writes fp32 files too")
    if reduce_range and weight_bits != 7:
        raise ConfigError(f"--reduce-range means --weight-bits 7, got --weight-bits {weight_bits} beside it")
    from edgeecho.errors import require

    require("onnx", "export")
    from edgeecho.export.acceptance import Limits
    from edgeecho.export.bundle import export as run
    from edgeecho.export.options import Options
    from edgeecho.export.table import print_bundle

    kinds, graphs = (tuple(part.strip() for part in text.split(",")) for text in (formats, forms))
    options = Options(
        precision="fp32" if fp32 else "fp16" if fp16 else "int8",
        formats=kinds,
        forms=graphs,
        target=target,
        lower=lower,
        frames=frames,
        calib=calib,
        method=method,
        weight_bits=weight_bits,
        gate=gate,
        gate_seed=gate_seed,
        limits=Limits.parse(limits or ()),
    )
    print_bundle(run(model, out, options, progress=say))


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder, or model file.")],
    json_file: JsonFile = None,
) -> None:
    """What a model is, what was proven of it, and whether every checksum holds."""
    from edgeecho.report.model import print_report
    from edgeecho.report.terminal import table_console
    from edgeecho.verify import verify_model

    report = verify_model(model)
    for error in report.errors:
        say(f"error: {error}")
    print_report(report, table_console())
    write_json(json_file, report.to_dict())
    if report.errors:
        raise typer.Exit(1)


@app.command()
def verify(
    model: Annotated[str, typer.Argument(help="Packaged model's name, or a folder of `edgeecho export`.")] = "default",
    calib: Annotated[str | None, typer.Option(help="KIND:DIR that int8 was calibrated on; else drawn hearts.")] = None,
    gate_seed: Annotated[int, typer.Option(help="Chooses the cines of the acceptance test.")] = 0,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", help="NAME=VALUE of the acceptance test; may be repeated.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Prove an exported bundle again on this machine, and repeat its acceptance test."""
    from edgeecho.errors import require

    require("onnx", "export")
    from edgeecho.export.acceptance import Limits
    from edgeecho.export.table import print_verification
    from edgeecho.export.verification import verify_bundle

    found = verify_bundle(model, calib, gate_seed, Limits.parse(limits or ()), say)
    print_verification(found)
    write_json(json_file, found.to_dict())
    for error in found.errors:
        say(f"error: {error}")
    if found.errors:
        raise typer.Exit(1)


@app.command()
def selftest(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder, or model file.")] = "default",
    runtime: Annotated[str | None, typer.Option(help="ort or openvino; the files of both if not given.")] = None,
    threads: Threads = 1,
    json_file: JsonFile = None,
) -> None:
    """Does this processor give the answers that the model files were proven with?"""
    from edgeecho.errors import MissingExtraError
    from edgeecho.runtime.selftest import files_to_test, run_selftest

    reports, failed = [], 0
    for path in files_to_test(model, runtime):
        try:
            report = run_selftest(path, threads)
        except (MissingExtraError, ModelFileError) as error:
            if isinstance(error, MissingExtraError) and not runtime:
                say(f"{path.name}: not tested, {error}")
                continue
            failed += 1
            say(f"error: {error}")
            continue
        reports.append(report)
        failed += not report.holds
        typer.echo(
            f"{report.file}, {report.runtime} {report.runtime_version}: {report.sentence()}, {report.seconds:.2f} s"
        )
    write_json(json_file, {"holds": bool(reports) and not failed, "files": [report.to_dict() for report in reports]})
    if failed or not reports:
        raise typer.Exit(1)


@app.command()
def models() -> None:
    """The models that come with the package."""
    from textwrap import shorten

    from edgeecho.runtime import packaged_models

    for folder in packaged_models():
        index = json.loads((folder / "bundle.json").read_text())
        spec = index["spec"]
        learned = shorten(spec["trained_on"], 90, placeholder=" ...")
        typer.echo(f"{folder.name}: {spec['params'] / 1e6:.2f} M parameters, {index['licence']}; {learned}")

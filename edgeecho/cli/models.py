"""`edgeecho info`, `models` and `selftest`: specification of a model, and verification of its files."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import JsonFile, Threads, say, write_json
from edgeecho.cli.console import show, table_console
from edgeecho.errors import ModelFileError


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


def info(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder, or model file.")],
    json_file: JsonFile = None,
) -> None:
    """What a model is, what was proven of it, and whether every checksum holds."""
    from edgeecho.model.integrity import verify_model
    from edgeecho.report.model import render_report

    report = verify_model(model)
    for error in report.errors:
        say(f"error: {error}")
    show(render_report(report), table_console())
    write_json(json_file, report.to_dict())
    if report.errors:
        raise typer.Exit(1)


def models(
    add: Annotated[Path | None, typer.Option(metavar="ARCHIVE", help="Verify and install a model archive.")] = None,
) -> None:
    """List the installed models, or install one more."""
    from textwrap import shorten

    from edgeecho.model.archive import add_archive
    from edgeecho.model.registry import find_files, installed_models
    from edgeecho.model.sealed_file import read_verified

    if add:
        folder = add_archive(add)
        say(f"installed {folder.name} in {folder.parent}; every checksum holds")
    for folder in installed_models():
        try:
            spec = read_verified(find_files(str(folder))[0]).spec
        except ModelFileError as error:
            say(f"error: {error}")
            continue
        learned = shorten(spec.trained_on, 90, placeholder=" ...")
        typer.echo(f"{folder.name}: {spec.params / 1e6:.2f} M parameters, {spec.licence}; {learned}")

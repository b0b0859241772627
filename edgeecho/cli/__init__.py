"""The command line: a file a command, which reads flags, calls one library function and prints."""

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.bench import bench_app
from edgeecho.cli.common import library_messages, say
from edgeecho.cli.data import data_app
from edgeecho.cli.device_file import device_file
from edgeecho.cli.evaluate import evaluate
from edgeecho.cli.export import export, verify
from edgeecho.cli.licences import licences
from edgeecho.cli.live import live
from edgeecho.cli.measure import measure
from edgeecho.cli.models import info, models, selftest
from edgeecho.cli.segment import segment
from edgeecho.cli.serve import serve
from edgeecho.cli.streams import discard_output, standard_streams
from edgeecho.cli.train import train
from edgeecho.errors import ConfigError, EdgeEchoError, OutputError
from edgeecho.model.spec import NOTICE

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=f"The left ventricle in every frame of an echo cine, in real time, on a bare CPU.\n\n{NOTICE}",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        import edgeecho

        typer.echo(edgeecho.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command line as a whole."""


@app.command()
def demo(out: Annotated[Path, typer.Option(help="Folder for pictures and files.")] = Path("demo-out")) -> None:
    """Segment a real cine, export int8, benchmark; ends with a table and pictures."""
    from edgeecho.cli.demo import run_demo

    run_demo(out, say)


command: Callable[..., None]
for command in (segment, measure, live, serve, train):
    app.command()(command)
app.command("eval")(evaluate)
for export_command in (export, verify, selftest, info, models, licences):
    app.command()(export_command)
app.command("device-file")(device_file)
app.add_typer(data_app, name="data")
app.add_typer(bench_app, name="bench")


def main() -> None:
    """Entry point: an EdgeEchoError is one line; exit 2 if a flag or setting has a bad value, else 1."""
    code = 0
    _end_by_signal()
    try:
        with standard_streams():
            code = _run()
    except BrokenPipeError:  # nobody reads any more
        discard_output()
        code = 1
    except OutputError as error:  # of what was still to be written
        code = _report(error)
    if code:
        sys.exit(code)


def _end_by_signal() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that it removes its temporaries."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _exit)


def _exit(number: int, _: object) -> None:
    sys.exit(128 + number)


def _run() -> int:
    """Run the command of the arguments and return the exit code."""
    try:
        _refuse_empty(sys.argv[1:])
        with library_messages():
            app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except EdgeEchoError as error:
        return _report(error)
    except BrokenPipeError:
        raise
    except OSError as error:  # of a file, a folder or the machine; what a command expects has a better message
        place = f"{error.filename}: " if error.filename else ""
        say(f"error: {place}{error.strerror or error}; check that it is there, may be written and has room")
        return 1
    except MemoryError:
        say("error: all memory is taken; take smaller cines or fewer --jobs")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


def _refuse_empty(arguments: list[str]) -> None:
    """Refuse arguments without a value, as `--send "$ARCHIVE"` of a variable that is not set makes them.

    They would mean the current folder, or that the flag was not given.
    """
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if not argument or (argument.startswith("--") and argument.endswith("=")):
            flag = argument or before
            place = f"{flag.rstrip('=')} has no value" if flag.startswith("-") else "an argument is empty"
            raise ConfigError(f"{place}; give one, or leave it out")


def _report(error: EdgeEchoError) -> int:
    with suppress(OSError, ValueError, AttributeError):
        say(f"error: {' '.join(str(error).split())}")
    return 2 if isinstance(error, ConfigError) else 1

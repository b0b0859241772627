"""`edgeecho live`: the outline, the curve and the EF of live frames, on a page of this machine or as lines of JSON."""

import contextlib
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.common import MaxMemory, Model, Precision, Runtime, Threads, numbers, say
from edgeecho.errors import ConfigError, require

if TYPE_CHECKING:
    from edgeecho.live import LiveSession


def live(
    source: Annotated[
        str, typer.Argument(help="Camera (0 or /dev/video0), cine, address of this machine, or - for raw frames.")
    ],
    model: Model = "default",
    runtime: Runtime = None,
    precision: Precision = None,
    threads: Threads = 1,
    fps: Annotated[float | None, typer.Option(help="Frames per second, if the source does not say.")] = None,
    spacing_mm: Annotated[str | None, typer.Option(help="ROW,COL millimetres per pixel.")] = None,
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT of raw frames.")] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for what is saved from the page.")] = Path("live"),
    seconds: Annotated[float, typer.Option(help="Seconds that can be saved.")] = 10.0,
    once: Annotated[bool, typer.Option("--once", help="Play a file once; without it, it begins again.")] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="No page: a line of JSON a frame; a file plays once.")
    ] = False,
    max_memory: MaxMemory = None,
) -> None:
    """Segment live frames: a page with outline, curve, beats and EF, or lines of JSON."""
    from edgeecho.live import LiveSession, open_source
    from edgeecho.live.recording import Recording
    from edgeecho.runtime import load, stream

    if not headless:
        require("uvicorn", "live")
        require("starlette", "live")
        require("websockets", "live")
    if not 1 <= seconds <= 600:
        raise ConfigError(f"--seconds must be from 1 to 600, got {seconds:g}")
    spacing = numbers(spacing_mm, 2, "--spacing-mm")
    opened = open_source(source, fps=fps, size=_size(size))
    pixel = (spacing[0], spacing[1]) if spacing else opened.spacing_mm
    predictor = stream(model, runtime=runtime, precision=precision, threads=threads, fps=opened.fps, spacing_mm=pixel)
    kept_s = 0.0 if headless else seconds  # only a page can save what was recorded
    recording = Recording(kept_s, pixel, lambda: load(model, runtime=runtime, precision=precision, threads=1))
    session = LiveSession(opened, predictor, recording, loop=not (once or headless))
    try:
        _print_lines(session) if headless else _serve(session, port, out)
    finally:
        session.close()


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found:
        raise ConfigError(f"--size takes WIDTHxHEIGHT, such as 640x480, got {text!r}")
    return int(found[1]), int(found[2])


def _print_lines(session: "LiveSession") -> None:
    """Print a line of JSON for each result, without its outline and beats, and the last state with its beats."""

    def show(state: object) -> None:
        values = state.to_dict()  # type: ignore[attr-defined]
        if values["status"] == "live" and values["frame"] >= 0:
            kept = {key: value for key, value in values.items() if key not in ("outline", "beats", "message")}
            typer.echo(json.dumps(kept))
        elif values["message"] and values["status"] != "failed":
            say(values["message"])

    session.listen(show)
    session.start()
    values = session.wait().to_dict()
    typer.echo(json.dumps({key: values[key] for key in values if key != "outline"}))


def _serve(session: "LiveSession", port: int, out: Path) -> None:
    """Serve the page until Ctrl-C."""
    import socket

    import uvicorn

    from edgeecho.live.server import MAX_ORDER_BYTES, LiveServer

    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()  # a page that is opened at once waits
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--port {port}: {error}; choose another one, or 0") from error
    server = LiveServer(session, listening.getsockname()[1], out)
    config = uvicorn.Config(
        server.app, log_level="error", access_log=False, ws_max_size=2 * MAX_ORDER_BYTES, timeout_graceful_shutdown=1
    )
    logging.getLogger("uvicorn.error").addFilter(_is_told)
    session.start()
    typer.echo(server.address)
    say("Open this address in a browser of this machine. Ctrl-C ends it.")
    with listening, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _is_told(record: logging.LogRecord) -> bool:
    """Whether a message of uvicorn is printed.

    Not the tracebacks of its task that a second Ctrl-C cancelled, and of text from a page that is not UTF-8.
    """
    error = record.exc_info[1] if record.exc_info else None
    return "CancelledError" not in record.getMessage() and not isinstance(error, UnicodeDecodeError)

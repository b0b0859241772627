"""`edgeecho serve`: a DICOM receiver that segments what arrives."""

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeecho.cli.clinic import BlurText, DicomOut, Fhir, PseudonymKey, Send, products_of, pseudonyms_of
from edgeecho.cli.common import MaxMemory, Model, Precision, Runtime, Threads, say
from edgeecho.names import printable

if TYPE_CHECKING:
    from edgeecho.batch import Outcome


def serve(
    dicom: Annotated[int, typer.Option(help="Port at which DICOM senders store their cines.")],
    out: Annotated[Path, typer.Option(help="Folder for the results, and for files that wait.")],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for every network.")] = "127.0.0.1",
    aet: Annotated[str, typer.Option(help="AE title by which senders must call.")] = "EDGEECHO",
    allow: Annotated[
        list[str] | None, typer.Option(help="AE title of a sender to let in; all if none is given.")
    ] = None,
    max_waiting: Annotated[int, typer.Option(help="Most cines that wait; more are refused.")] = 64,
    model: Model = "default",
    runtime: Runtime = None,
    precision: Precision = None,
    threads: Threads = None,
    no_video: Annotated[bool, typer.Option("--no-video", help="Write no overlay videos.")] = False,
    dicom_out: DicomOut = "sr",
    fhir: Fhir = False,
    send: Send = None,
    pseudonym: PseudonymKey = None,
    blur_text: BlurText = False,
    max_memory: MaxMemory = None,
) -> None:
    """Receive cines by DICOM C-STORE and segment each; ends on Ctrl-C, after the cine at work."""
    from edgeecho.batch import ModelChoice, Settings
    from edgeecho.dicom import Target
    from edgeecho.serve import Receiver, ReceiverSettings

    choice = ModelChoice(model=model, runtime=runtime, precision=precision, threads=threads)
    settings = Settings(
        out=str(out),
        choice=choice,
        write_video=not no_video,
        products=products_of(dicom_out, fhir),
        blur_text=blur_text,
        pseudonyms=pseudonyms_of(pseudonym),
    )
    network = ReceiverSettings(
        port=dicom,
        host=host,
        aet=aet,
        senders=tuple(allow or ()),
        max_waiting=max_waiting,
        target=Target.parse(send) if send else None,
    )
    ended = threading.Event()
    with Receiver(choice.open(), settings, network, _print) as receiver:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        say(f"listening at {host}:{receiver.port} as {aet}; Ctrl-C ends")
        while not ended.wait(1.0):  # a wait without an end would not let Ctrl-C in on every system
            pass


def _print(outcome: "Outcome") -> None:
    from edgeecho.cli.run_messages import summary_of

    for line in (outcome.error, outcome.unsent):
        if line:
            say(f"error: {line}")
    if not outcome.error:
        typer.echo(printable(summary_of(outcome), sys.stdout.encoding))
        sys.stdout.flush()

"""Standard streams of a command, whatever they are: closed, full, or missing as in a service or a windowed program."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from edgeecho.errors import OutputError


class _Messages:
    """Standard error that loses what cannot be written: a message must not end the work that it is about."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Results:
    """Standard output that reports what cannot be written: a result that is lost is an error, at every later call too.

    A pipe that nobody reads any more is left to the command line.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._lost: OutputError | None = None

    def write(self, text: str) -> int:
        if not isinstance(text, str):  # typer asks in this way whether a stream is one of bytes
            raise TypeError(f"write() takes text, got {type(text).__name__}")
        return int(self._call(self._stream.write, text)) if text else 0

    def flush(self) -> None:
        if not self._lost:
            self._call(self._stream.flush)

    def _call(self, function: Callable[..., Any], *arguments: str) -> Any:
        if self._lost:
            raise self._lost
        try:
            return function(*arguments)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            discard_output()
            reason = error.strerror or error
            self._lost = OutputError(f"cannot write to standard output: {reason}; direct it to a place with room")
            raise self._lost from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def discard_output() -> None:
    """Lead standard output to nowhere, so that Python does not report it again when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Give a command streams that it can use, and put back those before.

    A descriptor from 0 to 2 that is closed would be taken by the next file that is opened, and libraries that print
    would write into that file: it is opened to nowhere.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    before = sys.stdin, sys.stdout, sys.stderr
    nowhere = open(os.devnull, "r+", encoding="utf-8")  # noqa: SIM115
    sys.stdin = before[0] or nowhere
    sys.stdout = _Results(before[1]) if before[1] else nowhere
    sys.stderr = _Messages(before[2] or nowhere)
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        nowhere.close()

"""Error tree. Every message contains what is wrong, the value that was found, and what to do.

EdgeEchoError
├── ConfigError (ValueError)          a field or flag has a bad value
├── ShapeError (ValueError)           an array has the wrong shape or dtype
├── VideoError                        a cine cannot be opened, decoded or written
├── ModelFileError                    not an EdgeEcho model file, wrong version, bad checksum
├── DataError                         a data set is missing, incomplete or inconsistent
├── ExportError                       an exported graph differs from its checkpoint
├── OutputError                       a result cannot be written
├── ConcurrentUseError                two threads use one stream at the same time
├── MissingExtraError (ImportError)   an optional package is not installed
└── MeasurementError                  no complete beat, empty mask
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Self


class EdgeEchoError(Exception):
    """Base of every error that EdgeEcho raises on purpose; the command line prints it as one line, exit 1."""

    def __init__(self, message: str = "", *, file: Path | None = None) -> None:
        """
        Args:
            message: Text of the error.
            file: The file that the message names, if it names one.
        """
        super().__init__(message)
        self.file = file

    def naming(self, file: Path) -> Self:
        """Return an error whose message names a file: this one, or a copy with the file's path before the message."""
        return self if self.file else type(self)(f"{file}: {self}", file=file)


class ConfigError(EdgeEchoError, ValueError):
    """A configuration field or a flag has a bad value."""


class ShapeError(EdgeEchoError, ValueError):
    """An array has the wrong shape or dtype."""


class VideoError(EdgeEchoError):
    """A cine cannot be opened or decoded."""


class ModelFileError(EdgeEchoError):
    """A file is no EdgeEcho model file, has an unsupported version, or a wrong checksum."""


class DataError(EdgeEchoError):
    """A data set is missing, incomplete or inconsistent."""


class ExportError(EdgeEchoError):
    """An exported graph differs from the checkpoint that it was made from."""


class OutputError(EdgeEchoError):
    """A result cannot be written."""


class ConcurrentUseError(EdgeEchoError):
    """Two threads use one stream at the same time."""


class MissingExtraError(EdgeEchoError, ImportError):
    """An optional package is not installed."""


class MeasurementError(EdgeEchoError):
    """A measurement is not possible: no complete beat, an empty mask."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional package.

    Args:
        module: Name to import, such as `"openvino"`.
        extra: EdgeEcho's extra that installs it.

    Raises:
        MissingExtraError: With the pip command that adds it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtraError(f"{package} is not installed: pip install 'edgeecho[{extra}]'") from error

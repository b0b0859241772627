"""Sending of DICOM files to an archive or a workstation: a C-STORE user (PS3.4 B) by pynetdicom."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError, OutputError, require

CALLING_AET = "EDGEECHO"
TIMEOUT_S = 30.0
"""Longest wait for the connection, and for each answer."""
MAX_AET_LENGTH = 16
_TARGET = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s]+):([0-9]{1,5})/([!-\[\]-~][ -\[\]-~]*)")


@dataclass(frozen=True)
class Target:
    """Address of a receiver."""

    host: str
    port: int
    aet: str
    """Application entity title of the receiver."""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `HOST:PORT/AET`.

        Raises:
            ConfigError: If it is of another form.
        """
        found = _TARGET.fullmatch(text)
        if not found or not 0 < int(found[2]) < 1 << 16 or len(found[3].strip()) > MAX_AET_LENGTH:
            raise ConfigError(f"--send takes HOST:PORT/AET, such as archive.local:104/ARCHIVE, got {text!r}")
        return cls(found[1].strip("[]"), int(found[2]), found[3].strip())

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.aet}"


def send_files(paths: Sequence[Path], target: Target, *, calling_aet: str = CALLING_AET) -> None:
    """Send DICOM files over one association; to send the same again does no harm, as their UIDs are the same.

    Args:
        paths: Part 10 files.
        target: The receiver.
        calling_aet: Title of the sender.

    Raises:
        MissingExtraError: If pynetdicom is not installed.
        OutputError: If the receiver does not answer, refuses a file, or a file cannot be read.
    """
    pynetdicom, pydicom = require("pynetdicom", "dicom-out"), require("pydicom", "dicom-out")
    if not paths:
        return
    entity = pynetdicom.AE(ae_title=calling_aet)
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = TIMEOUT_S
    for path in paths:
        try:
            meta = pydicom.filereader.read_file_meta_info(path)
            entity.add_requested_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID)
        except (OSError, AttributeError, pydicom.errors.InvalidDicomError) as error:
            raise OutputError(f"cannot send {path}: it cannot be read as DICOM; write it again", file=path) from error
    try:
        association = entity.associate(target.host, target.port, ae_title=target.aet)
    except (OSError, UnicodeError) as error:
        raise OutputError(f"cannot send {paths[0].name}: {target}: no such host; check the address") from error
    if not association.is_established:
        refused = "refuses the connection" if association.is_rejected else "does not answer"
        raise OutputError(f"cannot send {paths[0].name}: {target} {refused}; check address, port and both AE titles")
    try:
        for path in paths:
            _store(association, path, target)
    finally:
        association.release() if association.is_established else association.abort()


def _store(association: Any, path: Path, target: Target) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            status = association.send_c_store(path)
        except (ValueError, RuntimeError, AttributeError, OSError) as error:
            text = f"cannot send {path.name}: {target} does not take its kind or has closed the connection"
            raise OutputError(f"{text}; check what it accepts", file=path) from error
    code = status.Status if "Status" in status else None
    if code is None:
        raise OutputError(f"cannot send {path.name}: {target} gave no answer; send it again", file=path)
    if code != 0 and code & 0xF000 != 0xB000:  # 0xBnnn are warnings: the file is stored
        raise OutputError(f"cannot send {path.name}: {target} refuses it with status 0x{code:04X}", file=path)

"""List of the model files that may be opened on this machine, by their SHA-256.

A seal proves that a file is whole, not who made it. Where that matters, `EDGEECHO_ALLOWED_MODELS` names a list in the
form that `sha256sum` writes, and every other model file is refused. The list belongs where users cannot write.
"""

import hashlib
import os
import re
from pathlib import Path

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.files import read_regular

ENVIRONMENT = "EDGEECHO_ALLOWED_MODELS"
_LINE = re.compile(r"([0-9a-fA-F]{64})(?:\s.*)?")


def require_allowed(path: Path, data: bytes) -> None:
    """Refuse a model file that the list of this machine does not have; without a list all are allowed.

    Args:
        path: Path of the file, for the message.
        data: Bytes of the file; of OpenVINO, of the `.xml` file, whose seal covers the `.bin`.

    Raises:
        ModelFileError: If it is not on the list.
        ConfigError: If the list cannot be read or is none.
    """
    place = os.environ.get(ENVIRONMENT)
    if not place:
        return
    found = hashlib.sha256(data).hexdigest()
    if found not in _read(Path(place)):
        raise ModelFileError(f"{path.name}: not one of the models allowed here (SHA-256 {found}); add it to {place}")


def _read(place: Path) -> set[str]:
    try:
        lines = [line.strip() for line in read_regular(place).decode().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{ENVIRONMENT} {place}: cannot be read ({reason}); give a list of sha256sum") from error
    allowed = set[str]()
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            match = _LINE.fullmatch(line)
            if not match:
                raise ConfigError(f"{ENVIRONMENT} {place}: line {number} has no SHA-256; give a list of sha256sum")
            allowed.add(match[1].lower())
    return allowed

"""Whether this machine trusts a model file: its list of allowed files, and its key."""

from pathlib import Path

from edgeecho.model.allowed import require_allowed
from edgeecho.model.signature import require_signed


def require_trusted(path: Path, data: bytes) -> None:
    """Refuse a model file, of EdgeEcho or of any make, that this machine's list does not have or its key did not sign.

    Raises:
        ModelFileError: If it is not on the list, or has no valid signature.
        ConfigError: If the list or the key cannot be read.
        MissingExtraError: If the package that verifies signatures is not installed.
    """
    require_allowed(path, data)
    require_signed(path, data)

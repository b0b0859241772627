"""Revision of the code, which files record."""

import hashlib
import subprocess
from pathlib import Path

_PACKAGE = Path(__file__).parent


def revision() -> str:
    """Git revision of this code, 12 digits; `unknown` where it is no checkout."""
    return _git("rev-parse", "--short=12", "HEAD").strip() or "unknown"


def uncommitted_changes() -> dict[str, str]:
    """Files of this package that differ from the revision or are not in it.

    Returns:
        The first 12 digits of the SHA-256 of each file by its path in the repository, `deleted` where it is gone; empty
        where nothing differs or there is no checkout.
    """
    root = Path(_git("rev-parse", "--show-toplevel").strip())
    listed = _git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", str(_PACKAGE))
    names = sorted(entry[3:] for entry in listed.split("\0") if entry)
    return {name: _digest(root / name) for name in names}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "deleted"


def _git(*arguments: str) -> str:
    """Return what a git command prints in this checkout; nothing if it fails."""
    try:
        call = ["git", "-C", str(_PACKAGE), *arguments]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""

"""Revision of the code, which files record."""

import subprocess
from pathlib import Path


def revision() -> str:
    """Git revision of this code, 12 digits; `unknown` where it is no checkout."""
    try:
        call = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

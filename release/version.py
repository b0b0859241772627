"""The version of a release, and the time that its files bear."""

import os
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def version() -> str:
    """Return the version in pyproject.toml, the one place where it is written by hand."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def release_time() -> int:
    """Return the seconds since 1970 that files of a release bear: SOURCE_DATE_EPOCH, else the time of the revision."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

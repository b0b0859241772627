"""Commands that the steps of a release run."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

MAX_SHOWN = 2000
"""Characters of what a failed command wrote that its error has, the last ones."""


def run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command and return its standard output.

    Args:
        command: Program and arguments.
        folder: Folder in which it runs.
        environment: Its whole environment; by default that of this process.

    Raises:
        SystemExit: If it fails, with the end of what it wrote.
    """
    whole = dict(os.environ if environment is None else environment)
    done = subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:120]} failed: {(done.stdout + done.stderr).strip()[-MAX_SHOWN:]}")
    return done.stdout

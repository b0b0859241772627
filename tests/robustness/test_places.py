"""The command in places where containers and services run it: no name, no home, no shared memory."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMMAND = [sys.executable, "-m", "edgeecho"]
NAMELESS = ["unshare", "--user", "--map-user=12345", "--map-group=12345", "env", "-i", "PATH=/usr/bin:/bin"]
"""A user whose number has no name, without HOME, as `docker run --user` and services make one."""
FIRST = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"]
"""The first process of its namespace, which gets the processes that others leave."""
UNSHARED = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o ro tmpfs /dev/shm && exec "$@"',
    "sh",
]
"""A folder for shared memory that cannot be written."""


def require(place: list[str]) -> None:
    """Skip where such a place cannot be made."""
    if not shutil.which("unshare") or subprocess.run([*place, "true"], capture_output=True).returncode:
        pytest.skip("namespaces are not allowed here")


@pytest.fixture
def cine(tmp_path: Path, heart: np.ndarray) -> Path:
    path = tmp_path / "heart.npz"
    np.savez(path, frames=heart, fps=25, spacing_mm=(0.9, 0.8))
    return path


def segment(place: list[str], cine: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    require(place)
    given = [str(cine), "--model", "cl_unet_nano", "--out", str(cine.parent / "out"), "--no-video", *more]
    return subprocess.run([*place, *COMMAND, "segment", *given], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("place", [NAMELESS, FIRST], ids=["nameless", "first"])
def test_a_cine_is_segmented(place: list[str], cine: Path) -> None:
    done = segment(place, cine)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert json.loads((cine.parent / "out" / "heart.json").read_text())["frames"] == 30


def test_several_processes_need_shared_memory(cine: Path) -> None:
    shutil.copy(cine, cine.with_name("another.npz"))
    done = segment(UNSHARED, cine.with_name("another.npz"), str(cine), "--jobs", "2")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith("error: several processes cannot work here: Read-only file system")

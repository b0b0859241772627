"""Try a wheel in an empty environment: its command, its default model, and the archives of the other models."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from release.command import run
from release.version import version

SEGMENT = """
import numpy as np, edgeecho
from edgeecho.synthetic.phantom import draw_cine
cine = draw_cine(5)
found = edgeecho.load(threads=1).segment(cine)
print(f"EF {found.ef_percent:.0f}% in {len(found.mask)} drawn frames")
assert found.mask.any(axis=(1, 2)).mean() > 0.9
np.savez("drawn.npz", frames=cine.frames, fps=cine.fps, spacing_mm=cine.spacing_mm)
"""


def find_python(name: str) -> str | None:
    """Return the interpreter of a version, `3.12` for example; None if there is none that starts."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [shutil.which(f"python{name}"), *map(str, sorted(pyenv.glob(f"{name}.*/bin/python"))), sys.executable]
    for candidate in filter(None, candidates):
        code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == name:
            return candidate
    return None


def try_wheel(python: str, out: Path, folder: Path) -> str:
    """Install the wheel with what it requires, and run it.

    Args:
        python: Interpreter for the environment.
        out: Folder with the files of the release.
        folder: Folder for the environment, which is removed again.

    Returns:
        What the default model found, and the number of archives that were installed.

    Raises:
        SystemExit: If a command fails, with the end of what it wrote.
    """
    (wheel,) = out.glob("edgeecho-*.whl")
    try:
        _run([python, "-m", "venv", str(folder)], folder.parent)
        bin_folder = folder / "bin"
        pip = [str(bin_folder / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--no-cache-dir", str(wheel)], folder)
        command = str(bin_folder / "edgeecho")
        if (told := _run([command, "--version"], folder).strip()) != version():
            raise SystemExit(f"edgeecho --version is {told!r}, not {version()}")
        found = _run([str(bin_folder / "python"), "-c", SEGMENT], folder).strip()
        for _ in range(2):  # into a relative folder, then over what is there
            _run([command, "segment", "drawn.npz", "--out", "results", "--threads", "1"], folder)
        archives = sorted(out.glob("*.zip"))
        for archive in archives:
            _run([command, "models", "--add", str(archive)], folder)
        _run([command, "selftest", "cl_unet_edge", "--runtime", "ort"], folder)
        _run([command, "licences"], folder)
        return f"{found}; {len(archives)} archives installed"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    return run(command, folder, environment | {"EDGEECHO_MODELS": str(folder / "models"), "OMP_NUM_THREADS": "1"})

"""Building of the device runtime for its tests, and what is run and drawn there."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeecho.cine import Cine
from tests.helpers import draw_heart

ROOT = Path(__file__).parents[2]
DEVICE = ROOT / "device"
EXAMPLES = ROOT / "examples" / "c"
MODEL = ROOT / "models" / "cl_unet_edge"
SMALL = ROOT / "models" / "cl_unet_nano"
TIME_S = 300
SPACING_MM = (0.4, 0.5)
"""Size of a pixel in `drawn_cine`."""
DEVELOPER = ("-DEDGEECHO_BUILD_TESTS=ON", "-DEDGEECHO_BUILD_EXAMPLES=ON", "-DEDGEECHO_WERROR=ON")
"""Settings of CMake for those who change the library."""


def load(path: Path) -> ModuleType:
    """Import a module from its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def require_tools(*tools: str) -> None:
    """Skip the test unless these programs are installed."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        pytest.skip(f"the device runtime is not built: no {', '.join(missing)} here")


def run(*command: object, stdin: bytes = b"", **environment: str) -> str:
    """Run a command, which must succeed, and return its standard output."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, env={**os.environ, **environment}, timeout=TIME_S)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stderr.decode()[-2000:]}"
    return done.stdout.decode()


def build(source: Path, folder: Path, root: Path, *settings: str, targets: Sequence[str] = ()) -> Path:
    run("cmake", "-S", source, "-B", folder, f"-DONNXRUNTIME_ROOT={root}", *settings)
    run("cmake", "--build", folder, "--parallel", "2", *(("--target", *targets) if targets else ()))
    return folder


def as_pgm(frames: np.ndarray) -> bytes:
    """Binary PGM images of grey frames, one after another."""
    _, height, width = frames.shape
    return b"".join(b"P5\n%d %d\n255\n" % (width, height) + frame.tobytes() for frame in frames)


def drawn_cine(seed: int, height: int, width: int) -> Cine:
    rng = np.random.default_rng(seed)
    return Cine(draw_heart(rng, frames=90, height=height, width=width, period=24)[0], fps=30.0, spacing_mm=SPACING_MM)

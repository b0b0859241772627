"""A drawn cine and the packaged model for the tests of the command line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeecho.runtime import packaged_models

Command = Callable[..., tuple[int, str, str]]
"""Function that runs a command and returns its exit code, stdout and stderr."""
MODEL = next(path for path in packaged_models() if path.name == "cl_unet_edge")


@pytest.fixture
def npz(tmp_path: Path, heart: np.ndarray) -> Path:
    """File of a drawn cine."""
    path = tmp_path / "heart.npz"
    np.savez(path, frames=heart, fps=25, spacing_mm=(0.9, 0.8))
    return path

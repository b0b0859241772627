"""The `Cine` itself, and what importing it loads."""

import subprocess
import sys

import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.errors import ShapeError


def test_cine_refuses_what_does_not_fit(frames: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"got float64 \(20, 48, 64\)"):
        Cine(frames.astype(float))
    with pytest.raises(ShapeError, match=r"label 20 \(48, 64\) does not fit"):
        Cine(frames, labels={20: frames[0]})


def test_import_is_light() -> None:
    heavy = "{'cv2', 'pydicom', 'nibabel', 'torch', 'matplotlib', 'scipy'}"
    for extra, expected in (("", "set()"), (", cv2", "{'cv2'}")):  # the second shows that the check can fail
        code = f"import sys, edgeecho.cine{extra}; print({heavy} & set(sys.modules))"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == expected

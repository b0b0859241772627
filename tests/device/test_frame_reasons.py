"""The doubts of one frame in C are those of Python, at each limit and one step on either side of it."""

import ctypes
import subprocess
from itertools import product
from pathlib import Path

import pytest

from edgeecho.runtime.mask_score import MaskScore
from studies.device_measure import SOURCES, has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C compiler: cc not found")
FIELDS = ("pixels", "total", "largest", "edge", "outside")


class Score(ctypes.Structure):
    _fields_ = (*((name, ctypes.c_uint64) for name in FIELDS), ("box", ctypes.c_uint32 * 4))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = Path(tmp_path_factory.mktemp("trust"), "trust.so")
    trust = SOURCES.parent / "trust"
    sources = [trust / "frame_reasons.c", trust / "mask_score.c", SOURCES / "component.c"]
    subprocess.run(["cc", "-std=c11", "-shared", "-fPIC", "-o", path, *sources, "-lm"], check=True)
    library = ctypes.CDLL(str(path))
    library.ee_frame_reasons.argtypes = [ctypes.POINTER(Score), ctypes.c_int]
    library.ee_frame_reasons.restype = ctypes.c_uint64
    return library


def test_limits_are_those_of_python(library: ctypes.CDLL) -> None:
    """Of 10,000 pixels 9,800 are the least largest piece, 200 the most outside, 35 the most at the edge."""
    sure = 2_422_500  # a confidence of 0.95
    values = ((sure - 1, sure, sure + 1), (9799, 9800, 9801), (34, 35, 36), (199, 200, 201))
    seen = set[int]()
    for total, largest, edge, outside in product(*values):
        score = MaskScore(10_000, total, largest, edge, outside)
        for is_frozen in (False, True):
            reasons = score.frame_reasons(is_frozen=is_frozen)
            expected = sum(1 << reason.value for reason in reasons)
            given = Score(*(getattr(score, name) for name in FIELDS))
            assert library.ee_frame_reasons(ctypes.byref(given), is_frozen) == expected, score
            seen.add(expected)
    assert len(seen) == 32  # each doubt alone and with every other


def test_no_pixel_is_no_ventricle(library: ctypes.CDLL) -> None:
    (reason,) = MaskScore().frame_reasons(is_frozen=False)
    assert library.ee_frame_reasons(ctypes.byref(Score()), 0) == 1 << reason.value

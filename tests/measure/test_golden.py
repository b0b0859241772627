"""Curves and masks that pin every threshold: their results are those that were written (`make_golden.py`)."""

import numpy as np
import pytest

from tests.measure.make_golden import CURVE, MASK, PATH, measure, same

STORED = np.load(PATH)
NAMES = [name for name in STORED.files if name.startswith((CURVE, MASK))]


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_the_one_that_was_written(name: str) -> None:
    kind, _, at = name.partition("-")
    found = measure((kind, STORED[name], tuple(STORED[f"settings-{at}"])))
    assert same(found, STORED[f"result-{at}"]), f"{found} is not {STORED[f'result-{at}']}"


def test_there_are_many_of_both_kinds() -> None:
    assert sum(name.startswith(CURVE) for name in NAMES) > 20
    assert sum(name.startswith(MASK) for name in NAMES) > 5

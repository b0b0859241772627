"""A teacher answers one batch ahead, with the bits of one batch after another."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from edgeecho.errors import DataError
from edgeecho.train.compute import Compute
from edgeecho.train.teacher import Teacher


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher("cl_unet_nano", Compute.choose("cpu", "fp32"))


@pytest.fixture(scope="module")
def batches() -> list[dict[str, Tensor]]:
    random = torch.Generator().manual_seed(1)
    return [{"clean": torch.randint(0, 256, (1, 4, 32, 32), generator=random, dtype=torch.uint8)} for _ in range(3)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_batch_with_its_own_answer(teacher: Teacher, batches: list[dict[str, Tensor]], count: int) -> None:
    answered = list(teacher.answer(iter(batches[:count])))
    assert [id(batch) for batch, _ in answered] == [id(batch) for batch in batches[:count]]
    for batch, taught in answered:
        assert torch.equal(taught, teacher.probabilities(batch["clean"]))


def test_what_fails_ahead_is_raised(teacher: Teacher, batches: list[dict[str, Tensor]]) -> None:
    def unreadable() -> Iterator[dict[str, Tensor]]:
        yield batches[0]
        raise DataError("no cine could be read")

    with pytest.raises(DataError, match="no cine could be read"):
        list(teacher.answer(unreadable()))
    with pytest.raises(KeyError):
        list(teacher.answer(iter([{"frames": batches[0]["clean"]}])))

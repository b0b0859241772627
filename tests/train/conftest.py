"""A run that tests of several files look at."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def unbroken(camus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 12 steps without a break."""
    from edgeecho.train.loop import train  # not above: without torch, pytest could not collect the tests of this folder
    from tests.train.tiny_run import config

    out = tmp_path_factory.mktemp("unbroken")
    train(config(camus, out))
    return out

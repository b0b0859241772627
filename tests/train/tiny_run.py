"""Settings of a run that takes a second, its saved state, and its end by SIGKILL, for tests."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from edgeecho.train.config import TrainConfig  # noqa: E402


def config(camus: Path, out: Path, **settings: object) -> TrainConfig:
    """Settings of a run of a network of two levels on one thread."""
    values = {
        "model.overrides": {
            "widths": [8, 16],
            "encoder_time": [False, True],
            "decoder_time": [False],
        },
        "data.source": f"camus:{camus}",
        "data.held_out": 2,
        "optim.steps": 12,
        "clips.per_step": 2,
        "clips.frames": 2,
        "clips.phantom": 0,
        "run.out": str(out),
        "run.threads": 1,
        "run.workers": 0,
        "run.save_every": 4,
        "run.device": "cpu",
        "run.precision": "fp32",
        **settings,
    }
    made = TrainConfig()
    for key, value in values.items():
        made = made.with_value(key, value)
    return made


def state(out: Path) -> dict[str, object]:
    return torch.load(out / "last.pt", weights_only=True)


def same_weights(a: dict[str, object], b: dict[str, object]) -> bool:
    return all(
        torch.equal(tensor, b[part][name]) for part in ("network", "averaged") for name, tensor in a[part].items()
    )


def kill_after_writing(command: list[str], path: Path) -> None:
    """Run a command, and kill it and its workers soon after it has written a file."""
    process, end = subprocess.Popen(command, start_new_session=True), time.monotonic() + 180
    try:
        while not path.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL

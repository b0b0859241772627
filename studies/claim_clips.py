"""Clips of `studies.claim`: made once for each seed and stored, so that all networks are trained on the same bytes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgeecho.data import Item, open_data
from edgeecho.errors import ConfigError
from edgeecho.files import atomic
from edgeecho.train.batches import Clips, load_batches
from edgeecho.train.config import TrainConfig
from edgeecho.train.training_data import find_sources, labelled_cines, split_patients
from edgeecho.train.validation import Validation
from studies.claim_networks import FRAMES

SIZE_PX = 64
PER_STEP = 4
"""Clips a step."""
HELD_OUT, SPLIT_SEED = 40, 1
"""Training patients that are held out for the learning rates and the curves, and the seed that draws them. They are
the same for all seeds."""
SETTINGS = {
    "model.size_px": SIZE_PX,
    "clips.per_step": PER_STEP,
    "clips.frames": FRAMES,
    "clips.stills": 0.5,
    "clips.cines": 0.5,
    "clips.phantom": 0.0,
    "clips.reshape": 1.0,
    "clips.geometry": 0.6,
    "clips.augment": 0.5,
    "loss.cycle": 0.0,
    "loss.interpolation": 0.0,
    "loss.smooth": 0.0,
    "loss.beats": 0.0,
    "optim.ema": 0.99,
}
"""Settings of all runs that differ from the defaults of `TrainConfig`: CAMUS alone, labels at ED and ES alone."""
ARRAYS = ("frames", "masks", "labelled")
"""Fields of a batch that are stored; the loss of the labels needs no other."""


def config_of(seed: int, clips: int, rate: float, precision: str = "auto") -> TrainConfig:
    """Return the configuration of a run of `clips` clips at a peak learning rate, in a precision of `run.precision`."""
    config = TrainConfig()
    run = {"run.seed": seed, "optim.steps": clips // PER_STEP, "optim.learning_rate": rate}
    values: dict[str, object] = {**SETTINGS, **run, "run.device": "auto", "run.precision": precision}
    for key, value in values.items():
        config = config.with_value(key, value)
    return config


def split(data: str) -> tuple[list[Item], list[Item]]:
    """Return the items of the training list to train on, and those of the held-out patients."""
    return split_patients(open_data(data).items("train"), HELD_OUT, SPLIT_SEED)


@contextmanager
def lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock on a file for the block, and yield whether it was free; the system frees it when the process ends."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


class StoredClips:
    """Clips of a seed in files, in the order of the steps."""

    def __init__(self, folder: Path) -> None:
        self.arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}

    def batch(self, step: int) -> dict[str, Tensor]:
        """Return the batch of a step, as `Target.of` takes it; fields that are not stored are zeros."""
        rows = slice(step * PER_STEP, (step + 1) * PER_STEP)
        found = {name: torch.from_numpy(np.array(values[rows])) for name, values in self.arrays.items()}
        nothing = torch.zeros(found["labelled"].shape)
        return found | {"interpolated": nothing.bool(), "cycle": nothing, "phase_confidence": nothing[:, 0]}


def stored_clips(data: str, seed: int, clips: int, out: Path) -> StoredClips:
    """Open the clips of a seed, and make them first if they are not there.

    Clip *i* of step *s* depends on (seed, *s*, *i*) alone, so a run of fewer clips has the first ones of a longer run.

    Args:
        data: Data set as `KIND:DIR`.
        seed: Seed of the clips.
        clips: Number of clips to make.
        out: Folder of the study.

    Raises:
        ConfigError: If clips with other settings are stored there.
        DataError: If the data set is missing.
    """
    folder = out / "clips" / f"seed{seed}"
    config = config_of(seed, clips, 1.0)
    made = json.loads(json.dumps({"clips": clips, "settings": SETTINGS, "seed": seed}))
    with lock(out / "clips.lock", wait=True):
        index = folder / "clips.json"
        if not index.is_file():
            training, _ = split(data)
            config = config.with_value("data.cache", str(out / "cines"))
            clips_of_seed = Clips(find_sources(training, config, lambda text: None), config, SIZE_PX)
            _write(load_batches(clips_of_seed, config, 0), len(clips_of_seed), _made(folder))
            with atomic(index) as path:
                path.write_text(json.dumps(made))
        elif (found := json.loads(index.read_text())) != made:
            raise ConfigError(f"{folder}: holds other clips ({found}); choose another --out")
    return StoredClips(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(batches: Iterator[dict[str, Tensor]], count: int, folder: Path) -> None:
    """Write all batches, of `count` clips in all, one array for each field."""
    files: dict[str, np.ndarray] = {}
    for step, batch in enumerate(batches):
        for name in ARRAYS:
            part = batch[name].numpy()
            if name not in files:
                shape = (count, *part.shape[1:])
                files[name] = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", part.dtype, shape)
            files[name][step * len(part) : (step + 1) * len(part)] = part
    for array in files.values():
        array.flush()  # type: ignore[attr-defined]


class Patients:
    """Labelled stills of the held-out patients, or of the validation list, one `Validation` a patient."""

    def __init__(self, data: str, which: str, multiple: int) -> None:
        """
        Args:
            data: Data set as `KIND:DIR`.
            which: `held-out` or `val`.
            multiple: Frames to which a still is repeated, for a network that pools along time; else 1, which gives the
                same result, since EdgeEcho's networks repeat the ends themselves.
        """
        items = open_data(data).items("val") if which == "val" else split(data)[1]
        groups: dict[str, list[Item]] = {}
        for item in items:
            groups.setdefault(item.group, []).append(item)
        self.of = {
            patient: Validation(labelled_cines(its, lambda text: None), SIZE_PX, (0, 0), multiple)
            for patient, its in sorted(groups.items())
        }

    def dice(self, network: torch.nn.Module) -> dict[str, dict[str, float]]:
        """Return Dice by patient and phase, at the size of the patient's own frames."""
        return {
            patient: {phase: round(value, 5) for phase, value in each.dice_by_phase(network).items()}
            for patient, each in self.of.items()
        }

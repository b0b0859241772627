"""Start of a run: a new, a given or a saved network with its specification, and which folders a run may use."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgeecho.data import DataSet
from edgeecho.errors import ConfigError
from edgeecho.model.spec import ModelSpec
from edgeecho.nn import build, new_spec
from edgeecho.nn.checkpoint import load_checkpoint
from edgeecho.revision import revision
from edgeecho.train.config import TrainConfig
from edgeecho.train.net2wider import net2wider
from edgeecho.train.provenance import join_steps, provenance_fields
from edgeecho.train.teacher import Teacher

STATE, CONFIG, SPEC = "last.pt", "config.json", "spec.json"
"""Files in a run's folder that a resumed run needs."""
MAY_CHANGE = ("source", "cache", "cache_gb", "teacher", "out", "threads", "workers")
"""Settings that may differ when a run is resumed."""


def require_run_folder(folder: Path, resume: bool) -> None:
    """Refuse to resume where no run is, and to overwrite a run.

    Raises:
        ConfigError: If the folder does not fit `resume`.
    """
    begun = (folder / STATE).exists()
    if resume and not begun:
        raise ConfigError(f"{folder}: no run to resume there (no {STATE}); leave --resume out to begin one")
    if begun and not resume:
        raise ConfigError(f"{folder} holds a run; add --resume to go on with it, or choose another run.out")


def saved_network(config: TrainConfig, folder: Path) -> tuple[nn.Module, ModelSpec]:
    """Build the network of a run that is resumed; its weights are loaded with the training state.

    The specification is read rather than made again, since it contains the provenance of the first weights.

    Raises:
        ConfigError: If a setting that shapes the weights has changed.
    """
    _require_same(config, folder)
    spec = ModelSpec.from_json((folder / SPEC).read_text())
    return build(spec), spec


def first_network(
    config: TrainConfig, init: Path | None, data: DataSet, teacher: Teacher | None
) -> tuple[nn.Module, ModelSpec]:
    """Build the network of a new run, with random weights or those of a checkpoint.

    Args:
        config: Settings of the run.
        init: Checkpoint to start from, or None for random weights.
        data: Data set that the network is trained on.
        teacher: Teacher network, or None.

    Raises:
        ConfigError: If a setting does not fit the network.
        ModelFileError: If the checkpoint is damaged.
    """
    torch.manual_seed(config.run.seed)
    if init:
        network, spec = load_checkpoint(init)
        if spec.family != config.model.family:
            raise ConfigError(f"{init} is of family {spec.family}, not {config.model.family}: set model.family to it")
        spec = replace(spec, size_px=config.model.size_px)
        if config.model.widen > 1:
            network, spec = net2wider(network, spec, config.model.widen, config.run.seed)
    elif config.model.widen > 1:
        raise ConfigError("model.widen needs first weights to widen: add --init CHECKPOINT")
    else:
        spec = replace(new_spec(config.model.family, **config.model.overrides), size_px=config.model.size_px)
        if config.clips.frames % spec.pooled_frames:
            raise ConfigError(
                f"{spec.family} pools along time: clips.frames must be a multiple of {spec.pooled_frames}"
            )
        network = build(spec)
    provenance = _provenance(config, data, [spec] if init else [], teacher)
    return network, replace(spec, name=config.model.name, revision=revision(), **provenance)


def _provenance(config: TrainConfig, data: DataSet, first: list[ModelSpec], teacher: Teacher | None) -> dict[str, Any]:
    """Return the fields `licence` and `trained_on`; those of the first weights and of the teacher are kept."""
    trained_on = f"{data.kind} training list, ED and ES labels, less {config.data.held_out} patients to choose on"
    if config.clips.phantom and data.kind != "phantom":
        trained_on += ", and drawn phantoms"
    earlier = list(first)
    if teacher:
        trained_on += f", and the answers of {teacher.spec.name}"
        earlier.append(teacher.spec)
    trained_on = join_steps(*(spec.trained_on for spec in earlier), trained_on)
    return {**provenance_fields([*(spec.licence for spec in earlier), data.licence], trained_on)}


def _require_same(config: TrainConfig, folder: Path) -> None:
    """Refuse to resume a run with other settings.

    Raises:
        ConfigError: If a setting that shapes the weights has changed.
    """
    path = folder / CONFIG
    if not path.is_file() or not (folder / SPEC).is_file():
        raise ConfigError(f"{folder}: holds a {STATE} but no {CONFIG} and {SPEC}; choose another run.out")
    before, now, usual = json.loads(path.read_text()), config.to_dict(), TrainConfig().to_dict()
    for section in now:
        for key, value in now[section].items():
            old = before.get(section, {}).get(key, usual[section][key])  # a run from before there was such a setting
            if old != value and key not in MAY_CHANGE:
                raise ConfigError(f"{section}.{key} was {old!r} and is {value!r} now; resume with the same settings")

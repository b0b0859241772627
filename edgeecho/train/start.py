"""Start of a run: a new, a given or a saved network with its specification, and which folders a run may use."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgeecho.data import WITHOUT_FOLDER, DataSet
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.files import read_regular, require_writable
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
OF_MACHINE = ("source", "cache", "cache_gb", "teacher", "out", "threads", "workers", "device", "tensorboard")
"""Settings of the machine that a run is on, which a recipe's hash leaves out."""
MAY_CHANGE = (*OF_MACHINE, "patience", "keep", "steps", "epochs")
"""Settings that may differ when a run is resumed."""
FAMILY, SIZE_PX = "cl_unet_edge", 112
"""Family and side of the frames of a network for which neither the settings nor first weights name one."""


def require_run_folder(folder: Path, resume: bool) -> None:
    """Refuse to resume where no run is, and to overwrite a run.

    Raises:
        ConfigError: If the folder does not fit `resume`.
        OutputError: If it cannot be written.
    """
    begun = (folder / STATE).exists()
    if begun == resume:
        require_writable(folder)
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
    spec = _read_spec(folder / SPEC)
    return build(spec), spec


def _read_spec(path: Path) -> ModelSpec:
    try:
        return ModelSpec.from_json(read_regular(path).decode())
    except (ModelFileError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: damaged; choose another run.out, or begin again without --resume") from error


def first_network(
    config: TrainConfig, init: Path | None, data: DataSet, teacher: Teacher | None
) -> tuple[nn.Module, ModelSpec]:
    """Build the network of a new run, with random weights or those of a checkpoint.

    Args:
        config: Settings of the run. Family and size that it does not name are those of `init`.
        init: Checkpoint to start from, or None for random weights.
        data: Data set that the network is trained on.
        teacher: Teacher network, or None.

    Raises:
        ConfigError: If a setting does not fit the network.
        ModelFileError: If the checkpoint is damaged.
    """
    torch.manual_seed(config.run.seed)
    model = config.model
    if init:
        network, spec = _from_checkpoint(config, init)
        first = [spec]
    else:
        if model.widen > 1:
            raise ConfigError("model.widen needs first weights to widen: add --init CHECKPOINT")
        spec, first = new_spec(model.family or FAMILY, **model.overrides), []
        network = build(spec)
    if config.clips.frames % spec.pooled_frames:
        raise ConfigError(f"{spec.family} pools along time: clips.frames must be a multiple of {spec.pooled_frames}")
    size_px = model.size_px or (spec.size_px if init else SIZE_PX)
    provenance = _provenance(config, data, first, teacher)
    name = model.name or spec.family
    return network, replace(spec, name=name, size_px=size_px, revision=revision(), **provenance)


def _from_checkpoint(config: TrainConfig, init: Path) -> tuple[nn.Module, ModelSpec]:
    """Load the first weights, widened if the settings say so.

    Raises:
        ConfigError: If the settings name another network.
        ModelFileError: If the checkpoint is damaged.
    """
    network, spec = load_checkpoint(init)
    model = config.model
    if model.family not in ("", spec.family):
        raise ConfigError(
            f"{init} is of family {spec.family}, not {model.family}: leave model.family out, or choose other weights"
        )
    others = {
        key: value for key, value in model.overrides.items() if _as_plain(spec.config.get(key)) != _as_plain(value)
    }
    if others:
        names = ", ".join(f"{key} is {spec.config.get(key)!r}" for key in others)
        raise ConfigError(f"model.overrides differ from {init}, where {names}; leave them out, or start without --init")
    if model.widen > 1:
        network, spec = net2wider(network, spec, model.widen, config.run.seed)
    return network, spec


def _as_plain(value: Any) -> Any:
    """Return a tuple as a list, as TOML and JSON have it."""
    return list(value) if isinstance(value, tuple) else value


def _provenance(config: TrainConfig, data: DataSet, first: list[ModelSpec], teacher: Teacher | None) -> dict[str, Any]:
    """Return the fields `licence` and `trained_on`; those of the first weights and of the teacher are kept."""
    trained_on = f"{data.kind} training list, ED and ES labels"
    if config.data.choose_on == "val":
        trained_on += ", chosen on its validation list"
    elif config.data.held_out:
        trained_on += f", less {config.data.held_out} patients to choose on"
    clips = config.clips
    if clips.phantom and (data.kind not in WITHOUT_FOLDER or clips.phantom_labels == "all"):
        trained_on += ", and drawn phantoms"
        trained_on += f" of population {clips.population}" if clips.population != "plain" else ""
        trained_on += ", every frame labelled" if clips.phantom_labels == "all" else ""
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
    try:
        before = {str(name): dict(values) for name, values in json.loads(read_regular(path)).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{path}: damaged; choose another run.out, or begin again without --resume") from error
    now, usual = config.to_dict(), TrainConfig().to_dict()
    for section in now:
        for key, value in now[section].items():
            old = before.get(section, {}).get(key, usual[section][key])  # a run from before there was such a setting
            if old == value or key in MAY_CHANGE:
                continue
            raise ConfigError(f"{section}.{key} was {old!r} and is {value!r} now; resume with the same settings")

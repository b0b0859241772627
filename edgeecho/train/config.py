"""`TrainConfig`: all settings of a training run, read from one TOML file."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError

_AT_LEAST_ONE = (
    *("model.widen", "clips.per_step", "clips.frames", "clips.stride"),
    *("optim.steps", "run.threads", "run.save_every"),
)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings of the network."""

    family: str = "cl_unet_edge"
    """Name of a preset of `edgeecho.nn`."""
    name: str = "cl_unet_edge"
    """Name of the model."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """Configuration fields that differ from the preset."""
    widen: int = 1
    """Factor by which the channels of the first weights are multiplied (Net2Net); 1 leaves them. The wider network
    starts with the same predictions."""
    size_px: int = 112
    """Side of the network's frames."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Settings of the data."""

    source: str = ""
    """Data set as `KIND:DIR`, such as `camus:/data/camus`."""
    held_out: int = 40
    """Number of patients split off the training list, on whom the checkpoint is chosen."""
    teacher: str = ""
    """Checkpoint or packaged model whose predictions on every frame are learnt too (distillation); empty for none."""


@dataclass(frozen=True, kw_only=True)
class ClipConfig:
    """Settings of the clips: their length, their sources and how much they are varied."""

    per_step: int = 5
    """Number of clips a step."""
    frames: int = 16
    """T, number of frames a clip."""
    stride: int = 4
    """Largest step between frames of a real video; the step is drawn from 1 to this. At 3 and 4 a clip of 16 frames is
    about a beat, whose cycle is estimated best; at 1 are the frames on which the network later runs."""
    stills: float = 0.5
    """Share of clips made from one labelled frame, standing still or squeezed."""
    cines: float = 0.25
    """Share of clips of a beating heart of which only ED and ES are labelled: real videos where the data set has them,
    else morphs between an ED and an ES still."""
    phantom: float = 0.25
    """Share of clips of drawn hearts."""
    motion: float = 0.3
    """Largest squeeze of the ventricle in a clip made from a still."""
    reshape: float = 0.0
    """Strength by which a morphed heart takes another one's size, form and motion; 0 leaves it, 1 is the full range."""
    geometry: float = 1.0
    """Strength of rotation, scale, shift, shear and the probe's drift; 0 switches them off."""
    augment: float = 1.0
    """Share of clips whose pictures are augmented: gain, tone, shadow, haze, blur, speckle, sector, compression."""


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the temporal consistency loss and of a teacher, beside 1 for the labels; 0 switches a term off."""

    cycle: float = 0.1
    """Weight of the correlation between the predicted area and the cardiac cycle of the video (idea of CL-UNet)."""
    interpolation: float = 1.0
    """Weight of the labels that are interpolated between ED and ES by the cycle (ours)."""
    smooth: float = 0.0
    """Weight of the smoothness of the area about the cycle (ours); 20 made areas smoother and EF 3 points worse."""
    beats: float = 0.5
    """Weight of equal areas at equal phases of different beats (ours)."""
    teacher: float = 1.0
    """Weight of the cross-entropy against the probabilities of `data.teacher`, where there is one."""


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """Settings of the optimiser."""

    steps: int = 4000
    learning_rate: float = 3e-3
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.02
    ema: float = 0.998
    """Decay of the exponential moving average of the weights, which is what a checkpoint holds."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Settings of the run on a machine."""

    out: str = "runs/cl_unet_edge"
    seed: int = 1
    threads: int = 2
    workers: int = 1
    save_every: int = 250
    """Number of steps between two validations, after each of which the state is saved."""
    bf16: bool = True
    """Whether to compute in bfloat16 (autocast)."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of one training run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    clips: ClipConfig = field(default_factory=ClipConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, nested by section."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Build a configuration from nested values.

        Raises:
            ConfigError: If a key is unknown or a value has the wrong type.
        """
        config = cls()
        for section, settings in values.items():
            if not isinstance(settings, dict):
                raise ConfigError(f"expected a section [{section}], got {settings!r}")
            for key, value in settings.items():
                config = config.with_value(f"{section}.{key}", value)
        return config

    def with_value(self, dotted: str, value: Any) -> "TrainConfig":
        """Return a copy with one value changed, such as `optim.steps`.

        Raises:
            ConfigError: If the key is unknown or the value has the wrong type.
        """
        section, _, key = dotted.partition(".")
        part = getattr(self, section, None)
        if not is_dataclass(part) or isinstance(part, type) or key not in {f.name for f in fields(part)}:
            known = [f"{s.name}.{f.name}" for s in fields(self) for f in fields(getattr(self, s.name))]
            raise ConfigError(f"unknown setting {dotted!r}; known: {', '.join(known)}")
        old = getattr(part, key)
        if isinstance(old, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(old):
            raise ConfigError(f"{dotted} must be {type(old).__name__}, got {value!r}")
        if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
            raise ConfigError(f"{dotted} must not be negative, got {value}")
        if dotted in _AT_LEAST_ONE and value < 1:
            raise ConfigError(f"{dotted} must be at least 1, got {value}")
        changed: dict[str, Any] = {section: replace(part, **{key: value})}
        return replace(self, **changed)


def load_config(path: Path, settings: list[str] | None = None) -> TrainConfig:
    """Read a TOML file and apply `key=value` settings, whose values are TOML too (bare words are text).

    Raises:
        ConfigError: If the file is missing, no TOML, or has a bad key or value.
    """
    try:
        config = TrainConfig.from_dict(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no valid TOML: {error}") from error
    for setting in settings or []:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set takes key=value, got {setting!r}")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        config = config.with_value(key.strip(), value)
    return config

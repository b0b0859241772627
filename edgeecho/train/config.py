"""TrainConfig: everything that a training run depends on, from one TOML file."""

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
    """Which network."""

    family: str = "cl_unet_edge"
    """A preset of `edgeecho.nn`."""
    name: str = "cl_unet_edge"
    """The model's own name."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """Configuration fields that differ from the preset."""
    widen: int = 1
    """With first weights: this many times their channels, which begin with the same answers."""
    size_px: int = 112
    """Side of the network's frames."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which frames."""

    source: str = ""
    """KIND:DIR, such as `camus:/data/camus`."""
    held_out: int = 40
    """Patients split off the training list, to choose the checkpoint on."""
    teacher: str = ""
    """A checkpoint, or a packaged model's name, whose answers on every frame are learnt too."""


@dataclass(frozen=True, kw_only=True)
class ClipConfig:
    """What a clip is, and how much it is varied."""

    per_step: int = 5
    """Clips a step."""
    frames: int = 16
    """T, frames a clip."""
    stride: int = 4
    """Of real videos every frame up to every this many, at random."""
    stills: float = 0.5
    """Share of clips made from one labelled frame, standing still or squeezed."""
    cines: float = 0.25
    """Share of clips in which a heart beats and only ED and ES are labelled: real videos where the data set has them,
    else hearts pulled between an ED and an ES still."""
    phantom: float = 0.25
    """Share of clips of drawn hearts."""
    motion: float = 0.3
    """Largest squeeze of the ventricle in a clip made from a still."""
    reshape: float = 0.0
    """How far hearts pulled between two stills go to or from another one's size, form and motion; 1 is all the way."""
    geometry: float = 1.0
    """Strength of rotation, scale, shift, shear and the probe's drift; 0 looks straight."""
    degrade: float = 1.0
    """Share of clips whose pictures are spoilt: gain, tone, shadow, haze, blur, speckle, sector, compression."""


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the temporal consistency loss and of a teacher beside the labels' 1; 0 switches a term off."""

    cycle: float = 0.1
    """The predicted area follows the cardiac cycle of the video: the paper's idea."""
    between: float = 1.0
    """A frame without a label lies between ED and ES as far as the cycle says: ours."""
    smooth: float = 20.0
    """The area curve does not flicker about the cycle: ours."""
    beats: float = 0.5
    """Frames of equal phase in different beats agree in area: ours."""
    teacher: float = 1.0
    """Cross-entropy against the probabilities of `data.teacher` on every frame, where there is one."""


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """How long and how."""

    steps: int = 4000
    learning_rate: float = 3e-3
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.02
    ema: float = 0.998
    """Decay of the averaged weights, which are the ones that are kept."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Where and with what."""

    out: str = "runs/cl_unet_edge"
    seed: int = 1
    threads: int = 2
    workers: int = 1
    save_every: int = 250
    """Steps between looks at the held-out patients, and saves."""
    bf16: bool = True
    """bfloat16 autocast."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    clips: ClipConfig = field(default_factory=ClipConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, nested by section."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Rebuild from nested values.

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
        """A copy with one value changed, such as `optim.steps`.

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

"""`TrainConfig`: all settings of a training run, read from one TOML file."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError
from edgeecho.files import read_regular

_AT_LEAST_ONE = (
    *("model.widen", "clips.per_step", "clips.frames", "clips.stride"),
    *("optim.steps", "optim.accumulate", "run.threads", "run.save_every"),
)
_CHOICES = {
    "clips.phantom_labels": ("ends", "all"),
    "clips.population": ("plain", "moving", "varied"),
    "data.choose_on": ("held_out", "val"),
    "run.device": ("auto", "cpu", "cuda", "mps"),
    "run.precision": ("auto", "fp32", "bf16", "fp16"),
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings of the network."""

    family: str = ""
    """Name of a preset of `edgeecho.nn`. Empty means that of the first weights, else `cl_unet_edge`."""
    name: str = ""
    """Name of the model; empty means the name of its family."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """Configuration fields that differ from the preset, for a network with random weights."""
    widen: int = 1
    """Factor by which the channels of the first weights are multiplied (Net2Net); 1 leaves them. The wider network
    starts with the same predictions."""
    size_px: int = 0
    """Side of the network's frames; 0 means that of the first weights, else 112."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Settings of the data."""

    source: str = ""
    """Data set as `KIND:DIR`, such as `camus:/data/camus`."""
    cache: str = ""
    """Folder of decoded frames, which runs on the same data may share; empty for a folder in `run.out`. Files that are
    deleted are made again."""
    cache_gb: float = 8.0
    """Bound on the decoded frames in that folder, in GB (1e9 bytes); the frames of other cines are decoded for every
    clip. 0 stores none."""
    held_out: int = 40
    """Number of patients split off the training list, on whom the checkpoint is chosen. With 0 all patients are trained
    on, and the weights at the end are the checkpoint."""
    choose_on: str = "held_out"
    """Patients on whom the checkpoint is chosen: `held_out`, or `val` for the data set's own validation list, beside
    which no patient is split off."""
    teacher: str = ""
    """Checkpoint or packaged model whose predictions on every frame are learnt too (distillation); empty for none."""


@dataclass(frozen=True, kw_only=True)
class ClipConfig:
    """Settings of the clips: their length, their sources and how much they are varied."""

    per_step: int = 5
    """Number of clips a step, over all processes."""
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
    population: str = "plain"
    """Population of the drawn hearts: `plain` as in `phantom:`, `moving` as in `phantom-motion:`, `varied` as in
    `phantom-varied:`."""
    phantom_stills: float = 0.0
    """Share of the clips of drawn hearts that repeat one labelled frame, as a still is shown to the network."""
    phantom_labels: str = "ends"
    """Labelled frames of a drawn heart that beats: those of ED and ES (`ends`), or `all`."""
    motion: float = 0.3
    """Largest squeeze of the ventricle in a clip made from a still."""
    reshape: float = 0.0
    """Strength by which a morphed heart takes another one's size, form and motion; 0 leaves it, 1 is the full range."""
    geometry: float = 1.0
    """Strength of rotation, scale, shift, shear and the probe's drift; 0 switches them off."""
    augment: float = 1.0
    """Share of clips whose pictures are augmented: gain, tone, shadow, haze, blur, speckle, sector, compression."""
    ladder: float = 0.0
    """Share of clips that are degraded, before they are augmented, by one or two of the degradations of low-cost probes
    and screens (`edgeecho.train.degrade`); 0 degrades none."""


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of the temporal consistency loss, of volumes and of a teacher, beside 1 for the labels; 0 switches a term
    off."""

    cycle: float = 0.1
    """Weight of the correlation between the predicted area and the cardiac cycle of the video (idea of CL-UNet)."""
    interpolation: float = 1.0
    """Weight of the labels that are interpolated between ED and ES by the cycle (ours)."""
    smooth: float = 0.0
    """Weight of the smoothness of the area about the cycle (ours); 20 made areas smoother and EF 3 points worse."""
    beats: float = 0.5
    """Weight of equal areas at equal phases of different beats (ours)."""
    volume: float = 0.0
    """Weight of the error of the volume of labelled frames (ours)."""
    ejection: float = 0.0
    """Weight of the error of the ratios of volumes of the labelled frames of a clip, which is that of EF (ours)."""
    teacher: float = 1.0
    """Weight of the cross-entropy against the probabilities of `data.teacher`, where there is one."""


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """Settings of the optimiser."""

    steps: int = 4000
    epochs: int = 0
    """Where it is not 0: length of the run in epochs instead of `steps`. An epoch has as many clips as there are items
    with labels to train on."""
    accumulate: int = 1
    """Number of parts that a step's clips are computed in, one after another, to need less memory. Each part has its
    own batch statistics; the loss is that of all clips together."""
    learning_rate: float = 3e-3
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.02
    ema: float = 0.998
    """Decay of the exponential moving average of the weights, which is what a checkpoint holds."""
    patience: int = 0
    """Number of validations in a row without a better score after which the run ends early; 0 never ends it early."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Settings of the run on a machine."""

    out: str = "runs/cl_unet_edge"
    seed: int = 1
    device: str = "auto"
    """`cpu`, `cuda`, `mps`, or `auto` for the first of `cuda`, `mps`, `cpu` that is there."""
    precision: str = "auto"
    """`fp32`, or autocast in `bf16` or `fp16`. `auto` is `bf16` where the device computes in it by itself, `fp16` on
    other CUDA devices, else `fp32`."""
    threads: int = 2
    """Number of CPU threads, which the processes of `torchrun` share."""
    workers: int = 1
    """Number of processes that make clips, for each process of the training."""
    save_every: int = 250
    """Number of steps between two validations, after each of which the state is saved."""
    keep: int = 0
    """Number of averaged weights, those of the last validations, that are kept as `NAME.step<K>.safetensors`."""
    tensorboard: bool = False
    """Whether to write event files for TensorBoard too."""


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
        if dotted in _CHOICES and value not in _CHOICES[dotted]:
            raise ConfigError(f"{dotted} must be one of {', '.join(_CHOICES[dotted])}, got {value!r}")
        changed: dict[str, Any] = {section: replace(part, **{key: value})}
        return replace(self, **changed)


def load_config(path: Path, settings: list[str] | None = None) -> TrainConfig:
    """Read a TOML file and apply `key=value` settings.

    Raises:
        ConfigError: If the file is missing, no TOML, or has a bad key or value.
    """
    config = TrainConfig.from_dict(read_toml(path))
    for setting in settings or []:
        config = config.with_value(*parse_setting(setting))
    return config


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: If the file is missing or no TOML.
    """
    try:
        return tomllib.loads(read_regular(path).decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no valid TOML: {error}") from error


def parse_setting(setting: str) -> tuple[str, Any]:
    """Return key and value of `key=value`; the value is TOML too, and bare words are text.

    Raises:
        ConfigError: If there is no `=`.
    """
    key, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"--set takes key=value, got {setting!r}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    return key.strip(), value

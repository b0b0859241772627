"""Description of another program's ONNX network in a TOML file: what it takes and what it returns."""

import tomllib
import types
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

from edgeecho.errors import ConfigError
from edgeecho.files import read_regular
from edgeecho.model.spec import MAX_SIZE_PX

AXES = "NCTHW"
"""Letters of a layout: batch, channels, frames, rows, columns."""
DTYPES = ("float32", "float16", "uint8")
REGIONS = ("sector", "square", "frame")
KINDS = ("logits", "probabilities", "softmax", "argmax", "labels")
OF_CLASSES = KINDS[2:]
"""Kinds of output in which the background is a class too."""


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """Pictures that the network takes."""

    layout: str
    """Order of the axes, such as `NCTHW` or `NHWC`. Without T the network takes single frames."""
    size_px: int
    """Rows and columns of the pictures."""
    name: str = ""
    """Name of the graph's input; empty for its only one."""
    channels: int = 1
    """1, or 3 equal ones."""
    dtype: str = ""
    """One of `DTYPES`; empty for the type of the graph."""
    scale: float = 1 / 255
    """Factor of the grey level, 0 to 255, before mean and standard deviation; not for uint8."""
    mean: tuple[float, ...] = (0.0,)
    """Value that is subtracted, one for all channels or one for each."""
    std: tuple[float, ...] = (1.0,)
    """Value by which the difference is divided, likewise."""
    region: str = "sector"
    """Part of the frame that is shown: `sector`, the region that EdgeEcho's models see; `square`, the smallest square
    around the frame, black beyond its edge; `frame`, the frame itself, stretched."""


@dataclass(frozen=True, kw_only=True)
class ClipSpec:
    """Frames that the network sees at once."""

    frames: int | None = None
    """Frames of a clip; None for the graph's own number, or the whole cine if that is free."""
    stride: int = 1
    """Step between frames of a clip."""


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """Result of the network."""

    layout: str
    """Order of the axes; C may be left out if there is one channel."""
    kind: str
    """`logits` (sigmoid), `probabilities` (0 to 1; of uint8, 0 to 255), `softmax` (scores of all classes, of which
    softmax gives probabilities), `argmax` (scores of all classes, of which the largest counts), `labels` (number of
    the class of each pixel)."""
    name: str = ""
    """Name of the graph's output; empty for the first."""
    cavity: int | None = None
    """Channel or label of the cavity, `class` in the file; None for 1 where the background is a class, else 0."""
    threshold: float = 0.5
    """Least probability of the cavity; not used by `argmax` and `labels`."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Description of a network."""

    input: InputSpec
    output: OutputSpec
    clip: ClipSpec = field(default_factory=ClipSpec)
    name: str = ""
    """Name of the network; empty for that of its file."""
    licence: str = "unknown"
    """Licence of its weights."""

    def __post_init__(self) -> None:
        given, returned, clip = self.input, self.output, self.clip
        for place, layout in (("input", given.layout), ("output", returned.layout)):
            if set(layout) - set(AXES) or len(set(layout)) < len(layout) or not {"H", "W"} <= set(layout):
                raise ConfigError(f"{place}.layout must be of the letters {AXES}, with H and W, got {layout!r}")
        if ("T" in given.layout) != ("T" in returned.layout):
            raise ConfigError(f"T must be in both layouts or in none, got {given.layout} and {returned.layout}")
        if "T" not in given.layout and (clip.frames is not None or clip.stride != 1):
            raise ConfigError(f"clip.frames and clip.stride need a T in input.layout, got {given.layout}")
        for key, value, known in (
            ("input.channels", given.channels, (1, 3)),
            ("input.dtype", given.dtype, ("", *DTYPES)),
            ("input.region", given.region, REGIONS),
            ("output.kind", returned.kind, KINDS),
        ):
            if value not in known:
                raise ConfigError(f"{key} must be one of {', '.join(str(k) for k in known if k != '')}, got {value!r}")
        if "C" not in given.layout and given.channels != 1:
            raise ConfigError(f"input.channels of {given.channels} need a C in input.layout, got {given.layout}")
        for key, number, low, high in (
            ("input.size_px", given.size_px, 16, MAX_SIZE_PX),
            ("clip.stride", clip.stride, 1, 1 << 16),
            ("clip.frames", 1 if clip.frames is None else clip.frames, 1, 1 << 16),
            ("output.class", returned.cavity or 0, 0, 1 << 16),
            ("output.threshold", returned.threshold, 1e-3, 1),
        ):
            if not low <= number <= high:
                raise ConfigError(f"{key} must be from {low:g} to {high:g}, got {number}")
        for key, values in (("input.mean", given.mean), ("input.std", given.std)):
            if len(values) not in (1, given.channels) or (key == "input.std" and not min(values) > 0):
                raise ConfigError(f"{key} must be one number or one a channel, std positive, got {list(values)}")

    @property
    def cavity(self) -> int:
        """Channel or label of the cavity."""
        if self.output.cavity is not None:
            return self.output.cavity
        return 1 if self.output.kind in OF_CLASSES else 0


def read_network_spec(path: Path) -> NetworkSpec:
    """Read the description of a network.

    Raises:
        ConfigError: If the file is missing or no TOML, or a key or value is wrong; the message begins with the file.
    """
    try:
        values = tomllib.loads(read_regular(path).decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); describe the network there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no valid TOML: {error}") from error
    try:
        if isinstance(values.get("output"), dict) and "class" in values["output"]:
            values["output"]["cavity"] = values["output"].pop("class")
        spec: NetworkSpec = _build(NetworkSpec, values, "")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return spec


def _build(kind: Any, values: dict[str, Any], place: str) -> Any:
    """Make a dataclass from the values of a TOML table.

    Raises:
        ConfigError: If a key is unknown or missing, or a value has the wrong type.
    """
    known = {f.name: f for f in fields(kind)}
    unknown = sorted(values.keys() - known.keys())
    shown = ", ".join("class" if name == "cavity" else name for name in known)
    if unknown:
        raise ConfigError(f"unknown key {place}{unknown[0]}; known: {shown}")
    missing = [f.name for f in fields(kind) if f.name in ("input", "output", "layout", "size_px", "kind")]
    missing = [name for name in missing if name not in values]
    if missing:
        raise ConfigError(
            f"{place}{missing[0]} is missing; needed are input.layout, input.size_px, output.layout, output.kind"
        )
    return kind(**{key: _convert(known[key].type, value, f"{place}{key}") for key, value in values.items()})


def _convert(kind: Any, value: Any, key: str) -> Any:
    """Return a value of TOML as the type of a field."""
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"{key} must be a section [{key}], got {value!r}")
        return _build(kind, value, f"{key}.")
    if kind == tuple[float, ...]:
        numbers = value if isinstance(value, list) else [value]
        if not numbers or not all(type(number) in (int, float) for number in numbers):
            raise ConfigError(f"{key} must be a number or a list of numbers, got {value!r}")
        return tuple(map(float, numbers))
    plain = (
        next(each for each in get_args(kind) if each is not type(None)) if isinstance(kind, types.UnionType) else kind
    )
    if plain is float and type(value) is int:
        value = float(value)
    if type(value) is not plain:
        raise ConfigError(f"{key} must be {plain.__name__}, got {value!r}")
    return value

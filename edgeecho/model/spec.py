"""ModelSpec: the specification of a model, which is inside every model file."""

import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model import strict_json

FORMAT_VERSION = 1
RESAMPLING = "q11-box-bilinear"
NOTICE = "Research software, not a medical device."
STATE_BYTES = {"uint8": 1, "float32": 4}
"""Bytes of an element of a stream's state, by type."""
MAX_STATE_BYTES = 1 << 28
MIN_SIZE_PX, MAX_SIZE_PX, SIZE_STEP_PX = 16, 1024, 16
"""Bounds of `size_px`, and the number that it is a multiple of."""
MAX_CONTEXT_FRAMES = 256
MAX_AXIS = (1 << 20) - 1
"""Longest axis of a state tensor."""
MAX_FRAMES = 4096
"""Largest T of a graph with a fixed T."""
MAX_PARAMS = 1 << 40
MAX_CONFIG_ENTRIES, MAX_CONFIG_NUMBER = 64, 4096
"""Largest number of entries, and largest number, in the configuration of a network that is read from a file."""
FORMS, PRECISIONS, LOWERINGS = ("checkpoint", "clip", "stream"), ("fp32", "fp16", "int8"), ("2d", "none")
"""Allowed values of the fields `form`, `precision` and `lowering`."""
MAX_LICENCE_BYTES = 63
"""Length of the longest licence that a device file can contain."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LICENCE_ID, _OPERATORS = re.compile(r"[A-Za-z0-9.+-]+"), ("AND", "OR", "WITH")
_LICENCES_BEFORE = {
    "Stanford EchoNet-Dynamic research use agreement (non-commercial)": "LicenseRef-EchoNet-Dynamic",
    "Stanford EchoNet-Pediatric research use agreement (non-commercial)": "LicenseRef-EchoNet-Pediatric",
}
"""Texts in checkpoints from before licences were identifiers, and the identifiers of today."""


class StateTensor(NamedTuple):
    """One tensor that a stream carries from frame to frame: input `name`, output `next_` + `name`."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """`uint8` in an int8 graph, `float32` in an fp32 graph."""
    zero_point: int
    """Value that stands for 0; a reset fills the tensor with it."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Specification of a model: its network, its inputs and outputs, and its licence.

    The graphs take grey frames, uint8 (T, 1, size_px, size_px), and return `prob`, uint8 of the same shape,
    = round(255 p), p the probability that a pixel is left-ventricular cavity. Scaling and sigmoid are in the graph.
    The first and the last frame of a cine are repeated where the network needs frames before and after it.
    """

    name: str
    """Name of the model, such as `cl_unet_edge`."""
    family: str
    """Family of the network: `cl_unet`, `cl_unet_edge`, `unet2d` or `unet3d`."""
    config: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of the network's configuration; they rebuild it."""
    params: int = 0
    """Trainable parameters of the network, as trained."""
    size_px: int = 112
    """Height and width of the network's frames."""
    context_frames: tuple[int, int] = (0, 0)
    """Frames before and after a frame that its output depends on."""
    threshold: int = 128
    """A source pixel is cavity where the resampled `prob` is at least this."""
    resampling: str = RESAMPLING
    """Integer resampling between region and network, both ways; see `edgeecho.preprocess`."""
    form: str = "checkpoint"
    """`checkpoint`, `clip` (T frames in, T maps out) or `stream`."""
    frames: int | None = None
    """T of a graph with a fixed T; None if T is free."""
    precision: str = "fp32"
    """Precision of the weights and activations as stored."""
    lowering: str = "2d"
    """Form of 3D convolutions: `2d` (frames in the batch, time on the channels) or `none` (native 3D)."""
    licence: str = "Apache-2.0"
    """Licence of the weights: an SPDX expression of at most 63 bytes; `check_licence` checks it."""
    trained_on: str = "nothing (random weights)"
    """Data that the weights were trained on."""
    intended_use: str = NOTICE
    """Intended use of the model."""
    revision: str = "unknown"
    """Git revision of the code that made the weights."""
    recipe: str = ""
    """SHA-256 of the recipe that made the weights (`edgeecho.train.recipe`), 64 hexadecimal digits; in a file's JSON
    only if there is one."""
    format_version: int = FORMAT_VERSION
    state: tuple[StateTensor, ...] = ()
    """Tensors that a stream carries from frame to frame; in a file's JSON only if there are any."""

    def __post_init__(self) -> None:
        if not MIN_SIZE_PX <= self.size_px <= MAX_SIZE_PX or self.size_px % SIZE_STEP_PX:
            bounds = f"a multiple of {SIZE_STEP_PX} from {MIN_SIZE_PX} to {MAX_SIZE_PX}"
            raise ConfigError(f"size_px must be {bounds}, got {self.size_px}")
        if not all(0 <= n <= MAX_CONTEXT_FRAMES for n in self.context_frames):
            raise ConfigError(f"context_frames must be from 0 to {MAX_CONTEXT_FRAMES}, got {self.context_frames}")
        if not 1 <= self.threshold <= 255:
            raise ConfigError(f"threshold must be from 1 to 255, got {self.threshold}")
        if self.recipe and not _SHA256.fullmatch(self.recipe):
            raise ConfigError(f"recipe must be a SHA-256 of 64 hexadecimal digits, got {self.recipe[:80]!r}")
        for field_name, known in (("form", FORMS), ("precision", PRECISIONS), ("lowering", LOWERINGS)):
            value = getattr(self, field_name)
            if value not in known:
                raise ConfigError(f"{field_name} must be one of {', '.join(known)}, got {value!r:.80}")
        if not _IDENTIFIER.fullmatch(self.family):
            raise ConfigError(f"family must be a word of letters, digits and _, got {self.family!r:.80}")
        if self.frames is not None and not 1 <= self.frames <= MAX_FRAMES:
            raise ConfigError(f"frames must be from 1 to {MAX_FRAMES}, or none, got {self.frames}")
        if not 0 <= self.params <= MAX_PARAMS:
            raise ConfigError(f"params must be positive and at most {MAX_PARAMS}, got {self.params}")
        if len({t[0] for t in self.state}) != len(self.state):
            raise ConfigError("two tensors of the state have one name")
        check_licence(self.licence)
        object.__setattr__(self, "state", tuple(StateTensor(t[0], tuple(t[1]), *t[2:]) for t in self.state))
        if self.state_bytes > MAX_STATE_BYTES:
            raise ConfigError(f"state of {self.state_bytes} bytes is more than the {MAX_STATE_BYTES} allowed")

    @property
    def state_bytes(self) -> int:
        """Size of the state that a stream carries from frame to frame."""
        return sum(math.prod(t.shape) * STATE_BYTES[t.dtype] for t in self.state)

    @property
    def pooled_frames(self) -> int:
        """Number of frames that the network pools into one along time: 8 in the standard 3D U-Net, else 1.

        A clip must be a multiple of it. Above 1, the result of a frame depends on how the cine is cut into clips.
        """
        return 8 if self.family == "unet3d" else 1

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        values = asdict(self)
        return {key: value for key, value in values.items() if value or key not in ("state", "recipe")}

    def to_json(self) -> str:
        """Return one line of JSON with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """Read a spec.

        Raises:
            ModelFileError: If the text is no spec, has unknown keys, or is of another format version.
        """
        try:
            values = strict_json.parse(text)
            version = values["format_version"]
        except (ValueError, TypeError, KeyError) as error:
            raise ModelFileError(f"no EdgeEcho model spec ({error}): got {text[:60]!r}; export it again") from error
        if version != FORMAT_VERSION:
            raise ModelFileError(
                f"format version {version!s:.40}, this EdgeEcho reads {FORMAT_VERSION}; install a matching one"
            )
        known = {f.name for f in fields(cls)}
        if set(values) - known or not {"name", "family"} <= set(values):
            raise ModelFileError(f"model spec has unknown or missing keys: {sorted(set(values) ^ known)}")
        bad = [
            f"{f.name} {values[f.name]!r}"
            for f in fields(cls)
            if f.name in values and not _fits(f.type, values[f.name])
        ]
        if bad:
            raise ModelFileError(f"model spec has values of the wrong kind: {', '.join(bad)[:200]}")
        for before, today in _LICENCES_BEFORE.items():
            values["licence"] = values.get("licence", cls.licence).replace(before, today)
        values["context_frames"] = tuple(values.get("context_frames", (0, 0)))
        try:
            return cls(**values)
        except ConfigError as error:
            raise ModelFileError(f"bad model spec: {error}") from error


def check_licence(licence: str) -> None:
    """Refuse a licence that is no SPDX expression, or that is too long for a device file.

    An expression is one identifier of letters, digits, `.`, `-` and `+`, or several joined by AND, OR, WITH and
    parentheses. Whether SPDX lists an identifier is not checked.

    Raises:
        ConfigError: If it is neither.
    """
    if len(licence.encode(errors="replace")) > MAX_LICENCE_BYTES or not _is_licence_expression(licence):
        raise ConfigError(
            f"licence must be an SPDX expression of at most {MAX_LICENCE_BYTES} bytes, got {licence[:80]!r}; give an "
            "identifier, such as CC-BY-NC-SA-4.0 or LicenseRef-own-data, and write its terms into the model card"
        )


def _is_licence_expression(text: str) -> bool:
    """Whether identifiers and operators take turns and parentheses match."""
    tokens = re.findall(r"[()]|[^ ()]+", text)
    shape = "".join(
        t if t in "()" else "&" if t in _OPERATORS else "a" if _LICENCE_ID.fullmatch(t) else "?" for t in tokens
    )
    before = ""
    while before != shape:
        before, shape = shape, shape.replace("a&a", "a").replace("(a)", "a")
    return shape == "a"


def _fits(kind: Any, value: Any) -> bool:
    """Whether a value from JSON can be a field of that type."""
    if kind == tuple[int, int]:
        return isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value)
    if kind == tuple[StateTensor, ...]:
        return isinstance(value, list) and len(value) <= 256 and all(map(_is_state_tensor, value))
    if kind == dict[str, Any]:
        return isinstance(value, dict) and _is_small(value)
    return type(value) is kind or (kind == int | None and (value is None or type(value) is int))


def _is_small(value: Any) -> bool:
    """Whether a network's configuration from JSON has few entries and small numbers, so that it can be built."""
    if isinstance(value, dict | list):
        inner = list(value.values()) if isinstance(value, dict) else value
        return len(inner) <= MAX_CONFIG_ENTRIES and all(map(_is_small, inner))
    if isinstance(value, int | float):
        return abs(value) <= MAX_CONFIG_NUMBER
    return value is None or (isinstance(value, str) and len(value) <= MAX_CONFIG_NUMBER)


def _is_state_tensor(value: Any) -> bool:
    """Whether a value from JSON is [name, shape of 1 to 4 positive numbers, type, zero point]."""
    if not isinstance(value, list) or list(map(type, value)) != [str, list, str, int]:
        return False
    _, shape, dtype, zero_point = value
    sized = 1 <= len(shape) <= 4 and all(type(n) is int and 0 < n <= MAX_AXIS for n in shape)
    return sized and dtype in STATE_BYTES and 0 <= zero_point <= 255

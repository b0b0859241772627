"""Options of an export."""

from dataclasses import asdict, dataclass

from edgeecho.errors import ConfigError
from edgeecho.export.check.figures import Limits
from edgeecho.export.int8.quantize import WEIGHT_BITS
from edgeecho.export.int8.ranges import METHODS

FORMATS = ("onnx", "openvino", "ort")
USUAL_FORMATS = FORMATS[:2]
FORMS = ("clip", "stream")
PRECISIONS = ("int8", "fp16", "fp32")
TARGETS = ("x86", "arm")
LOWERINGS = ("auto", "none", "2d")
AUTO = {("openvino", "x86"): "none"}
"""Fastest lowering of a format on a target, where it is not `2d` (measured by `studies.lowering`)."""
DEFAULT_LIMITS = Limits()
GATES = ("enforce", "report")
MAX_FRAMES = 1024


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of one export."""

    precision: str = "int8"
    """`int8` writes int8 and fp32 files; `fp16` OpenVINO files with weights of 16 bits, and fp32; `fp32` fp32 alone."""
    formats: tuple[str, ...] = USUAL_FORMATS
    """Formats: `onnx`, `openvino`, and `ort`, which is for small builds of ONNX Runtime."""
    forms: tuple[str, ...] = FORMS
    """Forms of the graphs: `clip` and `stream`."""
    target: str = "x86"
    """Processor that the files are for: `x86` or `arm`."""
    lower: str = "auto"
    """Lowering: `2d` (frames in the batch), `none` (native 3D convolutions), or the fastest on the target (`auto`)."""
    frames: int | None = None
    """Fixed T of the clip graphs; None leaves T free."""
    calib: str | None = None
    """Calibration set as `KIND:DIR`; None takes drawn hearts and the cine inside pydicom."""
    method: str = "minmax"
    """Method that finds ranges: `minmax` or `percentile`."""
    weight_bits: int = WEIGHT_BITS[0]
    """Bits of int8 weights: 7, with equal results on every processor, or 8, for processors without saturation."""
    gate: str = "enforce"
    """Effect of a refusal by the acceptance test: `enforce` writes nothing, `report` writes the files with the refusal
    inside."""
    limits: Limits = DEFAULT_LIMITS
    """Limits of the acceptance test."""
    gate_seed: int = 0
    """Seed that chooses the cines of the acceptance test."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("precision", self.precision, PRECISIONS),
            ("target", self.target, TARGETS),
            ("lowering", self.lower, LOWERINGS),
            ("calibration method", self.method, METHODS),
            ("number of weight bits", self.weight_bits, WEIGHT_BITS),
            ("gate", self.gate, GATES),
        ):
            if value not in known:
                raise ConfigError(f"unknown {name} {value!r}; known: {', '.join(map(str, known))}")
        if not 0 <= self.gate_seed < 1 << 31:
            raise ConfigError(f"the gate's seed must be from 0 to {(1 << 31) - 1}, got {self.gate_seed}")
        for name, values, known in (("format", self.formats, FORMATS), ("form", self.forms, FORMS)):
            if not values or set(values) - set(known):
                raise ConfigError(f"unknown {name} {','.join(values)!r}; known: {', '.join(known)}")
        if self.frames is not None and not 1 <= self.frames <= MAX_FRAMES:
            raise ConfigError(f"frames must be from 1 to {MAX_FRAMES}, got {self.frames}")
        if self.precision == "fp16" and "openvino" not in self.formats:
            raise ConfigError("fp16 files are for OpenVINO: ONNX Runtime gains nothing from them on a CPU")

    def lowering(self, kind: str, context_frames: tuple[int, int] = (1, 1)) -> str:
        """Return the lowering of the clip graphs of a format, `2d` or `none`.

        A network without context frames has no convolution along time, so `auto` is `2d` there.

        Args:
            kind: Format, one of `FORMATS`.
            context_frames: Field `context_frames` of the network's specification.
        """
        if self.lower != "auto":
            return self.lower
        return AUTO.get((kind, self.target), "2d") if any(context_frames) else "2d"

    def command(self, model: str) -> str:
        """Return the command line of the same export."""
        given = [f"--{self.precision}"]
        for name, value, usual in (
            ("format", ",".join(self.formats), ",".join(USUAL_FORMATS)),
            ("form", ",".join(self.forms), ",".join(FORMS)),
            ("target", self.target, "x86"),
            ("lower", self.lower, "auto"),
            ("frames", self.frames, None),
            ("calib", self.calib and f"{self.calib.partition(':')[0]}:DIR", None),
            ("method", self.method, "minmax"),
            ("weight-bits", self.weight_bits, WEIGHT_BITS[0]),
            ("gate", self.gate, GATES[0]),
            ("gate-seed", self.gate_seed, 0),
        ):
            if value != usual:
                given.append(f"--{name} {value}")
        usual_limits = asdict(DEFAULT_LIMITS)
        given += [f"--limit {k}={v:g}" for k, v in asdict(self.limits).items() if v != usual_limits[k]]
        return " ".join(["edgeecho export", model, *given])

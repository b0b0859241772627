"""Plan of a stream graph for the native engine: buffers with their addresses, steps in order, packed weights."""

import math
import struct
from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ExportError
from edgeecho.export.graph.native_graph import NativeGraph, Step, Tensor
from edgeecho.model.native_file import (
    ALIGNMENT,
    BLOCK,
    HEADER,
    KINDS,
    MAGIC,
    MAX_ARENA_BYTES,
    MAX_CHANNELS,
    MAX_SOURCES,
    MAX_STEPS,
    MAX_TENSORS,
    QUAD,
    SLACK,
    STEP,
    TENSOR,
    VERSION,
)
from edgeecho.model.spec import StateTensor

ANSWER = (1 << 32) - 1
"""Place of the tensor that is the stream's answer, `prob`."""
CLOCK = "clock"
"""State tensor with the slot of each ring that the newest frame is in."""
_PARAMETERS = 13


@dataclass(frozen=True)
class Plan:
    """Plan of a stream, and the state that it keeps."""

    data: bytes
    state: tuple[StateTensor, ...]
    arena_bytes: int
    """Bytes of the tensors that last for one frame."""


def make_plan(graph: NativeGraph) -> Plan:
    """Lay out the steps of a stream graph.

    Args:
        graph: Tensors and steps, of `native_steps`.

    Raises:
        ExportError: If it has more tensors, steps or bytes than the engine takes.
    """
    names = list(graph.tensors)
    if len(names) > MAX_TENSORS or len(graph.steps) > MAX_STEPS:
        raise ExportError(f"the native engine takes {MAX_TENSORS} tensors and {MAX_STEPS} steps, got {len(names)}")
    if wide := next((t for t in graph.tensors.values() if t.channels > MAX_CHANNELS), None):
        raise ExportError(f"the native engine takes {MAX_CHANNELS} channels, {wide.name!r} has {wide.channels}")
    rings = [name for name in names if graph.tensors[name].ages]
    addresses, arena_bytes = _addresses(graph, [name for name in names if name not in rings and name != "prob"])
    if arena_bytes > MAX_ARENA_BYTES:
        raise ExportError(
            f"the native engine takes an arena of {MAX_ARENA_BYTES} bytes, this graph needs {arena_bytes}"
        )
    constants = _Constants(_aligned(HEADER.size + TENSOR.size * len(names) + STEP.size * len(graph.steps)))
    steps = b"".join(_step(step, graph, names, constants) for step in graph.steps)
    tensors = b""
    for name in names:
        t = graph.tensors[name]
        place = ANSWER if name == "prob" else rings.index(name) + 2 if name in rings else 0
        slots = t.ages + 1
        tensors += TENSOR.pack(
            place, addresses.get(name, 0), t.height, t.width, t.channels, t.halo, t.zero_point, slots
        )
    at = HEADER.size, HEADER.size + len(tensors), constants.begin
    macs = sum(s.weight.size * graph.tensors[s.output].height * graph.tensors[s.output].width for s in graph.steps)
    head = HEADER.pack(
        MAGIC, VERSION, at[2] + len(constants.data), len(names), len(graph.steps), *at, arena_bytes,
        len(constants.data), macs // 1000,
    )  # fmt: skip
    body = head + tensors + steps
    return Plan(body + bytes(at[2] - len(body)) + bytes(constants.data), _state(graph, rings), arena_bytes)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def slot_bytes(tensor: Tensor) -> int:
    """Return the bytes of one frame of a tensor, with its halo and what a kernel may read behind it."""
    rows, columns = tensor.height + 2 * tensor.halo, tensor.width + 2 * tensor.halo
    return _aligned(rows * columns * tensor.channels + SLACK)


def _state(graph: NativeGraph, rings: list[str]) -> tuple[StateTensor, ...]:
    if not rings:
        return ()
    kept = [graph.tensors[name] for name in rings]
    lines = (StateTensor(f"ring_{k}", (t.ages + 1, slot_bytes(t)), "uint8", t.zero_point) for k, t in enumerate(kept))
    return StateTensor(CLOCK, (len(rings),), "uint8", 0), *lines


def _addresses(graph: NativeGraph, names: list[str]) -> tuple[dict[str, int], int]:
    """Give each tensor that lasts for one frame its address: the lowest that no tensor of the same time has.

    Returns:
        Addresses by name, and the bytes of all.
    """
    lives = {}
    for name in names:
        uses = [k for k, s in enumerate(graph.steps) if s.output == name or any(n == name for n, _ in s.sources)]
        lives[name] = min(uses), max(uses)
    placed: dict[str, int] = {}
    for name in sorted(names, key=lambda n: -slot_bytes(graph.tensors[n])):
        size, (first, last) = slot_bytes(graph.tensors[name]), lives[name]
        taken = sorted(
            (placed[other], placed[other] + slot_bytes(graph.tensors[other]))
            for other in placed
            if lives[other][0] <= last and first <= lives[other][1]
        )
        at = 0
        for low, high in taken:
            if at + size <= low:
                break
            at = max(at, high)
        placed[name] = at
    return placed, max((at + slot_bytes(graph.tensors[name]) for name, at in placed.items()), default=0)


class _Constants:
    """Constants of a plan, each aligned."""

    def __init__(self, begin: int) -> None:
        self.begin, self.data = begin, bytearray()

    def add(self, values: bytes) -> int:
        """Append bytes, and return where in the plan they begin."""
        at = self.begin + len(self.data)
        self.data += values + bytes(-len(values) % ALIGNMENT)
        return at


def _step(step: Step, graph: NativeGraph, names: list[str], constants: _Constants) -> bytes:
    """Lay out a step, and add its constants."""
    sources = [names.index(name) + (age << 16) for name, age in step.sources]
    numbers: list[int] = []
    if step.kind == "convolution":
        packed, quads = pack_weights(step.weight, len(sources))
        zero_point = graph.tensors[step.sources[0][0]].zero_point
        numbers = [step.kernel, step.stride, step.pad, quads, constants.add(packed)]
        numbers.append(constants.add(_scaling(step, zero_point)))
    elif step.kind == "addition":
        numbers = [step.factor, *struct.unpack("<2I", step.scale.astype("<f4").tobytes())]
    elif step.kind == "head":
        numbers = [step.factor, constants.add(step.table)]
    numbers += [0] * (_PARAMETERS - len(numbers))
    sources_and_rest = sources + [0] * (MAX_SOURCES - len(sources))
    return STEP.pack(KINDS[step.kind], names.index(step.output), len(sources), *sources_and_rest, *numbers)


def pack_weights(weight: np.ndarray, sources: int) -> tuple[bytes, int]:
    """Pack weights in the order that every kernel reads: block of channels, run of inputs, quad of inputs.

    A run is what lies one behind the other in memory: the kernel's row of pixels, or a pixel of one frame.

    Args:
        weight: int8 (output channels, input channels, K, K), the channels of `sources` frames one behind the other.
        sources: Number of frames.

    Returns:
        int8 (blocks, runs, quads, 16 output channels, 4 inputs) as bytes, zeros where there is no channel or input, and
        the number of quads in a run.
    """
    outputs, inputs, rows, columns = weight.shape
    if sources > 1:
        runs = weight.reshape(outputs, sources, inputs // sources)
    else:
        runs = weight.transpose(0, 2, 3, 1).reshape(outputs, rows, columns * inputs)
    quads, blocks = math.ceil(runs.shape[2] / QUAD), math.ceil(outputs / BLOCK)
    padded = np.zeros((blocks * BLOCK, runs.shape[1], quads * QUAD), np.int8)
    padded[:outputs, :, : runs.shape[2]] = runs
    packed = padded.reshape(blocks, BLOCK, runs.shape[1], quads, QUAD).transpose(0, 2, 3, 1, 4)
    return np.ascontiguousarray(packed).tobytes(), quads


def _scaling(step: Step, zero_point: int) -> bytes:
    """Lay out, for each output channel: the sum's start, that for inputs minus 128, and the scale of the sum."""
    sums = step.weight.reshape(len(step.weight), -1).astype(np.int64).sum(1)
    bias = step.bias.astype(np.int64) - zero_point * sums
    signed = bias + 128 * sums
    reach = np.abs(bias) + 255 * np.abs(step.weight.astype(np.int64)).reshape(len(sums), -1).sum(1)
    if max(reach.max(), np.abs(signed).max()) >= 1 << 31 or not 0 < step.scale.min() <= step.scale.max() <= 1:
        raise ExportError(f"the native engine cannot run {step.name!r}: its sums do not fit into 32 bits")
    room = -len(bias) % BLOCK
    columns = [np.pad(bias, (0, room)).astype("<i4"), np.pad(signed, (0, room)).astype("<i4")]
    return (
        b"".join(c.tobytes() for c in columns)
        + np.pad(step.scale, (0, room), constant_values=1).astype("<f4").tobytes()
    )

"""Layout of a plan: the stream graph of a native device file, which the native engine of the C library runs.

A plan has a header, a record for each tensor and for each step, and constants; the sealed text with the model's spec
stands behind it, which C does not read. All numbers are little-endian. `docs/model-file.md` gives the layout byte by
byte, `edgeecho.export.write.native_plan` writes it, and `device/src/engines/native/plan.c` reads and verifies it.
"""

import struct

from edgeecho.errors import ModelFileError
from edgeecho.model import strict_json

MAGIC, VERSION = b"EENATIVE", 1
SUFFIX = ".native"
"""Suffix of a plan in the name of its device file: `stream.int8.native.edgeecho`."""
HEADER = struct.Struct("<8s10I16x")
"""Magic, version, bytes of the plan, tensors, steps, where tensors, steps and constants begin, bytes of the arena,
bytes of the constants, MACs of a frame in thousands."""
TENSOR = struct.Struct("<8I")
"""Place (0: the arena, k + 1: state tensor k, 2^32 - 1: the answer), offset in the arena, height, width, channels,
halo, zero point, slots."""
STEP = struct.Struct("<24I")
"""Kind, output, number of sources, 8 sources (tensor + frames ago << 16), 13 numbers that depend on the kind."""
KINDS = {"frame": 1, "convolution": 2, "addition": 3, "head": 4}
"""Kind of a step to its number."""
ALIGNMENT = 64
SLACK = 64
"""Bytes behind a tensor that a kernel may read, though not use."""
MAX_SOURCES = 8
BLOCK = 16
"""Output channels of a block of packed weights."""
QUAD = 4
"""Input bytes that one step of a kernel multiplies and adds."""
MAX_WEIGHT = 64
"""Largest weight in magnitude: 7 bits, with which no processor saturates."""
MAX_TENSORS, MAX_STEPS = 256, 256
MAX_ARENA_BYTES = 1 << 26
MAX_CHANNELS = 2048


def metadata(plan: bytes) -> dict[str, str]:
    """Return the texts that stand behind a plan, by name.

    Raises:
        ModelFileError: If the bytes are no plan of this version.
        ValueError: If what stands behind it is no JSON that `strict_json` reads.
    """
    if len(plan) < HEADER.size or not plan.startswith(MAGIC):
        raise ModelFileError("no plan of the native engine; write one with `edgeecho device-file --format native`")
    _, version, end, *_ = HEADER.unpack_from(plan)
    if version != VERSION:
        raise ModelFileError(f"plan of version {version}, this EdgeEcho reads {VERSION}; install a matching one")
    found = strict_json.parse(plan[end:])
    return {str(key): str(value) for key, value in found.items()}


def count_convolutions(plan: bytes) -> int:
    """Return the number of convolutions in a plan."""
    _, _, _, _, steps, _, at, *_ = HEADER.unpack_from(plan)
    kinds = [STEP.unpack_from(plan, at + STEP.size * k)[0] for k in range(steps)]
    return kinds.count(KINDS["convolution"])

"""The native engine of the C library, for native device files (`stream.int8.native.edgeecho`).

The engine is the one of `device/src/engines/native`, compiled as `edgeecho._native`: `make native` builds it in a
checkout, and a wheel that was built with EDGEECHO_NATIVE=1 contains it.
"""

import ctypes
import threading
from ctypes import c_char_p, c_size_t, c_void_p
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from edgeecho.errors import MissingExtraError, ModelFileError
from edgeecho.model.device_file import pack
from edgeecho.model.sealed_file import VerifiedFile
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.frame_stream import FrameStream

MODULE = "edgeecho._native"
"""The shared library, which lies where a module of this name would."""
ALIGNMENT = 64
"""Of the tensors of a state in its memory, in bytes."""
ERROR_BYTES = 512


def is_built() -> bool:
    """Return whether this installation has the native engine."""
    return find_spec(MODULE) is not None


@cache
def native_library() -> ctypes.CDLL:
    """Load the native engine.

    Raises:
        MissingExtraError: If this installation was built without it, or with that of another version.
    """
    found = find_spec(MODULE)
    if found is None or found.origin is None:
        raise MissingExtraError(
            "the native engine is not built; run `make native` in a checkout, or install with EDGEECHO_NATIVE=1 set"
        )
    library = ctypes.CDLL(found.origin)
    calls: dict[str, tuple[Any, list[Any]]] = {
        "open": (c_void_p, [c_char_p, c_size_t, c_char_p, c_char_p, c_size_t]),
        "close": (None, [c_void_p]),
        "run_frame": (None, [c_void_p] * 4),
        "kernels": (c_char_p, [c_void_p]),
        "usable": (c_char_p, [c_size_t]),
    }
    for name, (result, arguments) in calls.items():
        try:
            call = getattr(library, f"edgeecho_native_{name}")
        except AttributeError:
            raise MissingExtraError("the native engine is that of another EdgeEcho; run `make native` again") from None
        call.restype, call.argtypes = result, arguments
    return library


def usable_kernels() -> list[str]:
    """Return the kernels that this processor runs, from the fastest on."""
    library = native_library()
    found: list[str] = []
    while (name := library.edgeecho_native_usable(len(found))) is not None:
        found.append(name.decode())
    return [name for name in found if name]


class NativeEngine:
    """A native device file in the native engine, which runs streams on one core; several threads take turns.

    The state of a stream is the caller's, and a frame is run under a lock, as the memory of its tensors is the model's.
    The C library holds the plan against the spec when it is opened: picture, state and zero points.
    """

    runtime = "native"
    _handle: int | None = None

    def __init__(self, file: VerifiedFile, name: str, kernels: str | None = None) -> None:
        """Open a file.

        Args:
            file: Contents of the device file.
            name: Its name, for errors.
            kernels: Name of the kernels to run, one of `usable_kernels`; None takes the fastest.

        Raises:
            ModelFileError: If the engine refuses it.
            MissingExtraError: If the native engine is not built.
        """
        self._c = native_library()
        packed = pack(file.data, file.spec, file.selftest)
        error = ctypes.create_string_buffer(ERROR_BYTES)
        chosen = kernels.encode() if kernels else None
        self._handle = self._c.edgeecho_native_open(packed, len(packed), chosen, error, len(error))
        if not self._handle:
            raise ModelFileError(f"{name}: the native engine refuses it: {error.value.decode() or 'out of memory'}")
        self.version = self._c.edgeecho_native_kernels(self._handle).decode()
        self._spec, self._lock = file.spec, threading.Lock()
        self._places, self._state_bytes = _lay_out(file.spec)

    def __del__(self) -> None:
        if self._handle:
            self._c.edgeecho_native_close(self._handle)

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip frame by frame: frames uint8 (T, 1, S, S) to `prob` of the same shape, as its clip graph gives."""
        return FrameStream(self, self._spec).whole(frames[:, 0])[:, None]

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the stream on a frame and a state by name, and return `prob` and the next state by name."""
        memory = self._gather(inputs)
        frame = np.ascontiguousarray(inputs["frame"])
        prob = np.empty_like(frame)
        with self._lock:  # the tensors of one frame are the model's
            self._c.edgeecho_native_run_frame(self._handle, frame.ctypes.data, prob.ctypes.data, memory.ctypes.data)
        found = {f"next_{name}": memory[at : at + size].reshape(shape) for name, at, size, shape in self._places}
        return [prob if name == "prob" else found[name] for name in outputs]

    def _gather(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return a copy of a state in one piece; one that this engine returned is in one piece already."""
        first = inputs[self._places[0][0]] if self._places else None
        base = first.base if first is not None else None
        if (
            isinstance(base, np.ndarray)
            and base.shape == (self._state_bytes,)
            and all(inputs[name].base is base for name, *_ in self._places)
        ):
            return base.copy()
        memory = np.zeros(self._state_bytes, np.uint8)
        for name, at, size, _ in self._places:
            memory[at : at + size] = inputs[name].ravel()
        return memory


def _lay_out(spec: ModelSpec) -> tuple[list[tuple[str, int, int, tuple[int, ...]]], int]:
    """Return name, place, bytes and shape of each tensor of a state in its memory, and the bytes of all."""
    found, at = [], 0
    for tensor in spec.state:
        size = int(np.prod(tensor.shape))
        found.append((tensor.name, at, size, tensor.shape))
        at += -(-size // ALIGNMENT) * ALIGNMENT
    return found, at

"""The C library from Python, through ctypes; NumPy is all it needs.

    python examples/python/edgeecho_ctypes.py libedgeecho.so stream.int8.edgeecho cine.npy

cine.npy contains grey frames, uint8 (T, H, W). `docs/device.md` describes how to build the library. The structs of
`edgeecho.h` are in `edgeecho_structs.py`; methods are its functions.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator
from ctypes import POINTER, byref, c_char_p, c_size_t, c_uint8, c_void_p
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from edgeecho_structs import (
    Beat,
    Frame,
    Info,
    LogFunction,
    OpenOptions,
    Result,
    SelftestResult,
    StreamOptions,
    Versions,
)

OK, MORE, E_SELFTEST = 0, 1, -11
SEARCH_REGION, SEARCH_ORIENTATION = 1, 2
VERDICTS = ("report", "review", "withhold")


class Answer(NamedTuple):
    """Result of one frame."""

    mask: np.ndarray
    """Pixels of the cavity, uint8 {0, 1} (H, W)."""
    prob: np.ndarray
    """255 times the probability of cavity, uint8 (S, S), over the region of the frame."""
    outline: np.ndarray
    """Pixels at the edge of the mask as (x, y), int32 (N, 2), in order."""
    result: dict[str, Any]


class DeviceError(RuntimeError):
    """Error of a call with a negative status, with the library's own sentence."""


class Device:
    """One model and one stream of the C library."""

    def __init__(
        self, library: str, model: str, *, threads: int = 0, log: Callable[[int, str], None] | None = None
    ) -> None:
        """Open a model; `log` takes the level and the text of messages."""
        self._c = ctypes.CDLL(library)
        for name in ("edgeecho_status_text", "edgeecho_reason_code", "edgeecho_reason_text", "edgeecho_stream_error"):
            getattr(self._c, name).restype = c_char_p
        self._c.edgeecho_stream_size.restype = c_size_t
        for name in ("edgeecho_mask", "edgeecho_probability"):
            getattr(self._c, name).argtypes = [c_void_p, POINTER(c_uint8), c_size_t, c_size_t]
        self._c.edgeecho_contour.argtypes = [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]
        self._model, self._stream = c_void_p(), c_void_p()
        self._log = LogFunction((lambda _, level, text: log(level, text.decode())) if log else 0)
        error = ctypes.create_string_buffer(512)
        options = OpenOptions(
            threads=threads,
            log=ctypes.cast(self._log, c_void_p),
            error=ctypes.cast(error, c_void_p),
            error_size=len(error),
        )
        status = self._c.edgeecho_open(model.encode(), byref(options), byref(self._model))
        if status < 0:
            raise DeviceError(error.value.decode() or self._c.edgeecho_status_text(status).decode())
        self._size_px = self.describe()["size_px"]

    def _check(self, status: int) -> int:
        """Check the status of a call with the stream."""
        if status < 0:
            raise DeviceError(self._c.edgeecho_stream_error(self._stream).decode())
        return status

    def _check_model(self, status: int) -> int:
        """Check the status of a call with the model."""
        if status < 0:
            error = ctypes.create_string_buffer(512)
            self._c.edgeecho_model_error(self._model, error, c_size_t(len(error)))
            raise DeviceError(error.value.decode() or self._c.edgeecho_status_text(status).decode())
        return status

    def versions(self) -> dict[str, Any]:
        """Versions of the library, its interface, its engine and its build."""
        versions = Versions()
        self._check_model(self._c.edgeecho_get_versions(self._model, byref(versions)))
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in versions.values().items()}

    def describe(self) -> dict[str, Any]:
        """Description of the model: the fields of `edgeecho_info`."""
        info = Info()
        self._check_model(self._c.edgeecho_describe(self._model, byref(info)))
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in info.values().items()}

    def selftest(self) -> dict[str, Any] | None:
        """Run the self-test that travels with the model.

        Returns:
            The fields of `edgeecho_selftest_result`, and `proven`: whether this processor gives the answers that the
            device file states. None if the file has no self-test.
        """
        result = SelftestResult()
        status = self._c.edgeecho_selftest(self._model, byref(result))
        if status != E_SELFTEST and self._check_model(status) == MORE:
            return None
        return {"proven": status == OK, **result.values()}

    def start(self, width: int, height: int, *args: Any, memory_bytes: int = 0, **options: Any) -> None:
        """Make a stream, in place of the one before; options are those of `options_of`."""
        self._c.edgeecho_stream_destroy(self._stream)
        self._stream = c_void_p()
        given = options_of(width, height, *args, **options)
        given.memory_bytes = memory_bytes
        self._check_model(self._c.edgeecho_stream_create(self._model, byref(given), byref(self._stream)))

    def size_of(self, *args: Any, **options: Any) -> int:
        """Bytes that a stream with these options needs."""
        return int(self._c.edgeecho_stream_size(self._model, byref(options_of(*args, **options))))

    def push(
        self, frame: np.ndarray, roi: tuple[int, int, int, int] = (0, 0, 0, 0), time_s: float = 0
    ) -> Answer | None:
        """Take a frame, uint8 (H, W), rows of any stride; the answer to the frame `delay_frames` earlier, if any."""
        height, width = frame.shape
        region = dict(zip(("roi_x", "roi_y", "roi_width", "roi_height"), roi, strict=True))
        pixels = frame.ctypes.data_as(c_void_p)
        given = Frame(pixels=pixels, stride_bytes=frame.strides[0], width=width, height=height, time_s=time_s, **region)
        return self._answer() if self._check(self._c.edgeecho_push(self._stream, byref(given))) == OK else None

    def flush(self) -> Iterator[Answer]:
        """End the cine: the answers still due."""
        while self._check(self._c.edgeecho_flush(self._stream)) == OK:
            yield self._answer()

    def reset(self, *args: Any, **options: Any) -> None:
        """Forget everything, and go on with other options if there are some: those of `options_of`."""
        if args or options:
            self._check(self._c.edgeecho_reset_with(self._stream, byref(options_of(*args, **options))))
        else:
            self._check(self._c.edgeecho_reset(self._stream))

    def read(self) -> dict[str, Any]:
        """Figures and verdict of the newest answer; only times before the first."""
        result = Result()
        self._check(self._c.edgeecho_read(self._stream, byref(result)))
        return result.values()

    def codes(self, reasons: int) -> list[str]:
        """Codes of the reasons whose bits are set."""
        return [self._c.edgeecho_reason_code(bit).decode() for bit in range(64) if reasons >> bit & 1]

    def reason_text(self, reason: int) -> str:
        """General sentence of a reason."""
        text: str = self._c.edgeecho_reason_text(int(reason)).decode()
        return text

    def beats(self) -> list[dict[str, Any]]:
        """Every beat so far."""
        found: list[dict[str, Any]] = []
        beat = Beat()
        while self._check(self._c.edgeecho_beat_at(self._stream, len(found), byref(beat))) == OK:
            found.append(beat.values())
        return found

    def close(self) -> None:
        """End the stream and the model."""
        self._c.edgeecho_stream_destroy(self._stream)
        self._stream = c_void_p()
        self._check_model(self._c.edgeecho_close(self._model))
        self._model = c_void_p()

    def _answer(self) -> Answer:
        result = self.read()
        mask = np.empty((result["height"], result["width"]), np.uint8)
        prob = np.empty((self._size_px, self._size_px), np.uint8)
        for name, picture in (("mask", mask), ("probability", prob)):
            to = picture.ctypes.data_as(POINTER(c_uint8))
            self._check(getattr(self._c, f"edgeecho_{name}")(self._stream, to, picture.size, picture.shape[1]))
        return Answer(mask, prob, self._outline(), result)

    def _outline(self) -> np.ndarray:
        count = c_size_t()
        self._check(self._c.edgeecho_contour(self._stream, None, 0, byref(count)))
        points = np.empty((count.value, 2), np.int32)  # each is an edgeecho_point
        to = points.ctypes.data_as(c_void_p)
        self._check(self._c.edgeecho_contour(self._stream, to, count.value, byref(count)))
        return points


def options_of(
    width: int,
    height: int,
    fps: float = 0,
    spacing_mm: tuple[float, float] = (0, 0),
    *,
    search: int = 0,
    flip: int = 0,
) -> StreamOptions:
    """Options of a stream for frames of at most this size. `search` has bits of what is found in its first frames."""
    row, column = spacing_mm
    return StreamOptions(
        max_width=width, max_height=height, fps=fps, row_mm=row, column_mm=column, search=search, flip=flip
    )


def main() -> None:
    """Push a cine, uint8 (T, H, W), and print its areas and beats."""
    library, model, cine = sys.argv[1:]
    frames = np.load(cine)
    device = Device(library, model)
    device.start(frames.shape[2], frames.shape[1])
    answers = [a for a in map(device.push, frames) if a] + list(device.flush())
    sys.stdout.write(f"{[a.result['area_px'] for a in answers]}\n{device.beats()}\n")
    device.close()


if __name__ == "__main__":
    main()

"""The C library from Python, through ctypes; NumPy is all it needs.

    python examples/python/edgeecho_ctypes.py libedgeecho.so stream.int8.edgeecho cine.npy

cine.npy contains grey frames, uint8 (T, H, W). `docs/device.md` describes how to build the library. Classes are the
structs of `edgeecho.h`, and methods its functions.
"""

import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p, sizeof
from typing import Any, NamedTuple

import numpy as np

OK, MORE, E_SELFTEST = 0, 1, -11
SEARCH_REGION, SEARCH_ORIENTATION = 1, 2
VERDICTS = ("report", "review", "withhold")


class _Struct(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **values: Any) -> None:
        super().__init__(struct_size=sizeof(self), **values)

    def values(self) -> dict[str, Any]:
        """Every field but the size; None for NAN."""
        fields = {name: getattr(self, name) for name, *_ in self._fields_[1:]}
        return {name: None if value != value else value for name, value in fields.items()}


class OpenOptions(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_uint32),
        ("onnxruntime_api", c_void_p),
        ("onnxruntime_path", c_char_p),
    ]


class Info(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *(
            (name, c_char_p)
            for name in ("name", "licence", "intended_use", "revision", "precision", "engine", "sha256")
        ),
        *((name, c_uint64) for name in ("parameters", "state_bytes")),
        *((name, c_uint32) for name in ("size_px", "frames_before", "delay_frames", "threshold")),
    ]


class StreamOptions(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("max_width", c_uint32),
        ("max_height", c_uint32),
        ("fps", c_double),
        ("row_mm", c_double),
        ("column_mm", c_double),
        ("search", c_uint32),
        ("flip", c_uint32),
    ]


class Frame(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("pixels", c_void_p),
        ("stride_bytes", c_size_t),
        ("width", c_uint32),
        ("height", c_uint32),
        ("roi_x", c_int32),
        ("roi_y", c_int32),
        ("roi_width", c_uint32),
        ("roi_height", c_uint32),
    ]


class Result(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("frame", c_uint64),
        *((name, c_double) for name in ("area_px", "area_mm2", "ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm")),
        *((name, c_uint32) for name in ("beats", "beats_completed", "width", "height")),
        *((name, c_uint64) for name in ("push_ns", "engine_ns")),
        *((name, c_double) for name in ("confidence", "withheld_ef_percent", "withheld_edv_ml", "withheld_esv_ml")),
        *((name, c_uint64) for name in ("reasons", "notes")),
        *((name, c_uint32) for name in ("verdict", "view_fixed", "flip", "inverted")),
        *((name, c_int32) for name in ("roi_x", "roi_y")),
        *((name, c_uint32) for name in ("roi_width", "roi_height")),
    ]


class Beat(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *((name, c_uint64) for name in ("ed_frame", "es_frame")),
        *((name, c_double) for name in ("ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm")),
        ("reasons", c_uint64),
        ("is_used", c_uint32),
    ]


class SelftestResult(_Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *(
            (name, c_uint32)
            for name in ("frames", "frames_different", "first_different", "max_levels", "levels", "area_difference_px")
        ),
        ("elapsed_ns", c_uint64),
    ]


class Answer(NamedTuple):
    """Result of one frame."""

    mask: np.ndarray
    """Pixels of the cavity, uint8 {0, 1} (H, W)."""
    result: dict[str, Any]


class DeviceError(Exception):
    """Error of a call with a negative status."""


class Device:
    """One model and one stream of the C library."""

    def __init__(self, library: str, model: str, *, threads: int = 0) -> None:
        self._c = ctypes.CDLL(library)
        for name in ("edgeecho_status_text", "edgeecho_reason_code", "edgeecho_reason_text"):
            getattr(self._c, name).restype = c_char_p
        self._c.edgeecho_mask.argtypes = [c_void_p, POINTER(c_uint8), c_size_t, c_size_t]
        self._model, self._stream = c_void_p(), c_void_p()
        options = OpenOptions(threads=threads)
        self._check(self._c.edgeecho_open(model.encode(), byref(options), byref(self._model)))

    def _check(self, status: int) -> int:
        if status < 0:
            raise DeviceError(self._c.edgeecho_status_text(status).decode())
        return status

    def describe(self) -> dict[str, Any]:
        """What the model is."""
        info = Info()
        self._check(self._c.edgeecho_describe(self._model, byref(info)))
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in info.values().items()}

    def selftest(self) -> dict[str, Any] | None:
        """Run the self-test that travels with the model.

        Returns:
            The fields of `edgeecho_selftest_result`, and `proven`: whether this processor gives the answers that the
            device file states. None if the file has no self-test.
        """
        result = SelftestResult()
        status = self._c.edgeecho_selftest(self._model, byref(result))
        if status != E_SELFTEST and self._check(status) == MORE:
            return None
        return {"proven": status == OK, **result.values()}

    def start(
        self,
        width: int,
        height: int,
        fps: float = 0,
        spacing_mm: tuple[float, float] = (0, 0),
        *,
        search: int = 0,
        flip: int = 0,
    ) -> None:
        """Make a stream, in place of the one before. `search` has bits of what is found in its first frames."""
        self._c.edgeecho_stream_destroy(self._stream)
        self._stream = c_void_p()
        row, column = spacing_mm
        options = StreamOptions(
            max_width=width, max_height=height, fps=fps, row_mm=row, column_mm=column, search=search, flip=flip
        )
        self._check(self._c.edgeecho_stream_create(self._model, byref(options), byref(self._stream)))

    def push(self, frame: np.ndarray, roi: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Answer | None:
        """Take a frame, uint8 (H, W), rows of any stride; the answer to the frame `delay_frames` earlier, if any."""
        height, width = frame.shape
        region = dict(zip(("roi_x", "roi_y", "roi_width", "roi_height"), roi, strict=True))
        pixels = frame.ctypes.data_as(c_void_p)
        given = Frame(pixels=pixels, stride_bytes=frame.strides[0], width=width, height=height, **region)
        return self._answer() if self._check(self._c.edgeecho_push(self._stream, byref(given))) == OK else None

    def flush(self) -> Iterator[Answer]:
        """End the cine: the answers still due."""
        while self._check(self._c.edgeecho_flush(self._stream)) == OK:
            yield self._answer()

    def reset(self) -> None:
        """Forget everything."""
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
        self._check(self._c.edgeecho_close(self._model))
        self._model = c_void_p()

    def _answer(self) -> Answer:
        result = self.read()
        mask = np.empty((result["height"], result["width"]), np.uint8)
        self._check(
            self._c.edgeecho_mask(self._stream, mask.ctypes.data_as(POINTER(c_uint8)), mask.size, mask.shape[1])
        )
        return Answer(mask, result)


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

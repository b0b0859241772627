"""The structs of `edgeecho.h` for ctypes, field by field."""

import ctypes
from ctypes import c_char_p, c_double, c_int32, c_size_t, c_uint32, c_uint64, c_void_p, sizeof
from typing import Any


class Struct(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **values: Any) -> None:
        super().__init__(struct_size=sizeof(self), **values)

    def values(self) -> dict[str, Any]:
        """Every field but the size; None for NAN."""
        fields = {name: getattr(self, name) for name, *_ in self._fields_[1:]}
        return {name: None if value != value else value for name, value in fields.items()}


class OpenOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_uint32),
        ("onnxruntime_api", c_void_p),
        ("onnxruntime_path", c_char_p),
        *((name, c_void_p) for name in ("log", "log_context", "error")),
        ("error_size", c_size_t),
    ]


class Info(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *(
            (name, c_char_p)
            for name in ("name", "licence", "intended_use", "revision", "precision", "engine", "sha256")
        ),
        *((name, c_uint64) for name in ("parameters", "state_bytes")),
        *((name, c_uint32) for name in ("size_px", "frames_before", "delay_frames", "threshold")),
    ]


class StreamOptions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        ("max_width", c_uint32),
        ("max_height", c_uint32),
        ("fps", c_double),
        ("row_mm", c_double),
        ("column_mm", c_double),
        ("search", c_uint32),
        ("flip", c_uint32),
        ("memory_bytes", c_size_t),
    ]


class Frame(Struct):
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
        ("time_s", c_double),
    ]


class Result(Struct):
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
        ("frame_reasons", c_uint64),
        ("time_s", c_double),
        ("frames_dropped", c_uint64),
        ("no_beat_reason", c_uint32),
    ]


class Beat(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *((name, c_uint64) for name in ("ed_frame", "es_frame")),
        *((name, c_double) for name in ("ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm")),
        ("reasons", c_uint64),
        ("is_used", c_uint32),
        *((name, c_double) for name in ("ed_time_s", "es_time_s")),
    ]


class SelftestResult(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *(
            (name, c_uint32)
            for name in ("frames", "frames_different", "first_different", "max_levels", "levels", "area_difference_px")
        ),
        ("elapsed_ns", c_uint64),
    ]


class Versions(Struct):
    _fields_ = [
        ("struct_size", c_size_t),
        *((name, c_char_p) for name in ("library", "engine", "build")),
        *((name, c_uint32) for name in ("api", "device_file_version")),
    ]


LogFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
"""Function that takes messages: context, level and text."""

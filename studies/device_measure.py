"""Does the measurement in C give the same results as the one in Python, on drawn curves and masks?

    python -m studies.device_measure [--curves N] [--masks N] [--seed N]

The study needs a C compiler (`cc`), and no document has its figures: `tests/device/test_measure.py` runs it on fewer
curves. A curve has beats of any rate, noise, random walks, steps, gaps, glitches or plateaus, and a frame rate and a
spacing that are known or not. Its masks are ellipses of about its areas. C must find the same number of beats at every
frame and the same frames of ED and ES, and its figures may differ by rounding only. A mask is a ventricle, a blob,
noise or a comb; C must measure the same volume.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure import BeatMeter, Measurement, discs_of
from studies.measure_inputs import ellipses, random_curve, random_mask

SOURCES = Path(os.environ.get("EDGEECHO_MEASURE_SOURCES") or Path(__file__).parents[1] / "device" / "src" / "measure")
"""Folder of the sources in C; the variable names another, as mutation tests do."""
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
FRAME_RATES = (None, 5.0, 12.5, 20.0, 24.0, 30.0, 50.0, 59.94, 90.0, 120.0, 200.0)
SPACINGS = (None, (1.0, 1.0), (0.31, 0.31), (0.25, 0.4))


class _Beat(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("ed_frame", "es_frame")),
        *((name, ctypes.c_double) for name in ("edv_ml", "esv_ml", "sv_ml", "ef_percent", "heart_rate_bpm")),
        *((name, ctypes.c_uint64) for name in ("reasons", "severe")),
        *((name, ctypes.c_double) for name in ("ed_time_s", "es_time_s")),
    )


class _Summary(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("frames", "beats")),
        *((name, ctypes.c_double) for name in ("ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm")),
        ("reason", ctypes.c_int),
    )


def has_compiler() -> bool:
    return shutil.which("cc") is not None


def compile_c(output: Path, sources: Sequence[Path] = (), flags: Sequence[str] = ()) -> Path:
    """Compile the measurement, and what else is given, with the system's compiler."""
    command = ["cc", *FLAGS, *flags, f"-I{SOURCES}", *map(str, sorted(SOURCES.glob("*.c"))), *map(str, sources)]
    subprocess.run([*command, "-o", str(output), "-lm"], check=True)
    return output


def load(folder: Path) -> ctypes.CDLL:
    """Compile the measurement into a shared library, and open the library."""
    library = ctypes.CDLL(str(compile_c(folder / "measure.so", flags=("-shared", "-fPIC"))))
    library.ee_beat_meter_size.argtypes = [ctypes.c_uint32, ctypes.c_uint32, ctypes.c_double]
    library.ee_beat_meter_size.restype = ctypes.c_size_t
    library.ee_beat_meter_init.argtypes = [
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32, *[ctypes.c_double] * 3
    ]  # fmt: skip
    library.ee_beat_meter_init.restype = ctypes.c_void_p
    library.ee_beat_meter_push.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double]
    library.ee_beat_meter_volume.restype = ctypes.c_double
    library.ee_beat_meter_beats.restype = ctypes.c_uint64
    for name in ("reset", "finish", "volume", "beats"):
        getattr(library, f"ee_beat_meter_{name}").argtypes = [ctypes.c_void_p]
    library.ee_beat_meter_beat.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(_Beat)]
    library.ee_beat_meter_beat.restype = ctypes.c_bool
    library.ee_beat_meter_summary.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Summary)]
    library.ee_beat_meter_summary.restype = None
    return library


class CMeter:
    """The beat meter in C, with the interface of `BeatMeter`."""

    def __init__(
        self, library: ctypes.CDLL, shape: tuple[int, int], fps: float | None, spacing_mm: tuple[float, float] | None
    ) -> None:
        self.library, self.shape = library, shape
        self.size = library.ee_beat_meter_size(shape[1], shape[0], fps or 0)
        self._memory = np.full(self.size // 8 + 1, 0x5A5A5A5A5A5A5A5A, np.uint64)  # it must not rely on zeros
        self.at = library.ee_beat_meter_init(
            self._memory.ctypes.data, self.size, shape[1], shape[0], fps or 0, *(spacing_mm or (0, 0))
        )
        assert self.at, "refused"

    def push(self, mask: np.ndarray, area_px: float) -> int:
        mask = np.ascontiguousarray(mask, np.uint8)
        assert mask.shape == self.shape
        return int(self.library.ee_beat_meter_push(self.at, mask.ctypes.data, area_px))

    def finish(self) -> int:
        return int(self.library.ee_beat_meter_finish(self.at))

    def reset(self) -> None:
        self.library.ee_beat_meter_reset(self.at)

    @property
    def volume(self) -> float:
        return float(self.library.ee_beat_meter_volume(self.at))

    @property
    def beats(self) -> list[dict[str, float]]:
        """Beats that the meter keeps; NaN where Python has None."""
        count, beat, found = self.library.ee_beat_meter_beats(self.at), _Beat(), []
        for i in range(count):
            if self.library.ee_beat_meter_beat(self.at, i, ctypes.byref(beat)):
                found.append({name: getattr(beat, name) for name, *_ in _Beat._fields_})
        return found

    @property
    def summary(self) -> dict[str, float]:
        summary = _Summary()
        self.library.ee_beat_meter_summary(self.at, ctypes.byref(summary))
        return {name: getattr(summary, name) for name, *_ in _Summary._fields_}


def volume_of(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> float:
    """Measure the volume in Python; NaN if there is none, as in C."""
    try:
        return discs_of(mask, spacing_mm).volume() / (1000 if spacing_mm else 1)
    except MeasurementError:
        return float("nan")


def differences(
    meter: CMeter, masks: np.ndarray, areas: np.ndarray, fps: float | None, spacing: tuple[float, float] | None
) -> list[str]:
    """List the differences of C from Python on one cine; `meter` is new or reset."""
    python, said = BeatMeter(fps, spacing), []
    for frame, (mask, area) in enumerate(zip(masks, areas, strict=True)):
        counts = meter.push(mask, float(area)), len(python.push(mask, float(area)))
        if counts[0] != counts[1]:
            said.append(f"frame {frame} completes {counts[0]} beats, not {counts[1]}")
    before = len(python.beats)
    whole = python.finish()
    if (count := meter.finish()) != len(python.beats) - before:
        said.append(f"the end completes {count} beats, not {len(python.beats) - before}")
    reason, expected = int(meter.summary["reason"]), python.no_beat and python.no_beat.reason
    if reason != (expected or 0):
        said.append(f"the reason for no beat is {reason}, not {expected}")
    return said + _differences(meter, whole)


def _differences(meter: CMeter, whole: Measurement) -> list[str]:
    pairs = [
        (meter.summary, whole, "median"),
        *zip(meter.beats, whole.beats, ["beat"] * len(whole.beats), strict=False),
    ]
    said = [
        f"{what}: {name} is {value}, not {getattr(other, name)}"
        for mine, other, what in pairs
        for name, value in mine.items()
        if hasattr(other, name) and name != "beats" and not _same(value, getattr(other, name))
    ]
    return said


def _same(c: float, python: float | None) -> bool:
    expected = float("nan") if python is None else python
    return bool(np.isclose(c, expected, rtol=1e-9, atol=1e-7, equal_nan=True))


def compare_curves(library: ctypes.CDLL, seeds: Sequence[Sequence[int]]) -> tuple[int, list[str]]:
    """Draw curves from seeds, and return the number of beats and all differences."""
    drawn, beats, found = ellipses(), 0, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        fps = FRAME_RATES[int(rng.integers(len(FRAME_RATES)))]
        spacing = SPACINGS[int(rng.integers(len(SPACINGS)))]
        area = random_curve(rng)
        level = np.nan_to_num(area)
        rank = np.clip((level - level.min()) / max(float(np.ptp(level)), 1), 0, 1)
        masks = drawn[(rank * (len(drawn) - 1)).astype(int)]
        meter = CMeter(library, drawn.shape[1:], fps, spacing)
        found += [f"{tuple(seed)}: {text}" for text in differences(meter, masks, area, fps, spacing)]
        beats += len(meter.beats)
    return beats, found


def compare_masks(library: ctypes.CDLL, seeds: Sequence[Sequence[int]]) -> tuple[int, list[str]]:
    """Draw masks from seeds, and return the number of volumes and all differences."""
    measured, found = 0, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        mask, spacing = random_mask(rng), SPACINGS[int(rng.integers(len(SPACINGS)))]
        meter = CMeter(library, mask.shape, None, spacing)
        meter.push(mask, 1.0)
        expected = volume_of(mask, spacing)
        measured += not np.isnan(expected)
        if not _same(meter.volume, expected):
            found.append(f"{tuple(seed)}: volume is {meter.volume}, not {expected}")
    return measured, found


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--curves", type=int, default=2000)
    parser.add_argument("--masks", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        library = load(Path(folder))
        beats, of_curves = compare_curves(library, [(options.seed, n) for n in range(options.curves)])
        volumes, of_masks = compare_masks(library, [(options.seed, n) for n in range(options.masks)])
    lines = [
        *of_curves[:20],
        *of_masks[:20],
        f"{options.curves} curves, {beats} beats: {len(of_curves)} differences",
        f"{options.masks} masks, {volumes} volumes: {len(of_masks)} differences",
        f"{time.perf_counter() - started:.0f} s",
    ]
    print("\n".join(lines))
    raise SystemExit(bool(of_curves or of_masks))


if __name__ == "__main__":
    main()

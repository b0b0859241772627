"""Whether the measurement in C says what Python says, on drawn curves and masks; and what a push costs.

    python -m studies.device_measure [--curves N] [--masks N] [--seed N]

Needs a C compiler (`cc`). A curve is one of many kinds, good and bad: beats of any rate, noise, walks, steps, gaps,
glitches, plateaus; each with a frame rate and spacing, known or not. Its masks are ellipses, the larger the area the
larger. C must say the same number of beats at every frame, ED and ES must be the same frames, and figures must differ
by no more than rounding. A mask is a ventricle, a blob, noise or a comb; C must give its volume.
"""

import argparse
import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure import BeatMeter, Measurement, discs_of
from edgeecho.synthetic.rhythm import relative_volume

SOURCES = Path(__file__).parents[1] / "device" / "src" / "measure"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
FRAME_RATES = (None, 5.0, 12.5, 20.0, 24.0, 30.0, 50.0, 59.94, 90.0, 120.0, 200.0)
SPACINGS = (None, (1.0, 1.0), (0.31, 0.31), (0.25, 0.4))


class _Beat(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("ed_frame", "es_frame")),
        *((name, ctypes.c_double) for name in ("edv_ml", "esv_ml", "sv_ml", "ef_percent", "heart_rate_bpm")),
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
    """Compile it into a shared library and open that."""
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
    """`BeatMeter` in C."""

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
        """Those that are kept; NaN where Python has None."""
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


def ellipses(count: int = 48, shape: tuple[int, int] = (40, 36)) -> np.ndarray:
    """Masks of rising volume, uint8 (count, H, W)."""
    y, x = np.indices(shape)
    size = np.linspace(0.5, 1, count)[:, None, None]
    inside = ((y - 0.9 * shape[0]) / (0.8 * shape[0] * size**0.5)) ** 2 + ((x - 17.3) / (12 * size)) ** 2 < 1
    return (inside & (y < 0.9 * shape[0])).astype(np.uint8)


def random_curve(rng: np.random.Generator) -> np.ndarray:
    """Areas of any kind, float64 (T,)."""
    period = float(np.exp(rng.uniform(np.log(4), np.log(250))))
    # of the many things that can happen most do at the ends
    frames = int(rng.integers(1, 700) if rng.random() < 0.4 else np.clip(rng.uniform(0.3, 3.5) * period, 1, 400))
    t = np.arange(frames)
    phase = np.cumsum(1 / (period * (1 + rng.choice([0, 0.05, 0.5]) * rng.uniform(-1, 1, frames)))) + rng.random()
    kind = rng.integers(8)
    if kind < 4:
        curve = relative_volume(phase % 1, rng.uniform(0.25, 0.45), rng.uniform(0.15, 0.3), rng.uniform(0, 0.3))
    elif kind == 4:
        curve = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    elif kind == 5:
        curve = np.cumsum(rng.normal(size=frames)) / 10
    elif kind == 6:
        curve = (phase % 1 < rng.uniform(0.2, 0.8)) * 1.0
    else:
        curve = np.abs((phase % 1) * 2 - 1)
    beating: np.ndarray = 1 + rng.choice([0.02, 0.1, 0.4, 1.0]) * np.asarray(curve, float)
    beating += rng.choice([0, 0, 0.01, 0.05, 0.2]) * rng.normal(size=frames) + rng.choice([0, 0, 0.3]) * t / frames
    area: np.ndarray = np.maximum(beating, 0.01) * np.exp(rng.uniform(np.log(20), np.log(60_000)))
    if rng.random() < 0.8:
        area = np.round(area)  # as pixels are; small areas give many equal heights
    if rng.random() < 0.3:
        area[int(rng.integers(frames)) :] *= rng.uniform(0.5, 2)
    for _ in range(int(rng.choice([0, 0, 1, 4, 12]))):
        at, long = int(rng.integers(frames)), int(rng.choice([1, 1, 3, 10, 60]))
        area[at : at + long] = rng.choice([0, 0, np.nan, 5, 1e5])
    return area


def random_mask(rng: np.random.Generator) -> np.ndarray:
    """A mask of any kind, uint8 {0, 1} (H, W)."""
    height, width = (int(n) for n in rng.integers(1, 120, 2))
    y, x = np.indices((height, width))
    kind = rng.integers(6)
    if kind < 3:
        angle, (cy, cx) = rng.uniform(0, np.pi), rng.uniform(0.2, 0.8, 2) * (height, width)
        u, v = (y - cy) * np.cos(angle) + (x - cx) * np.sin(angle), (x - cx) * np.cos(angle) - (y - cy) * np.sin(angle)
        a, b = rng.uniform(3, 60), rng.uniform(3, 40)
        mask = ((u / a) ** 2 + (v / b) ** 2 < 1) & (v < rng.uniform(0, b))
        if kind == 2:
            mask ^= rng.random(mask.shape) < rng.choice([0.01, 0.1, 0.3])
    elif kind == 3:
        mask = rng.random((height, width)) < rng.uniform(0.3, 1)
    elif kind == 4:
        mask = (y % int(rng.integers(2, 5)) == 0) | (x == int(rng.integers(width)))
    else:  # symmetric: full of equals
        down, across = np.abs(y - height // 2), np.abs(x - width // 2)
        mask = (down < height // 3) & (across <= width // int(rng.integers(3, 9)))
        if rng.random() < 0.5:
            mask = (down + across < min(height, width) // 2) & ((y < height // 2) | (rng.random() < 0.5))
    return np.asarray(mask, np.uint8)


def volume_of(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> float:
    """As C says it: NaN where there is none."""
    try:
        return discs_of(mask, spacing_mm).volume() / (1000 if spacing_mm else 1)
    except MeasurementError:
        return float("nan")


def differences(
    meter: CMeter, masks: np.ndarray, areas: np.ndarray, fps: float | None, spacing: tuple[float, float] | None
) -> list[str]:
    """What C says otherwise than Python on one cine; `meter` is new or reset."""
    python, said = BeatMeter(fps, spacing), []
    for frame, (mask, area) in enumerate(zip(masks, areas, strict=True)):
        counts = meter.push(mask, float(area)), len(python.push(mask, float(area)))
        if counts[0] != counts[1]:
            said.append(f"frame {frame} completes {counts[0]} beats, not {counts[1]}")
    before = len(python.beats)
    whole = python.finish()
    if (count := meter.finish()) != len(python.beats) - before:
        said.append(f"the end completes {count} beats, not {len(python.beats) - before}")
    reason, expected = int(meter.summary["reason"]), python.reason
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


def judge_curves(library: ctypes.CDLL, seeds: Sequence[Sequence[int]]) -> tuple[int, list[str]]:
    """Beats of curves drawn from seeds, and what differs."""
    drawn, beats, said = ellipses(), 0, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        fps = FRAME_RATES[int(rng.integers(len(FRAME_RATES)))]
        spacing = SPACINGS[int(rng.integers(len(SPACINGS)))]
        area = random_curve(rng)
        level = np.nan_to_num(area)
        rank = np.clip((level - level.min()) / max(float(np.ptp(level)), 1), 0, 1)
        masks = drawn[(rank * (len(drawn) - 1)).astype(int)]
        meter = CMeter(library, drawn.shape[1:], fps, spacing)
        said += [f"{tuple(seed)}: {text}" for text in differences(meter, masks, area, fps, spacing)]
        beats += len(meter.beats)
    return beats, said


def judge_masks(library: ctypes.CDLL, seeds: Sequence[Sequence[int]]) -> tuple[int, list[str]]:
    """Masks with a volume of those drawn from seeds, and what differs."""
    measured, said = 0, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        mask, spacing = random_mask(rng), SPACINGS[int(rng.integers(len(SPACINGS)))]
        meter = CMeter(library, mask.shape, None, spacing)
        meter.push(mask, 1.0)
        expected = volume_of(mask, spacing)
        measured += not np.isnan(expected)
        if not _same(meter.volume, expected):
            said.append(f"{tuple(seed)}: volume is {meter.volume}, not {expected}")
    return measured, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--curves", type=int, default=2000)
    parser.add_argument("--masks", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        library = load(Path(folder))
        beats, of_curves = judge_curves(library, [(options.seed, n) for n in range(options.curves)])
        volumes, of_masks = judge_masks(library, [(options.seed, n) for n in range(options.masks)])
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

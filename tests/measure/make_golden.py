"""Choose curves and masks that pin every threshold of the measurement, and write them with their results.

    python -m tests.measure.make_golden [--candidates 400]

Writes `tests/measure/golden.npz`. Random curves and masks are drawn (`studies.measure_inputs`), and of them those are
kept whose result changes when a threshold of `edgeecho/measure/constants.py` changes by a fifth, or by one where it is
a whole number. The thresholds that no candidate pins are printed. Run it when the measurement is changed on purpose.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure import constants, discs_of, find_cycle
from studies.device_measure import FRAME_RATES, SPACINGS
from studies.measure_inputs import random_curve, random_mask

PATH = Path(__file__).with_name("golden.npz")
MAX_FRAMES = 400
CURVE, MASK = "curve", "mask"


def result_of_curve(area: np.ndarray, fps: float) -> np.ndarray:
    """Measure a curve: frames of every ED, ES and beat, and the reason if there is none, float64 (n,)."""
    cycle = find_cycle(area, fps or None)
    beats = [
        (beat.ed_frame, beat.es_frame, beat.next_ed_frame or -1, beat.interval_frames or -1) for beat in cycle.beats
    ]
    parts = [np.ravel(beats), cycle.ed_frames, cycle.es_frames, [len(cycle.reason or "")]]
    return np.concatenate([np.asarray(part, float) for part in parts])


def result_of_mask(mask: np.ndarray, row_mm: float, column_mm: float) -> np.ndarray:
    """Measure a mask: its volume, length, area and diameters, float64 (n,); empty if it has no axis."""
    try:
        found = discs_of(mask, (row_mm, column_mm) if row_mm else None)
    except MeasurementError:
        return np.empty(0)
    return np.array([found.volume(), found.length, found.area, *found.diameters])


Candidate = tuple[str, np.ndarray, tuple[float, ...]]


def candidates(count: int) -> Iterator[Candidate]:
    """Draw curves with a frame rate each, 0 if unknown, and masks with a spacing each, 0 if unknown."""
    for seed in range(count):
        rng = np.random.default_rng((21, seed))
        area, fps = random_curve(rng), FRAME_RATES[seed % len(FRAME_RATES)]
        if len(area) <= MAX_FRAMES:
            yield CURVE, area, (fps or 0.0,)
    for seed in range(count):
        spacing = SPACINGS[seed % len(SPACINGS)] or (0.0, 0.0)
        yield MASK, random_mask(np.random.default_rng((22, seed))), spacing


def measure(candidate: Candidate) -> np.ndarray:
    """Return the result of a candidate."""
    kind, values, settings = candidate
    with np.errstate(all="ignore"):
        measured: Callable[..., np.ndarray] = result_of_curve if kind == CURVE else result_of_mask
        try:
            return measured(values, *settings)
        except Exception as error:  # a threshold that was changed may make a result impossible
            return np.array([float(len(str(type(error))))])


def thresholds() -> dict[str, float]:
    """Return the thresholds of the measurement, by name."""
    return {name: value for name, value in vars(constants).items() if isinstance(value, int | float) and name.isupper()}


def changes(value: float) -> tuple[float, float]:
    """Return a threshold changed either way, as the mutation tests change it."""
    return (value + 1, value - 1) if isinstance(value, int) else (value * 1.25, value * 0.8)


@contextmanager
def changed(name: str, value: float) -> Iterator[None]:
    """Change a threshold in every module that has it."""
    modules: list[Any] = [
        m for key, m in sys.modules.items() if key.startswith("edgeecho.measure") and hasattr(m, name)
    ]
    before = getattr(constants, name)
    for module in modules:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module in modules:
            setattr(module, name, before)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two results are the same but for the last digits."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-9))


def choose(count: int) -> list[Candidate]:
    """Return the candidates that pin thresholds."""
    drawn = list(candidates(count))
    results = [measure(candidate) for candidate in drawn]
    chosen: list[int] = []
    for name, value in thresholds().items():
        for other in changes(value):
            with changed(name, other):
                order = [*chosen, *(k for k in range(len(drawn)) if k not in chosen)]
                found = next((k for k in order if not same(measure(drawn[k]), results[k])), None)
            if found is None:
                sys.stdout.write(f"no candidate pins {name}: {value} -> {other:g}\n")
            elif found not in chosen:
                chosen.append(found)
    return [drawn[k] for k in sorted(chosen)]


def main() -> None:
    """Choose, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--candidates", type=int, default=400)
    chosen = choose(parser.parse_args().candidates)
    stored: dict[str, Any] = {}
    for at, candidate in enumerate(chosen):
        kind, values, settings = candidate
        stored |= {f"{kind}-{at}": values, f"settings-{at}": np.array(settings), f"result-{at}": measure(candidate)}
    np.savez_compressed(PATH, **stored)
    kinds = [kind for kind, *_ in chosen]
    sys.stdout.write(f"{kinds.count(CURVE)} curves, {kinds.count(MASK)} masks, {PATH.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()

"""How well are beats, ED, ES and EF measured on drawn cines with known volumes? The figures are in docs/evaluation.md.

    python -m studies.measure_sweep [--cases N] [--seed N] [--noise PART] [--af] [--size PX]
        [--json FILE]

A case is a half-ellipsoid that beats 40 to 150 times a minute at 20 to 120 fps, drawn frame by frame. Random are its
first phase, EF, tilt, size and the shape of a beat (length of systole, diastasis, atrial kick); a beat lasts 95 to 105%
of the mean. With `--af`, as in atrial fibrillation, it lasts 50 to 150%, without kick, and the filling of a short beat
is not complete.

A beat is *true* if its ED, its ES and the whole fall from one to the other lie in the cine, and *found* if the ES of a
measured beat is nearer to it than to any other true beat. ED and ES are the frames of the largest and smallest drawn
volume. Where other frames of the same beat are within 1% of the stroke volume of it (the plateau of a slow heart at a
high frame rate, where areas differ by less than a pixel), the nearest of them counts; the strict figure is given too. A
*false* beat is a measured one that belongs to no true beat. EF is compared with that of the drawn volumes, beat by
beat.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgeecho.measure import BeatTracker, find_cycle, measure
from edgeecho.synthetic.rhythm import relative_volume, rise

HEART_RATES = (40.0, 50.0, 60.0, 75.0, 90.0, 110.0, 130.0, 150.0)
FRAME_RATES = (20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 120.0)
PLATEAU = 0.01
"""Part of the stroke volume by which the volume of a frame may differ from the extreme and count as equal."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawn cine with its true volume."""

    mask: np.ndarray
    """Masks, uint8 {0, 1}, (T, H, W)."""
    volume: np.ndarray
    """Volume in any unit, (T,)."""
    beat: np.ndarray
    """Index of the beat of each frame, from R wave to R wave, (T,)."""
    fps: float


@dataclass(kw_only=True)
class Figures:
    """Counts over cases."""

    cases: int = 0
    beats: int = 0
    found: int = 0
    false: int = 0
    ed_within_1: int = 0
    es_within_1: int = 0
    ed_within_1_strict: int = 0
    es_within_1_strict: int = 0
    ef_within_1: int = 0
    ef_max_error: float = 0.0
    cine_ef_within_1: int = 0
    cine_ef_max_error: float = 0.0
    online_differs: int = 0


def draw(rng: np.random.Generator, fps: float, bpm: float, *, af: bool = False, size_px: int = 112) -> Drawn:
    """Draw a beating half-ellipsoid, apex up, for 5 s."""
    frames = round(5 * fps)
    lengths = 60 / bpm * (1 + (0.5 if af else 0.05) * rng.uniform(-1, 1, 40))
    starts = np.concatenate([[0], np.cumsum(lengths)]) - rng.uniform(0, lengths[0])
    time_s = np.arange(frames) / fps
    beat = np.searchsorted(starts, time_s, side="right") - 1
    phase = (time_s - starts[beat]) / lengths[beat]
    systole, filling, kick, ef = (rng.uniform(*r) for r in ((0.28, 0.4), (0.18, 0.25), (0.1, 0.3), (0.2, 0.75)))
    if af:
        full = af_volume(time_s - starts[beat], beat, lengths, systole * 60 / bpm, filling * 60 / bpm)
    else:
        full = relative_volume(phase, systole, filling, kick)
    volume = 1 - ef * (1 - full)
    # length takes a quarter of the change (on a log scale), the two widths the rest
    half_length, half_width = rng.uniform(0.62, 0.72) * size_px * volume**0.25, rng.uniform(0.17, 0.2) * size_px
    widths = half_width * volume**0.375
    tilt = np.radians(rng.uniform(-15, 15))
    y, x = np.indices((size_px, size_px)) + 0.5
    y, x = y - 0.85 * size_px, x - size_px * (0.5 + rng.uniform(-0.05, 0.05))
    u, v = y * np.cos(tilt) + x * np.sin(tilt), x * np.cos(tilt) - y * np.sin(tilt)
    inside = (u / half_length[:, None, None]) ** 2 + (v / widths[:, None, None]) ** 2 <= 1
    return Drawn(mask=(inside & (u <= 0)).astype(np.uint8), volume=volume, beat=beat, fps=fps)


def af_volume(since_r: np.ndarray, beat: np.ndarray, lengths: np.ndarray, systole: float, filling: float) -> np.ndarray:
    """Compute the volume of a heart whose next contraction may begin before filling ends; times in seconds."""
    at_ed = np.concatenate([[1.0], rise(lengths - systole, filling)])
    # the stroke volume of a beat grows with its filling
    at_es = 0.4 * (1 - at_ed)
    volume = at_ed[beat] + (at_es - at_ed)[beat] * rise(since_r, systole)
    return np.asarray(volume + (1 - at_es[beat]) * rise(since_r - systole, filling))


def true_beats(drawn: Drawn) -> list[tuple[int, int]]:
    """Return ED and ES of the whole beats, whose fall lies inside the cine with frames on both sides."""
    pairs = []
    for number in range(int(drawn.beat[0]) + 1, int(drawn.beat[-1]) + 1):
        start = int(np.argmax(drawn.beat == number))
        ed = max(range(max(0, start - 2), min(start + 2, len(drawn.beat))), key=lambda t: float(drawn.volume[t]))
        own = np.flatnonzero(drawn.beat == number)
        es = int(own[np.argmin(drawn.volume[own])])
        stroke = drawn.volume[ed] - drawn.volume[es]
        if es > ed and drawn.volume[es:].max() - drawn.volume[es] >= 0.2 * stroke:
            pairs.append((ed, es))
    return pairs


def frame_error(drawn: Drawn, frame: int, truth: int, stroke: float) -> tuple[int, int]:
    """Return the distance in frames from the truth, and from the nearest frame on its plateau."""
    low = high = truth
    near = np.abs(drawn.volume - drawn.volume[truth]) <= PLATEAU * stroke
    while low > 0 and near[low - 1]:
        low -= 1
    while high + 1 < len(near) and near[high + 1]:
        high += 1
    return abs(frame - truth), max(0, low - frame, frame - high)


def add_cine(drawn: Drawn, figures: Figures, rng: np.random.Generator, noise: float) -> None:
    """Measure one cine and add it to the figures."""
    area = drawn.mask.sum(axis=(1, 2)).astype(np.float64)
    area = np.maximum(area + noise * np.ptp(area) * rng.normal(size=len(area)), 1)
    result = measure(drawn.mask, area, drawn.fps, (1.0, 1.0))
    figures.cases += 1
    figures.online_differs += not online_equals_whole(area, drawn.fps)
    truths = true_beats(drawn)
    figures.beats += len(truths)
    spare, true_efs = list(result.beats), []
    for ed, es in truths:
        stroke = float(drawn.volume[ed] - drawn.volume[es])
        true_efs.append(100 * stroke / float(drawn.volume[ed]))
        own = [beat for beat in spare if ed < beat.es_frame and beat.ed_frame < es]
        if not own:
            continue
        beat = min(own, key=lambda b: abs(b.es_frame - es))
        spare.remove(beat)
        figures.found += 1
        ed_error, es_error = (frame_error(drawn, *pair, stroke) for pair in ((beat.ed_frame, ed), (beat.es_frame, es)))
        figures.ed_within_1_strict += ed_error[0] <= 1
        figures.es_within_1_strict += es_error[0] <= 1
        figures.ed_within_1 += ed_error[1] <= 1
        figures.es_within_1 += es_error[1] <= 1
        error = abs(beat.ef_percent - true_efs[-1])
        figures.ef_within_1 += error <= 1
        figures.ef_max_error = max(figures.ef_max_error, error)
    last = int(drawn.beat[-1])
    # a beat that is cut by an end of the cine counts neither as true nor as false
    figures.false += sum(drawn.beat[b.es_frame] not in (int(drawn.beat[0]), last) for b in spare)
    if result.ef_percent is not None and true_efs:
        error = abs(result.ef_percent - float(np.median(true_efs)))
        figures.cine_ef_within_1 += error <= 1
        figures.cine_ef_max_error = max(figures.cine_ef_max_error, error)


def online_equals_whole(area: np.ndarray, fps: float) -> bool:
    """Whether frames that are pushed one by one give the same beats as the whole curve."""
    whole = find_cycle(area, fps).beats
    tracker = BeatTracker(fps)
    found = [beat for value in area for beat in tracker.push(float(value))]
    return tuple(found) == whole[: len(found)] and tuple(found + tracker.finish()) == whole


def sweep(
    cases: int,
    seed: int,
    noise: float = 0.0,
    *,
    af: bool = False,
    size_px: int = 112,
    heart_rates: tuple[float, ...] = HEART_RATES,
    frame_rates: tuple[float, ...] = FRAME_RATES,
) -> Figures:
    """Measure `cases` cines at every heart rate and frame rate."""
    figures = Figures()
    for case in range(cases):
        for bpm in heart_rates:
            for fps in frame_rates:
                rng = np.random.default_rng((seed, case, round(bpm), round(fps)))
                add_cine(draw(rng, fps, bpm, af=af, size_px=size_px), figures, rng, noise)
    return figures


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=4, help="cines for each heart rate and frame rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", type=float, default=0.0, help="noise on the area as a part of its range")
    parser.add_argument("--af", action="store_true", help="irregular beats, as in atrial fibrillation")
    parser.add_argument("--size", type=int, default=112, metavar="PX", help="of the frames; coarse pixels cost EF")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    started = time.perf_counter()
    figures = sweep(options.cases, options.seed, options.noise, af=options.af, size_px=options.size)
    n, found = max(1, figures.beats), max(1, figures.found)
    lines = [
        f"{figures.cases} cines, {figures.beats} whole beats, noise {options.noise:g}, "
        f"{time.perf_counter() - started:.0f} s",
        f"beats found          {100 * figures.found / n:.2f}%   false beats {figures.false}",
        f"ED within 1 frame    {100 * figures.ed_within_1 / found:.2f}%   "
        f"plateau not counted {100 * figures.ed_within_1_strict / found:.2f}%",
        f"ES within 1 frame    {100 * figures.es_within_1 / found:.2f}%   "
        f"plateau not counted {100 * figures.es_within_1_strict / found:.2f}%",
        f"EF within 1 point    {100 * figures.ef_within_1 / found:.2f}% of beats, worst {figures.ef_max_error:.2f}; "
        f"{100 * figures.cine_ef_within_1 / figures.cases:.2f}% of cines, worst {figures.cine_ef_max_error:.2f}",
        f"online differs from whole in {figures.online_differs} cines",
    ]
    print("\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=1) + "\n")


if __name__ == "__main__":
    main()

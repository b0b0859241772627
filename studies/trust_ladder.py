"""Dice on spoilt pictures with the region that the product finds and with the right one, for `studies/trust.py`."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import edgeecho
from edgeecho.cine import Cine
from edgeecho.errors import EdgeEchoError
from edgeecho.preprocess import Roi, find_roi
from edgeecho.runtime import Predictor, StreamingPredictor
from edgeecho.synthetic.degrade.ladder import Rung, degrade_cine, find_rungs
from studies.trust_inputs import Options, data_cines, phantoms, pooled_dice, with_progress
from studies.trust_table import Row, Table, mean, worst

RUNGS = find_rungs(
    "gain 0.4,weak signal 0.5,gamma 2,attenuation 0.25,bits 4,bits 3,reject 30,black 30,contrast 0.5,blur 2,noise 20,"
    "haze 60,jpeg 15,lines 24,small 0.45,small 0.3"
)
"""Rungs on which the region may be lost; `edgeecho eval --ladder` has all of them."""
LOST_DICE, GOOD_DICE = 0.5, 0.8
"""A cine is lost if its Dice is under the first where the given region has the second or more."""
COLUMNS = {
    "input": "phantoms, or data set and split.",
    "rung": "kind of spoilt picture, with its strength.",
    "cines": "number of cines.",
    "given mean": "mean Dice with the given region, the square about the sector of the unspoilt cine; the Dice of a "
    "cine is that of all its labelled frames together.",
    "given worst": "smallest Dice of a cine with it.",
    "cine mean": "mean Dice with the region that is found in the whole cine.",
    "cine worst": "smallest Dice of a cine with that.",
    "cine less given": "difference of the two means.",
    "cine lost": f"cines with a Dice under {LOST_DICE} where the given region has {GOOD_DICE} or more.",
    "stream mean": "mean Dice of frames that are pushed into a stream, which finds the region itself.",
    "stream worst": "smallest Dice of a cine with that.",
    "stream less given": "difference of the two means.",
    "stream lost": "cines that the stream lost, as above.",
    "refused": "cines for which an error was raised in one way or more; their Dice counts as 0.",
}


@dataclass
class Dices:
    """Dice of each cine on one rung, in the same order."""

    given: list[float] = field(default_factory=list)
    cine: list[float] = field(default_factory=list)
    stream: list[float] = field(default_factory=list)
    refused: int = 0


def ladder(options: Options) -> Table:
    """Measure the table of the ladder."""
    predictor = edgeecho.load(options.model, threads=options.threads)
    table = Table(f"Dice on spoilt pictures, model {predictor.spec.name}.", COLUMNS)
    for name, reads in ({"phantom": phantoms(options)} | data_cines(options)).items():
        found = {rung: Dices() for rung in RUNGS}
        for number, read in enumerate(with_progress(name, reads)):
            cine = _shortened(read(), options.frames)
            for rung, dices in found.items():
                _add(dices, predictor, options, cine, rung, options.first_seed + number)
        for rung, dices in found.items():
            table.rows.append(_row(name, rung, dices))
    return table


def _shortened(cine: Cine, frames: int | None) -> Cine:
    if frames is None or len(cine.frames) <= frames:
        return cine
    return Cine(
        cine.frames[:frames],
        cine.fps,
        cine.spacing_mm,
        {index: mask for index, mask in cine.labels.items() if index < frames},
        {index: phase for index, phase in cine.phases.items() if index < frames},
        cine.name,
    )


def spoilt_cine(cine: Cine, rung: Rung, seed: int) -> tuple[Cine, Roi]:
    """Spoil a cine with its labels, and return the right region in it: that of the unspoilt cine, moved with it.

    Raises:
        VideoError: If the cine is black.
    """
    roi, picture = find_roi(cine.frames, cine.spacing_mm), (cine.frames.shape[1], cine.frames.shape[2])
    spoilt, moved = degrade_cine(cine, rung, seed)
    return spoilt, Roi(*moved.box(roi.x, roi.y, roi.width, roi.height, picture))


def streamed(stream: StreamingPredictor, cine: Cine) -> np.ndarray:
    """Push a cine into a stream frame by frame, and return its masks, uint8 {0, 1} (T, H, W)."""
    results = [result for frame in cine.frames if (result := stream.push(frame))]
    return np.stack([result.mask for result in [*results, *stream.flush()]])


def _add(dices: Dices, predictor: Predictor, options: Options, cine: Cine, rung: Rung, seed: int) -> None:
    """Segment one spoilt cine in three ways, and add its Dice."""
    spoilt, roi = spoilt_cine(cine, rung, seed)

    def stream_masks() -> np.ndarray:
        stream = edgeecho.stream(options.model, threads=options.threads, fps=spoilt.fps, spacing_mm=spoilt.spacing_mm)
        return streamed(stream, spoilt)

    ways: tuple[tuple[list[float], Callable[[], np.ndarray]], ...] = (
        (dices.given, lambda: predictor.segment(spoilt, roi=roi).mask),
        (dices.cine, lambda: predictor.segment(spoilt).mask),
        (dices.stream, stream_masks),
    )
    refused = False
    for values, segment in ways:
        try:
            values.append(pooled_dice(segment(), spoilt.labels))
        except EdgeEchoError:
            values.append(0.0)
            refused = True
    dices.refused += refused


def lost(values: list[float], given: list[float]) -> int:
    """Count the cines whose Dice is bad where the given region's is good."""
    return sum(value < LOST_DICE and best >= GOOD_DICE for value, best in zip(values, given, strict=True))


def _row(name: str, rung: Rung, dices: Dices) -> Row:
    row: Row = {"input": name, "rung": rung.label, "cines": len(dices.given)}
    row |= {"given mean": mean(dices.given), "given worst": worst(dices.given)}
    for way, values in (("cine", dices.cine), ("stream", dices.stream)):
        difference = float(np.mean(values) - np.mean(dices.given)) if values else None
        row |= {f"{way} mean": mean(values), f"{way} worst": worst(values), f"{way} less given": difference}
        row[f"{way} lost"] = lost(values, dices.given)
    return row | {"refused": dices.refused}

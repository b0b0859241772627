"""A model on the ladder of low-cost probes: the items of a split, degraded by each rung."""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import ALL, Item, items_of, open_data
from edgeecho.errors import ConfigError, DataError, EdgeEchoError
from edgeecho.evaluate.ladder_scores import FOUND, GIVEN, WAYS, LadderScores, RungScore
from edgeecho.evaluate.scores import Failure, WorstFrame
from edgeecho.evaluate.video import MIN_CINE_FRAMES, VideoScore, score_marked
from edgeecho.metrics import overlap
from edgeecho.preprocess import AUTO, UPRIGHT, Roi
from edgeecho.preprocess.region import whole_frame
from edgeecho.runtime import Segmentation, load, stream
from edgeecho.runtime.segmentation import ModelInfo
from edgeecho.synthetic.degrade.ladder import LADDER, Rung, degrade_cine, seed_of

MIRROR = "mirror"
"""Rung on which the orientation is found in both ways: a network that knew mirrored hearts could not find it."""


class RegionSegmenter(Protocol):
    """Model of which region and orientation can be stated: a `CinePredictor`, or another object with its `segment`."""

    info: ModelInfo

    def segment(self, frames: Cine, /, *, roi: Roi | None, flip: str) -> Segmentation:
        """Outline the left ventricle in every frame."""
        ...


def evaluate_ladder(
    model: str,
    data: str,
    split: str,
    rungs: tuple[Rung, ...] = LADDER,
    limit: int | None = None,
    *,
    settings: tuple[str | None, str | None, int | None] = (None, None, None),
    as_stream: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LadderScores:
    """Run a model on the items of a split, degraded by each rung, with the region given and with the region found.

    Args:
        model: Packaged model's name, folder or file.
        data: `KIND:DIR`.
        split: `train`, `val`, `test` or `all`.
        rungs: Rungs of the ladder.
        limit: Number of patients, taken at even steps; None takes all.
        settings: Runtime, precision and threads, as those of `evaluate_model`.
        as_stream: Run each cine frame by frame.
        progress: Called with items done and items.

    Raises:
        DataError: If the split is empty, or no item of it can be evaluated.
        ConfigError: If a name or the limit makes no sense.
        ModelFileError: If the model cannot be opened.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, got {limit}; leave it out for all patients")
    source = open_data(data)
    items = limited(items_of(source, split), limit)
    runtime, precision, threads = settings
    predictor = (stream if as_stream else load)(model, runtime=runtime, precision=precision, threads=threads)
    return climb(predictor, items, source.kind, split, rungs, progress)


def limited(items: list[Item], limit: int | None) -> list[Item]:
    """Return the items of a number of patients, at even steps from the first to the last."""
    patients = list(dict.fromkeys(item.group for item in items))
    if limit is None or limit >= len(patients):
        return items
    chosen = {patients[int(n)] for n in np.linspace(0, len(patients) - 1, limit).round()}
    return [item for item in items if item.group in chosen]


def climb(
    segmenter: RegionSegmenter,
    items: list[Item],
    data: str,
    split: str,
    rungs: tuple[Rung, ...] = LADDER,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LadderScores:
    """Score a model on items, with one cine in memory at a time; arguments are those of `evaluate_ladder`.

    An item that cannot be read, has no label or cannot be degraded is left out and listed in `LadderScores.failed`.

    Raises:
        DataError: If there are no items, or none can be evaluated.
    """
    if not items:
        raise DataError(f"{data} has no items in split {split}; choose another split")
    tally = _Tally(segmenter)
    progress(0, len(items))
    for number, item in enumerate(items):
        tally.add(item, rungs)
        progress(number + 1, len(items))
    rows = [
        RungScore.of(rung, way, tally.videos[rung, way], tally.refused.get((rung, way), 0))
        for rung in rungs
        for way in WAYS
        if tally.videos.get((rung, way))
    ]
    if not rows:
        reason = tally.failed[0].reason
        raise DataError(f"none of the {len(items)} items of {data} {split} could be evaluated; {reason}")
    notes = [
        f"{rung.label}: left out {count} of {len(items)} items, which have fewer than {MIN_CINE_FRAMES} frames."
        for rung, count in tally.too_short.items()
    ]
    if split == ALL:
        notes.append("All splits together: a model scores too well on patients that it was trained on.")
    patients = len({video.group for videos in tally.videos.values() for video in videos})
    return LadderScores(segmenter.info, data, split, patients, rows, notes, tally.failed, tally.shown)


class _Tally:
    """Scores of the items so far, by rung and way."""

    def __init__(self, segmenter: RegionSegmenter) -> None:
        self.segmenter = segmenter
        self.videos: dict[tuple[Rung, str], list[VideoScore]] = {}
        self.refused: Counter[tuple[Rung, str]] = Counter()
        self.too_short: Counter[Rung] = Counter()
        self.failed: list[Failure] = []
        self.shown: list[WorstFrame] = []

    def add(self, item: Item, rungs: tuple[Rung, ...]) -> None:
        """Score an item on every rung; its pixels are freed on return."""
        try:
            cine = item.read()
            if not cine.labels:
                raise DataError("no labelled frame")
        except (EdgeEchoError, OSError) as error:
            self.failed.append(Failure(item.name, " ".join(str(error).split())))
            return
        is_first = not self.videos
        for rung in rungs:
            if rung.degradation and rung.degradation.is_slower and len(cine.frames) < MIN_CINE_FRAMES:
                self.too_short[rung] += 1
                continue
            try:
                degraded, moved = degrade_cine(cine, rung, seed_of(item.name))
            except EdgeEchoError as error:
                self.failed.append(Failure(f"{item.name}, {rung.label}", " ".join(str(error).split())))
                continue
            height, width = cine.frames.shape[1:]
            whole = whole_frame(height, width, cine.pixel_shape)
            region = Roi(*moved.box(whole.x, whole.y, whole.width, whole.height, (height, width)))
            flip = AUTO if rung.name == MIRROR else UPRIGHT
            self._score(item, degraded, (rung, GIVEN), region, flip)
            mask = self._score(item, degraded, (rung, FOUND), None, AUTO)
            if is_first:
                self.shown.append(_shown(rung, degraded, mask))

    def _score(self, item: Item, cine: Cine, key: tuple[Rung, str], roi: Roi | None, flip: str) -> np.ndarray:
        """Segment a degraded cine, score it and return its masks, which are empty if the product refuses it."""
        try:
            mask = self.segmenter.segment(cine, roi=roi, flip=flip).mask
        except EdgeEchoError:
            self.refused[key] += 1
            mask = np.zeros_like(cine.frames)
        self.videos.setdefault(key, []).append(score_marked(item, cine, mask))
        return mask


def _shown(rung: Rung, cine: Cine, mask: np.ndarray) -> WorstFrame:
    """Keep the first marked frame of a degraded cine with its masks, for the sheet."""
    index = cine.marked[0]
    dice = overlap(mask[index], cine.labels[index]).dice
    return WorstFrame(rung.label, index, "", dice, cine.frames[index], mask[index], cine.labels[index])

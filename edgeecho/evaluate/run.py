"""Evaluation of a model on a split of a data set, item by item."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import ALL, Item, items_of, open_data
from edgeecho.errors import ConfigError, DataError, MeasurementError, ShapeError, VideoError
from edgeecho.evaluate.foreign_network import ForeignNetwork
from edgeecho.evaluate.given_masks import GivenMasks
from edgeecho.evaluate.network_spec import read_network_spec
from edgeecho.evaluate.outlined import Outlined
from edgeecho.evaluate.patients import score_patients
from edgeecho.evaluate.scores import Failure, Scores, WorstFrame
from edgeecho.evaluate.summary import find_populations, summarize
from edgeecho.evaluate.video import VideoScore, score_video
from edgeecho.preprocess import UPRIGHT
from edgeecho.runtime import Segmentation, load, stream
from edgeecho.runtime.segmentation import ModelInfo

WORST_FRAMES = 8
"""Labelled frames of the lowest Dice that are kept for the overlay sheet."""


class Segmenter(Protocol):
    """Model that is evaluated: a `CinePredictor`, a `ForeignNetwork`, or another object with its `segment`."""

    info: ModelInfo

    def segment(self, frames: Cine, /, *, flip: str) -> Segmentation | Outlined:
        """Outline the left ventricle in every frame, with the picture turned by `flip`."""
        ...


def evaluate_model(
    model: str,
    data: str,
    split: str,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    as_stream: bool = False,
) -> Scores:
    """Segment the items of a split at their own size and compare them with their labels.

    Args:
        model: Packaged model's name, folder or file.
        data: `KIND:DIR`.
        split: `train`, `val`, `test` or `all`.
        runtime: `ort`, `openvino` or `torch`; None chooses by the model.
        precision: `int8` or `fp32` of a named model or folder; None means int8.
        threads: Worker threads; None means every usable core.
        progress: Called with items done and items.
        as_stream: Run each cine frame by frame, as `edgeecho.stream` does, and not in one piece.

    Raises:
        DataError: If the split is empty, or no item of it can be evaluated.
        ConfigError: If a name makes no sense.
        ModelFileError: If the model cannot be opened.
    """
    source = open_data(data)
    items = items_of(source, split)
    predictor = (stream if as_stream else load)(model, runtime=runtime, precision=precision, threads=threads)
    return evaluate_items(predictor, items, source.kind, split, progress)


def evaluate_masks(
    folder: Path,
    data: str,
    split: str,
    level: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Scores:
    """Compare masks in a folder, made by another program, with the labels of a split.

    Args:
        folder: Folder of the masks; `edgeecho.evaluate.mask_files.RULES` has the names of its files.
        data: `KIND:DIR`.
        split: `train`, `val`, `test` or `all`.
        level: Value of the cavity in files with several labels; None if each has one value beside 0.
        progress: Called with items done and items.

    Raises:
        DataError: If the split is empty, no mask belongs to an item of it, or none can be evaluated.
        ConfigError: If a name makes no sense.
    """
    source = open_data(data)
    items = items_of(source, split)
    return evaluate_items(GivenMasks(folder, items, level), items, source.kind, split, progress)


def evaluate_network(
    network: Path,
    spec: Path,
    data: str,
    split: str,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Scores:
    """Run another program's ONNX network on the items of a split and compare its masks with their labels.

    Args:
        network: ONNX file.
        spec: TOML file with the description of the network (`NetworkSpec`).
        data: `KIND:DIR`.
        split: `train`, `val`, `test` or `all`.
        threads: Worker threads; None means every usable core.
        progress: Called with items done and items.

    Raises:
        DataError: If the split is empty, or no item of it can be evaluated.
        ConfigError: If a name or the description makes no sense.
        ModelFileError: If the network cannot be opened or run, or is not as described.
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"threads must be at least 1, got {threads}")
    source = open_data(data)
    items = items_of(source, split)
    segmenter = ForeignNetwork(network, read_network_spec(spec), threads)
    return evaluate_items(segmenter, items, source.kind, split, progress)


def evaluate_items(
    segmenter: Segmenter | GivenMasks,
    items: list[Item],
    data: str,
    split: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Scores:
    """Evaluate a model on items, with one cine in memory at a time.

    An item that cannot be read or segmented is left out and listed in `Scores.failed`; the rest goes on.

    Args:
        segmenter: Model that is evaluated, or masks that are given.
        items: Items of the split.
        data: Name of the data set.
        split: Name of the split.
        progress: Called with items done and items.

    Raises:
        DataError: If there are no items, or none can be evaluated.
    """
    if not items:
        raise DataError(f"{data} has no items in split {split}; choose another split")
    videos: list[VideoScore] = []
    failed: list[Failure] = []
    worst: list[WorstFrame] = []
    progress(0, len(items))
    for number, item in enumerate(items):
        try:
            videos.append(_score(segmenter, item, worst))
        except (VideoError, DataError, ShapeError, MeasurementError, OSError) as error:
            failed.append(Failure(item.name, " ".join(str(error).split())))
        progress(number + 1, len(items))
    if not videos:
        raise DataError(f"none of the {len(items)} items of {data} {split} could be evaluated; {failed[0].reason}")
    patients = score_patients(videos)
    populations, notes = find_populations(videos, f"{data} {split}")
    notes = [*(segmenter.notes if isinstance(segmenter, GivenMasks) else []), *notes]
    if split == ALL:
        notes.append("All splits together: a model scores too well on patients that it was trained on.")
    return Scores(
        model=segmenter.info,
        data=data,
        split=split,
        figures=summarize(videos, patients, populations),
        videos=videos,
        patients=patients,
        populations=populations,
        notes=notes,
        failed=failed,
        worst=worst,
    )


def _score(segmenter: Segmenter | GivenMasks, item: Item, worst: list[WorstFrame]) -> VideoScore:
    """Score one item; its pixels are freed on return. Pictures of data sets are upright, so no other way is tried."""
    cine = item.read()
    if isinstance(segmenter, GivenMasks):
        result: Segmentation | Outlined = segmenter.outlined(item, cine)
    else:
        result = segmenter.segment(cine, flip=UPRIGHT)
    video = score_video(item, cine, result)
    _keep_worst(worst, video, cine, result.mask)
    return video


def _keep_worst(worst: list[WorstFrame], video: VideoScore, cine: Cine, mask: np.ndarray) -> None:
    """Keep the frames of lowest Dice, worst first; the earlier of two equal ones."""
    for score in video.labelled:
        dice = score.overlap.dice
        if dice != dice or (len(worst) == WORST_FRAMES and dice >= worst[-1].dice):
            continue
        pixels = cine.frames[score.frame].copy(), mask[score.frame].copy(), cine.labels[score.frame].copy()
        worst.append(WorstFrame(video.name, score.frame, score.phase, dice, *pixels))
        worst.sort(key=lambda frame: frame.dice)
        del worst[WORST_FRAMES:]

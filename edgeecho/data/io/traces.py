"""Human outlines: read from the tables of both EchoNet sets, and filled to masks as their authors do."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data.datasets.dataset import ItemCine
from edgeecho.data.io.avi import lost_frames
from edgeecho.data.io.phases import is_area_curve, phases_of_labels
from edgeecho.data.io.tables import list_folder, number, read_columns
from edgeecho.data.quality.defects import (
    ED_LISTED_LAST,
    EMPTY_MASK,
    ES_FIRST,
    NO_BEAT,
    NO_SUCH_FRAME,
    OTHER_SIZE,
    RESCALED_TRACE,
    Finding,
)
from edgeecho.errors import DataError, VideoError, require

SIDE_PX = 112
"""Side of the frames that both sets are published with."""
Traces = dict[str, dict[str, np.ndarray]]
"""Traces by video and by frame number, as the table writes it: float64 (rows, columns), in the order of the table."""


@dataclass(frozen=True)
class Outline:
    """One outline of the cavity."""

    frame: int
    """0-based."""
    points: np.ndarray
    """float64 (N, 2), x and y in pixels."""
    phase: str | None = None
    """ED or ES where the table states it; None if the areas decide."""


def read_traces(path: Path, columns: Sequence[str]) -> Traces:
    """Read a table of traces, grouped by video (without `.avi`) and frame.

    Args:
        path: `VolumeTracings.csv`; 425,000 rows take about a second and 20 MB.
        columns: Names of the coordinate columns. What is no number reads NaN.

    Raises:
        DataError: If the file is missing or lacks a column.
    """
    found: dict[str, dict[str, array[float]]] = {}
    for name, frame, *texts in read_columns(path, ["FileName", "Frame", *columns]):
        values = found.setdefault(name, {}).setdefault(frame, array("d"))
        try:
            values.extend(map(float, texts))
        except ValueError:
            del values[len(values) - len(values) % len(columns) :]
            values.extend(map(number, texts))
    grouped: Traces = {}
    for name, frames in found.items():
        of_video = grouped.setdefault(stem(name), {})
        for frame, values in frames.items():
            rows = np.frombuffer(values, np.float64).reshape(-1, len(columns))
            key = frame.strip()
            of_video[key] = np.concatenate([of_video[key], rows]) if key in of_video else rows
    return grouped


def stem(name: str) -> str:
    """Return a video's name without `.avi`, which some releases write and some do not."""
    name = name.strip()
    while name.lower().endswith(".avi"):
        name = name[:-4]
    return name


def rasterise(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Fill an outline as EchoNet's authors do: `skimage.draw.polygon` on coordinates rounded by `np.rint`.

    Args:
        points: float64 (N, 2), x and y.
        height: Rows of the mask.
        width: Columns; what lies outside is cut off.

    Returns:
        uint8 {0, 1} (height, width).

    Raises:
        MissingExtraError: If scikit-image is not installed.
    """
    draw = require("skimage.draw", "data")
    mask = np.zeros((height, width), np.uint8)
    if np.abs(points).max(initial=0) > 1e6:  # no frame is so large; the numbers would not fit
        points = np.clip(points, -1e6, 1e6)
    whole = np.rint(points).astype(int)
    rows, columns = draw.polygon(whole[:, 1], whole[:, 0], (height, width))
    mask[rows, columns] = 1
    return mask


def read_outlined(
    path: Path, outlines: Sequence[Outline], fps: float | None, size: tuple[int, int] | None, name: str
) -> ItemCine:
    """Read a video and label its frames with the outlines.

    Args:
        path: The video.
        outlines: Outlines, each of another frame.
        fps: Frames per second, instead of what the file states.
        size: (height, width) that the outlines are drawn on; None if they are on the frames' own.
        name: The cine's name.

    Returns:
        The cine, with the phases of `phases_of_labels`: of two masks the larger is ED and the smaller ES.

    Raises:
        VideoError: If the video is missing or damaged.
    """
    cine = read_video_whole(path, fps)
    count, height, width = cine.frames.shape
    found = list[Finding]()
    scale = np.ones(2)
    if (height, width) != (SIDE_PX, SIDE_PX):
        found.append(Finding(OTHER_SIZE, name, f"{width}x{height}"))
    if size and outlines and size != (height, width):
        scale = np.array([width / size[1], height / size[0]])
        found.append(Finding(RESCALED_TRACE, name, f"{width}x{height}, listed {size[1]}x{size[0]}"))
    labels: dict[int, np.ndarray] = {}
    phases: dict[int, str] = {}
    for outline in outlines:
        if not 0 <= outline.frame < count:
            found.append(Finding(NO_SUCH_FRAME, name, f"frame {outline.frame} of {count}"))
            continue
        mask = rasterise(outline.points * scale, height, width)
        if not mask.any():
            found.append(Finding(EMPTY_MASK, name, f"frame {outline.frame}"))
            continue
        labels[outline.frame] = mask
        if outline.phase:
            phases[outline.frame] = outline.phase
    phases = phases_of_labels(labels, cine.fps) or phases
    if not phases and is_area_curve(labels):
        found.append(Finding(NO_BEAT, name, f"{len(labels)} masks"))
    return ItemCine.of(replace(cine, labels=labels, phases=phases, name=name), found)


def read_video_whole(path: Path, fps: float | None = None, spacing_mm: tuple[float, float] | None = None) -> Cine:
    """Read a cine, but refuse a video that lost frames inside: its labels would be on other frames.

    Raises:
        VideoError: If the video is missing or damaged.
    """
    cine = read_cine(path, fps=fps, spacing_mm=spacing_mm)
    lost = lost_frames(path, len(cine.frames)) if path.suffix.lower() == ".avi" else 0
    if lost:
        raise VideoError(f"{path}: damaged: {lost} of {len(cine.frames) + lost} frames are lost; copy it again")
    return cine


def outline_area(points: np.ndarray) -> float:
    """Area inside an outline, float64 (N, 2), in square pixels: the shoelace formula."""
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def order_of(where: str, outlines: Sequence[Outline]) -> list[Finding]:
    """Find oddities in the order of the two outlines of a video, in the table and in time."""
    if len(outlines) != 2:
        return []
    areas = [outline_area(outline.points) for outline in outlines]
    ed, es = int(np.argmax(areas)), int(np.argmin(areas))
    found = [Finding(ED_LISTED_LAST, where)] if ed > es else []
    frames = outlines[es].frame, outlines[ed].frame
    return found + ([Finding(ES_FIRST, where, f"frames {frames[0]} and {frames[1]}")] if frames[0] < frames[1] else [])


def videos_in(folder: Path) -> dict[str, Path]:
    """List the videos of a folder by their name without `.avi`.

    Raises:
        DataError: If there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: missing; expected a folder of AVI videos; fetch the data set again")
    return {stem(name): folder / name for name in list_folder(folder) if name.lower().endswith(".avi")}

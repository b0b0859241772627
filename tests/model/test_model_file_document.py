"""`docs/model-file.md` suffices: what it specifies, written from its text alone, gives what the package gives."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from edgeecho.cine.grey import to_grey
from edgeecho.errors import VideoError
from edgeecho.model.registry import ModelRef
from edgeecho.preprocess import FLIPS, Grid, Roi, find_roi, flip_images, to_network, whole_frame
from edgeecho.runtime import trust_constants
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.openvino_engine import openvino_core
from edgeecho.synthetic.phantom import draw_cine

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "model-file.md").read_text(encoding="utf-8")
NANO = ROOT / "models" / "cl_unet_nano"


def test_grey(rng: np.random.Generator) -> None:
    assert "grey = (77 R + 150 G + 29 B + 128) >> 8" in DOCUMENT
    frames = rng.integers(0, 256, (5, 64, 48, 3), np.uint8)
    frames[0, :2] = [[[255] * 3] * 48, [[0] * 3] * 48]
    red, green, blue = (frames[..., c].astype(np.int64) for c in range(3))
    assert np.array_equal(to_grey(frames), (77 * red + 150 * green + 29 * blue + 128) >> 8)
    same = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)
    assert np.array_equal(to_grey(same), same[..., 0])


# The region of interest, step by step as the document has it


NEAR = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
"""Offsets of the square of 3 by 3 cells."""


def dilate(plane: np.ndarray) -> np.ndarray:
    return np.any([np.roll(plane, offset, (0, 1)) for offset in NEAR], axis=0)


def erode(plane: np.ndarray) -> np.ndarray:
    return np.all([np.roll(plane, offset, (0, 1)) for offset in NEAR], axis=0)


def components(pixels: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return the connected components, in the order in which a scan by rows meets them."""
    left = set(zip(*(axis.tolist() for axis in np.nonzero(pixels)), strict=True))
    found = []
    for start in sorted(left):
        if start not in left:
            continue
        left.remove(start)
        piece = [start]
        for y, x in piece:
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if near in left:
                    left.remove(near)
                    piece.append(near)
        found.append(piece)
    return found


def fans(cells: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return the fans of one candidate, the largest first."""
    plane = np.pad(cells, 4)  # as good as an unbounded plane
    opened = dilate(erode(erode(dilate(plane))))
    found = sorted(components(opened[4:-4, 4:-4]), key=lambda piece: -len(piece))
    if not found or 50 * len(found[0]) <= cells.size:
        return []
    return [piece for piece in found if 3 * len(piece) >= len(found[0])]


def square(y0: int, y1: int, x0: int, x1: int, row_mm: float, column_mm: float) -> Roi:
    side = max((y1 - y0) * row_mm, (x1 - x0) * column_mm)
    tall, wide = max(1, round(side / row_mm)), max(1, round(side / column_mm))
    return Roi((x0 + x1 - wide) // 2, (y0 + y1 - tall) // 2, wide, tall)


def documented_fans(frames: np.ndarray, whole: Roi) -> list[list[list[tuple[int, int]]]] | None:
    """Return the fans of each level that has some; None if the cine is black."""
    cells = min(112, max(whole.height, whole.width))
    grids = to_network(frames[:: max(1, len(frames) // 16)], whole, cells).astype(int)
    high, low = grids.max(axis=0), grids.min(axis=0)
    if not (high > 5).any():
        return None
    found = []
    for level in (5, 12, 30):
        lit, moving = high > level, high - low > level
        candidates = [moving, lit] if 4 * moving.sum() > lit.sum() else [lit]
        found += [pieces for pieces in map(fans, candidates) if pieces][:1]
    return found


def documented_region(frames: np.ndarray, spacing_mm: tuple[float, float] | None) -> Roi | None:
    height, width = frames.shape[1:]
    shape = spacing_mm or (1.0, 1.0)
    whole = square(0, height, 0, width, *shape)
    found = documented_fans(frames, whole)
    if not found:
        return None if found is None else whole
    cells = min(112, max(whole.height, whole.width))
    rows, columns = zip(*found[0][0], strict=True)
    edges = []
    for places, start, length, end in ((rows, whole.y, whole.height, height), (columns, whole.x, whole.width, width)):
        first, last = min(places) * length / cells, (max(places) + 1) * length / cells
        edges += [max(0, start + math.floor(first)), min(end, start + math.ceil(last))]
    return square(*edges, *shape)


def screen(rng: np.random.Generator) -> np.ndarray:
    """Blobs of speckle and of still grey, lines and noise, of any size: no fan, but every branch of the rule."""
    count, height, width = (int(rng.integers(*bounds)) for bounds in ((1, 70), (16, 250), (16, 250)))
    frames = np.zeros((count, height, width), np.uint8)
    for _ in range(rng.integers(0, 5)):
        y, x = (int(rng.integers(-5, n)) for n in (height, width))
        part = frames[:, max(0, y) : y + int(rng.integers(1, height)), max(0, x) : x + int(rng.integers(1, width))]
        share = rng.uniform(0.1, 1)
        speckle = rng.integers(0, 60, part.shape) * (rng.uniform(size=part.shape) < share)
        part[:] = speckle if rng.uniform() < 0.6 else speckle[:1] if part.shape[0] else part
    if rng.uniform() < 0.3:
        frames[:, int(rng.integers(height))] = 200
    frames[rng.uniform(size=frames.shape) < rng.choice([0, 0.001, 0.02])] = int(rng.integers(4, 35))
    return frames


def grid_of(frames: np.ndarray) -> Grid:
    grid = Grid(*frames.shape[1:])
    for frame in frames[:: max(1, len(frames) // 16)]:
        grid.add(frame)
    return grid


@pytest.mark.parametrize("seed", range(60))
def test_region_on_screens(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = screen(rng)
    spacing_mm = None if rng.uniform() < 0.5 else (float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.1, 0.6)))
    expected = documented_region(frames, spacing_mm)
    if expected is None:
        with pytest.raises(VideoError, match="every pixel is black"):
            find_roi(frames, spacing_mm)
    else:
        assert find_roi(frames, spacing_mm) == expected


def test_region_of_equal_pieces() -> None:
    frames = np.zeros((1, 60, 90), np.uint8)
    for y, x in ((30, 5), (5, 60), (40, 70)):
        frames[:, y : y + 14, x : x + 14] = 100
    assert find_roi(frames) == documented_region(frames, None) == Roi(60, 5, 14, 14)
    found = documented_fans(frames, whole_frame(60, 90))
    assert found is not None
    assert [[piece[0] for piece in pieces] for pieces in found] == [[(20, 60), (45, 5), (55, 70)]] * 3
    assert [(fan.top, fan.left) for fan in grid_of(frames).fans()[0]] == [(20, 60), (45, 5), (55, 70)]


@pytest.mark.parametrize("seed", range(4))
def test_region_of_a_drawn_heart(seed: int) -> None:
    cine = draw_cine(seed)
    assert find_roi(cine.frames, cine.spacing_mm) == documented_region(cine.frames, cine.spacing_mm)


def test_constants_of_the_search_exist() -> None:
    section = DOCUMENT[DOCUMENT.index("### Region and orientation") : DOCUMENT.index("## Resampling, in integers")]
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})`", section))
    assert len(named) >= 10
    assert not {name for name in named if not hasattr(trust_constants, name)}


def test_every_flip_by_the_words_of_the_document() -> None:
    """Names and their meaning, on a picture whose corners are numbered row by row."""
    words = {"none": "0 1 2 3", "lr": "1 0 3 2", "ud": "2 3 0 1", "lrud": "3 2 1 0"}
    words |= {"cw": "2 0 3 1", "ccw": "1 3 0 2", "cwlr": "0 2 1 3", "ccwlr": "3 1 2 0"}
    assert set(words) == set(FLIPS)
    picture = np.arange(4).reshape(2, 2)
    for flip, corners in words.items():
        assert f"`{flip}`" in DOCUMENT
        assert flip_images(picture, flip).ravel().tolist() == [int(corner) for corner in corners.split()]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.int8.xml", "clip.int8.onnx"])
def test_plain_openvino_with_the_documented_setting(name: str) -> None:
    """Plain OpenVINO returns the integers of EdgeEcho's engine, also where it would compute in 16 bits by default."""
    pytest.importorskip("openvino")
    assert '"CPU", {"INFERENCE_PRECISION_HINT": "f32"})' in DOCUMENT
    cine = draw_cine(3)
    frames = to_network(cine.frames[:12], find_roi(cine.frames, cine.spacing_mm), 112)[:, None]
    # The process's one core: two of them that overlap break the signal stack (`openvino_core`).
    model = openvino_core().compile_model(str(NANO / name), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    engine = open_engine(ModelRef(NANO / name, "openvino")).engine
    assert np.array_equal(model({"frames": frames})["prob"], engine.infer(frames))

"""`docs/model-file.md` suffices: what it specifies, written from its text alone, gives what the package gives."""

from pathlib import Path

import numpy as np
import pytest

from edgeecho.cine.grey import to_grey
from edgeecho.errors import VideoError
from edgeecho.model.registry import ModelRef
from edgeecho.preprocess import Roi, find_roi, to_network
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


def half_to_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def disc(height: int, width: int) -> list[tuple[int, int]]:
    d = half_to_even(min(height, width), 40)
    d = max(3, d + (d % 2 == 0))
    r = (d - 1) // 2
    reach = {dy: round((r * r - dy * dy) ** 0.5) for dy in range(-r, r + 1)}
    return [(dy, dx) for dy in reach for dx in range(-reach[dy], reach[dy] + 1)]


def dilate(plane: np.ndarray, offsets: list[tuple[int, int]]) -> np.ndarray:
    return np.any([np.roll(plane, offset, (0, 1)) for offset in offsets], axis=0)


def erode(plane: np.ndarray, offsets: list[tuple[int, int]]) -> np.ndarray:
    return np.all([np.roll(plane, offset, (0, 1)) for offset in offsets], axis=0)


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


def largest_piece(pixels: np.ndarray) -> list[tuple[int, int]]:
    offsets = disc(*pixels.shape)
    edge = 2 * max(dy for dy, _ in offsets) + 1  # as good as an unbounded plane
    plane = np.pad(pixels, edge)
    closed = erode(dilate(plane, offsets), offsets)
    opened = dilate(erode(closed, offsets), offsets)
    return max(components(opened[edge:-edge, edge:-edge]), key=len, default=[])


def documented_region(frames: np.ndarray, spacing_mm: tuple[float, float] | None) -> Roi | None:
    count, height, width = frames.shape
    shown = frames[:: max(1, count // 32)].astype(int)
    high, low = shown.max(axis=0), shown.min(axis=0)
    if not (high > 12).any():
        return None
    lit, moving = high > 12, high - low > 12
    candidates = [moving, lit] if 4 * moving.sum() > lit.sum() else [lit]
    pieces = [piece for piece in map(largest_piece, candidates) if 50 * len(piece) > height * width]
    rows, columns = zip(*pieces[0], strict=True) if pieces else ((0, height - 1), (0, width - 1))
    y0, y1, x0, x1 = min(rows), max(rows) + 1, min(columns), max(columns) + 1
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    side = max((y1 - y0) * row_mm, (x1 - x0) * column_mm)
    tall, wide = max(1, round(side / row_mm)), max(1, round(side / column_mm))
    return Roi((x0 + x1 - wide) // 2, (y0 + y1 - tall) // 2, wide, tall)


def screen(rng: np.random.Generator) -> np.ndarray:
    """Blobs of speckle and of still grey, lines and noise, of any size: no sector, but every branch of the rule."""
    count, height, width = (int(rng.integers(*bounds)) for bounds in ((1, 70), (16, 150), (16, 150)))
    frames = np.zeros((count, height, width), np.uint8)
    for _ in range(rng.integers(0, 5)):
        y, x = (int(rng.integers(-5, n)) for n in (height, width))
        part = frames[:, max(0, y) : y + int(rng.integers(1, height)), max(0, x) : x + int(rng.integers(1, width))]
        share = rng.uniform(0.1, 1)
        speckle = rng.integers(0, 60, part.shape) * (rng.uniform(size=part.shape) < share)
        part[:] = speckle if rng.uniform() < 0.6 else speckle[:1] if part.shape[0] else part
    if rng.uniform() < 0.3:
        frames[:, int(rng.integers(height))] = 200
    frames[rng.uniform(size=frames.shape) < rng.choice([0, 0.001, 0.02])] = int(rng.integers(10, 15))
    return frames


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
        frames[:, y : y + 12, x : x + 12] = 100
    assert find_roi(frames) == documented_region(frames, None) == Roi(60, 5, 12, 12)


@pytest.mark.parametrize("seed", range(4))
def test_region_of_a_drawn_heart(seed: int) -> None:
    cine = draw_cine(seed)
    assert find_roi(cine.frames, cine.spacing_mm) == documented_region(cine.frames, cine.spacing_mm)


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

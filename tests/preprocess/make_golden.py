"""Write what integer resampling must give, to the bit, in any language.

    python tests/preprocess/make_golden.py

Written from the specification, one pixel at a time in Python's own integers, and not from `edgeecho.preprocess`:

- weights are whole multiples of 1/2048 and add up to 2048 for each output pixel;
- fewer pixels out than in: output i covers the source from i*s/t to (i+1)*s/t; the running sum of that cover, as a
  share of the whole, is rounded to 1/2048 (halves up), and a source pixel's weight is the sum's growth over it;
- as many or more: bilinear between the two nearest pixel centres, the right one's weight rounded to 1/2048 (halves
  up), positions beyond the first and last centre held there;
- rows, then columns, in integers; then once (sum + 2^21) >> 22.

`tests/preprocess/resample.npz` holds `input_k` uint8 (T, H, W) and `output_k` uint8 (T, h, w), k = 0 ... `count` - 1.
`device/tests/resample.bin` holds the same for C, in little-endian numbers of 4 bytes: how many images; for each of them
H, W, h, w, its pixels, and those of the result.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

SEED = 20261122
PATH = Path(__file__).with_name("resample.npz")
FOR_C = Path(__file__).parents[2] / "device" / "tests" / "resample.bin"
SIZES = [
    ((7, 5), (7, 5)),
    ((2, 3), (3, 2)),
    ((1, 1), (4, 5)),
    ((9, 13), (4, 6)),
    ((16, 20), (4, 5)),
    ((11, 31), (23, 17)),
    ((37, 23), (36, 24)),
    ((60, 75), (32, 32)),
    ((16, 16), (50, 41)),
    ((3, 200), (16, 16)),
]
"""(H, W) in and out."""


def weights(source: int, target: int) -> list[dict[int, int]]:
    """Weights in 1/2048 by source pixel, for each output pixel."""
    rows: list[dict[int, int]] = []
    for i in range(target):
        row: dict[int, int] = {}
        if target < source:  # lengths in 1/target of a source pixel; an output pixel is `source` long
            before = 0
            for k in range(source):
                covered = min(max((k + 1) * target - i * source, 0), source)
                rounded = (covered * 2048 * 2 + source) // (2 * source)
                if rounded > before:
                    row[k] = rounded - before
                before = rounded
        else:  # the centre of output i stands at (2i + 1) s / 2t - 1/2 = place / 2t, in source pixel centres
            place = min(max((2 * i + 1) * source - target, 0), 2 * target * (source - 1))
            left, rest = divmod(place, 2 * target)
            right = (rest * 2048 * 2 + 2 * target) // (4 * target)
            row[left] = 2048 - right
            if right:
                row[left + 1] = right
        rows.append(row)
    return rows


def resample(image: list[list[int]], height: int, width: int) -> list[list[int]]:
    """One image, pixel by pixel."""
    down, across = weights(len(image), height), weights(len(image[0]), width)
    result = []
    for row in down:
        sums = [sum(image[y][x] * weight for y, weight in row.items()) for x in range(len(image[0]))]
        result.append([(sum(sums[x] * w for x, w in column.items()) + (1 << 21)) >> 22 for column in across])
    return result


def for_c(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The archive's arrays as C reads them."""
    parts = []
    for k in range(int(arrays["count"])):
        for image, wanted in zip(arrays[f"input_{k}"], arrays[f"output_{k}"], strict=True):
            parts.append(struct.pack("<4I", *image.shape, *wanted.shape) + image.tobytes() + wanted.tobytes())
    return struct.pack("<I", len(parts)) + b"".join(parts)


def main(path: Path = PATH, for_c_path: Path = FOR_C) -> None:
    """Draw inputs, resample them, write both."""
    rng = np.random.default_rng(SEED)
    arrays: dict[str, np.ndarray] = {"count": np.array(len(SIZES))}
    for k, ((h, w), (height, width)) in enumerate(SIZES):
        images = rng.integers(0, 256, (2, h, w), dtype=np.uint8)
        images[1] = np.where(images[1] < 128, 0, 255)  # the extremes
        arrays[f"input_{k}"] = images
        arrays[f"output_{k}"] = np.array([resample(image.tolist(), height, width) for image in images], np.uint8)
    np.savez_compressed(path, **arrays)
    for_c_path.write_bytes(for_c(arrays))


if __name__ == "__main__":
    main()

"""Motion of the picture as a whole between two frames: how much of their difference a shift, a zoom and a turn explain.

A still heart that is moved, zoomed or rocked changes the area of its mask as a beating one does. But its picture moves
as a whole, so that one similarity explains most of the change from frame to frame; a beating heart moves against its
surroundings. Pictures are averaged to `MOTION_CELLS` a side and smoothed. The similarity is the least-squares solution
of the optical-flow equation (Lucas and Kanade, IJCAI 1981;674) with four parameters, over the cells that have no dark
cell near them: the edge of the fan stands still whatever moves in it. All sums are of whole numbers, and the rest is
written out one by one, so C computes the same to the bit.
"""

import numpy as np

MOTION_CELLS = 28
"""Most cells a side of the small pictures."""
LEVEL_PARTS = 4
"""Units of small pictures in a grey level: few enough that the sums of squares stay below 2^53."""
MAX_DARK_LEVEL = 2
"""Mean grey level up to which a cell is dark."""
DARK_REACH_CELLS = 2
"""Cells so near to a dark one, along rows and columns, are not used."""
MIN_PIVOT_FRACTION = 1e-9
"""A parameter that depends on those before it leaves a smaller part of its square, and is not used."""


def small_pictures(frames: np.ndarray) -> np.ndarray:
    """Average frames over square blocks.

    Args:
        frames: uint8 (T, S, S).

    Returns:
        Means in units of 1 / `LEVEL_PARTS` of a grey level, rounded down, int64 (T, n, n) with n at most
        `MOTION_CELLS`. What is left at the right and at the bottom is not used.
    """
    block = -(-frames.shape[-1] // MOTION_CELLS)
    cells = frames.shape[-1] // block
    used = frames[:, : cells * block, : cells * block].reshape(len(frames), cells, block, cells * block)
    rows = used.sum(axis=2, dtype=np.uint32).reshape(len(frames), cells, cells, block)
    return np.asarray(LEVEL_PARTS * rows.sum(axis=3, dtype=np.int64) // (block * block))


def explained_change(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute how much of the change from each small picture to the next a similarity explains.

    Args:
        pictures: int64 (T, n, n), as from `small_pictures`.

    Returns:
        For each of the T - 1 steps the sum of squares that the similarity explains, and the whole sum of squares of the
        change, both float64 (T - 1,).
    """
    smooth = pictures[:, :-2] + 2 * pictures[:, 1:-1] + pictures[:, 2:]
    smooth = smooth[:, :, :-2] + 2 * smooth[:, :, 1:-1] + smooth[:, :, 2:]
    before, after = smooth[:-1], smooth[1:]
    both = before + after
    across = both[:, 1:-1, 2:] - both[:, 1:-1, :-2]
    down = both[:, 2:, 1:-1] - both[:, :-2, 1:-1]
    change = (after - before)[:, 1:-1, 1:-1]
    half = np.arange(across.shape[-1]) * 2 - (across.shape[-1] - 1)  # twice the place, from the middle
    y, x = half[:, None], half[None, :]
    terms = np.stack([down, across, down * y + across * x, down * x - across * y, change], axis=1)
    terms *= _used_cells(pictures)[:, None]
    values = terms.reshape(len(terms), 5, -1).astype(float)
    sums = values @ values.transpose(0, 2, 1)  # of whole numbers below 2^53, exact in any order
    return _explained(sums[:, :4, :4], sums[:, :4, 4]), np.asarray(sums[:, 4, 4])


def _used_cells(pictures: np.ndarray) -> np.ndarray:
    """Find the cells with no cell near them that is dark in both pictures of a step, bool (T - 1, n - 4, n - 4).

    The two outermost rows and columns on each side have no gradient. Beyond the edge of the picture nothing is dark.
    """
    lit = np.maximum(pictures[1:], pictures[:-1]) > LEVEL_PARTS * MAX_DARK_LEVEL
    size, reach = lit.shape[-1], DARK_REACH_CELLS
    padded = np.pad(lit, ((0, 0), (reach, reach), (reach, reach)), constant_values=True)
    rows = np.logical_and.reduce([padded[:, at : at + size] for at in range(2 * reach + 1)])
    near = np.logical_and.reduce([rows[:, :, at : at + size] for at in range(2 * reach + 1)])
    return np.asarray(near[:, 2:-2, 2:-2])


def _explained(squares: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Compute b' A^-1 b by the decomposition A = L D L', (N, 4, 4) and (N, 4) to (N,)."""
    steps, size = products.shape
    lower = np.zeros((steps, size, size))
    pivots, solved = np.zeros((steps, size)), np.zeros((steps, size))
    explained = np.zeros(steps)
    for i in range(size):
        for j in range(i):
            value = squares[:, i, j]
            for k in range(j):
                value = value - lower[:, i, k] * pivots[:, k] * lower[:, j, k]
            lower[:, i, j] = np.divide(value, pivots[:, j], out=np.zeros(steps), where=pivots[:, j] > 0)
        pivot, rest = squares[:, i, i], products[:, i]
        for k in range(i):
            pivot = pivot - lower[:, i, k] * pivots[:, k] * lower[:, i, k]
            rest = rest - lower[:, i, k] * solved[:, k]
        used = pivot > MIN_PIVOT_FRACTION * squares[:, i, i]
        pivots[:, i], solved[:, i] = np.where(used, pivot, 0.0), np.where(used, rest, 0.0)
        explained = explained + np.divide(solved[:, i] * solved[:, i], pivots[:, i], out=np.zeros(steps), where=used)
    return explained

"""Ultrasound fans on a screen, found on a small grid: what moves or is lit, without text, bars and an ECG trace.

All pictures here are the square of the whole frame (`whole_frame`), resampled to at most `GRID_PX` a side. Their
resampling averages over many pixels, which removes the noise of compression, so a low threshold serves dark pictures.
Only integers are compared, so that C finds the same fans.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

GRID_PX = 112
"""Most rows and columns of the grid."""
LEVELS = (5, 12, 30)
"""Grey levels, and changes of them, above which a cell belongs to a fan, in the order in which they are tried: the
first for clean and for dark pictures, the others for pictures with noise all over the screen."""
MIN_BRIGHT_LEVEL = 128
"""Grey level from which a cell is bright."""
MIN_BRIGHT_PARTS = 4
"""A picture is bright if at least one in so many lit cells is bright in every frame."""
MIN_MOVING_PARTS = 4
"""A fan is searched among the moving cells first if more than one in so many lit cells moves; else among the lit
cells alone."""
MIN_FAN_PARTS = 50
"""A fan has at least one in so many cells of the grid."""
MIN_PANEL_PARTS = 3
"""Another component is a panel of its own if it has at least one in so many of the cells of the largest."""
APEX_RATIO = (6, 10)
"""Largest breadth near the apex as a part of that near the other end: a fraction."""
CLOSING_CELLS = 1
"""Cells on either side by which gaps of speckle are closed, and by which thin lines and letters are removed."""


@dataclass(frozen=True, eq=False)
class Fan:
    """One fan. Its box and hull are in cells of the grid."""

    top: int
    bottom: int
    """First row below the fan."""
    left: int
    right: int
    """First column to the right of the fan."""
    cells: np.ndarray
    """Cells of the fan, bool (G, G)."""

    @cached_property
    def hull(self) -> np.ndarray:
        """Convex hull of the fan, as `hull_of` returns it, bool (G, G)."""
        return hull_of(self)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, bottom, left and right."""
        return self.top, self.bottom, self.left, self.right


def find_fans(brightest: np.ndarray, darkest: np.ndarray) -> list[list[Fan]]:
    """Find the fans of a cine at each threshold of `LEVELS`.

    Args:
        brightest: Largest level of each cell over the frames, uint8 (G, G).
        darkest: Smallest level of each cell, uint8 (G, G).

    Returns:
        For each threshold at which a fan is found, the fans from the largest to the smallest: the first, and those with
        at least a third of its cells.
    """
    found = []
    for level in LEVELS:
        lit = brightest > level
        moving = brightest.astype(np.int16) - darkest > level
        moves = np.count_nonzero(moving) * MIN_MOVING_PARTS > np.count_nonzero(lit)
        for cells in (moving, lit) if moves else (lit,):
            if fans := _fans_of(cells):
                found.append(fans)
                break
    return found


def _fans_of(cells: np.ndarray) -> list[Fan]:
    """Close gaps, remove what is thin, and return the large components in order of size."""
    import cv2

    square = np.ones((2 * CLOSING_CELLS + 1,) * 2, np.uint8)
    edge = 2 * CLOSING_CELLS
    padded = np.pad(cells.astype(np.uint8), edge)
    joined = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, square), cv2.MORPH_OPEN, square)
    _, names, stats, _ = cv2.connectedComponentsWithStats(joined[edge:-edge, edge:-edge], connectivity=4)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(-sizes, kind="stable")
    if not len(order) or sizes[order[0]] * MIN_FAN_PARTS <= cells.size:
        return []
    fans = []
    for name in order:
        if sizes[name] * MIN_PANEL_PARTS < sizes[order[0]]:
            break
        left, top, width, height, _ = (int(v) for v in stats[1 + name])
        fans.append(Fan(top, top + height, left, left + width, np.asarray(names == 1 + name)))
    return fans


def apex_side(hull: np.ndarray) -> str | None:
    """Return the side of a fan on which its apex lies: `top`, `bottom`, `left` or `right`; None if it is not clear.

    A fan is narrow at its apex. Its breadth a quarter of the way from each side is compared with that of the opposite
    side.

    Args:
        hull: Convex hull of a fan, bool (G, G).
    """
    for cells, sides in ((hull, ("top", "bottom")), (hull.T, ("left", "right"))):
        lines = np.flatnonzero(cells.any(axis=1))
        breadth = cells[lines].sum(axis=1)
        quarter = len(lines) // 4
        first, last = (
            int(breadth[at : at + max(1, quarter)].sum()) for at in (quarter // 2, len(lines) - 3 * quarter // 2 - 1)
        )
        if first * APEX_RATIO[1] < last * APEX_RATIO[0]:
            return sides[0]
        if last * APEX_RATIO[1] < first * APEX_RATIO[0]:
            return sides[1]
    return None


def hull_of(fan: Fan) -> np.ndarray:
    """Return the cells whose centre lies in the convex hull of a fan's cell centres, bool (G, G)."""
    rows = np.flatnonzero(fan.cells.any(axis=1))
    first = fan.cells.argmax(axis=1)
    last = fan.cells.shape[1] - 1 - fan.cells[:, ::-1].argmax(axis=1)
    left, right = _chain(rows, first, 1), _chain(rows, last, -1)
    inside = np.zeros_like(fan.cells)
    columns = np.arange(inside.shape[1])
    inside[rows[0] : rows[-1] + 1] = (columns >= left[:, None]) & (columns <= right[:, None])
    return inside


def _chain(rows: np.ndarray, columns: np.ndarray, side: int) -> np.ndarray:
    """Return the outermost column of a hull in each row from the first to the last of `rows`.

    Args:
        rows: Rows with cells, rising.
        columns: Outermost column of the cells of each row of the grid.
        side: 1 for the left side, -1 for the right one.
    """
    chain: list[tuple[int, int]] = []
    for row in rows:
        point = (int(row), int(columns[row]))
        while len(chain) > 1 and side * _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    edge = np.full(rows[-1] - rows[0] + 1, side * chain[0][1])
    for (y0, x0), (y1, x1) in pairwise(chain):
        steps = np.arange(y1 - y0 + 1)
        edge[y0 - rows[0] : y1 - rows[0] + 1] = -(-side * (x0 * (y1 - y0) + steps * (x1 - x0)) // (y1 - y0))
    return side * edge


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    """Positive if point b, given as (row, column), lies to the left of the line down from a to c."""
    return (c[1] - a[1]) * (b[0] - a[0]) - (b[1] - a[1]) * (c[0] - a[0])

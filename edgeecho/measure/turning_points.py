"""Turning points of the smoothed area curve, found from the first to the last: maxima (ED) and minima (ES)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeecho.measure.area_curve import smooth_at
from edgeecho.measure.constants import (
    MIN_APPROACH_FRACTION,
    MIN_FALL_FRACTION,
    MIN_TURN_FRACTION,
    PLACEMENT_WINDOW,
    TIE_TOLERANCE,
)
from edgeecho.measure.curve_buffer import CurveBuffer

KEPT_TURNS = 4
"""Turning points that a beat needs: the ES before, ED, ES and the next ED."""


@dataclass
class Turn:
    """Turning point of the curve; `at` counts from the start of the buffer and moves with it."""

    at: int
    is_ed: bool
    at_start: bool = False
    """Whether the curve was not seen coming up to it."""


class TurningPoints:
    """The last turning points of the curve in a buffer."""

    def __init__(self, buffer: CurveBuffer) -> None:
        self.buffer = buffer
        self.restart()

    def restart(self) -> None:
        """Begin a piece of curve, as the buffer does."""
        self.turns: list[Turn] = []
        self._followed = 0
        self.low = self.high = 0
        """Index of the lowest and the highest value since the last turning point was confirmed."""

    def follow(self, size: float) -> Iterator[Turn]:
        """Follow the smoothed curve to its end.

        Args:
            size: Range of the beats.

        Yields:
            Each turning point as soon as it is confirmed, when it is already the last of `turns`.
        """
        smooth = self.buffer.smooth
        for at in range(self._followed, len(smooth)):
            value = smooth[at]
            least = max(MIN_TURN_FRACTION * size, MIN_FALL_FRACTION / 2 * value)
            if value > smooth[self.high]:
                self.high = at
            if value < smooth[self.low]:
                self.low = at
            last = self.turns[-1] if self.turns else None
            near = None
            if (last is None or not last.is_ed) and smooth[self.high] - value >= least:
                near, is_ed = self.high, True
            elif (last is None or last.is_ed) and value - smooth[self.low] >= least:
                near, is_ed = self.low, False
            if near is not None:
                turn = self._turn(near, at, is_ed)
                self.add(turn)
                self.low = self.high = at
                yield turn
        self._followed = len(smooth)

    def add(self, turn: Turn) -> None:
        """Add a turning point after the last one; the oldest of more than `KEPT_TURNS` is removed."""
        self.turns = [*self.turns[1 - KEPT_TURNS :], turn]

    def _turn(self, near: int, confirmed: int, is_ed: bool) -> Turn:
        """Turning point that lies near one index and is confirmed at another."""
        turn = Turn(self.place(near, confirmed, is_ed), is_ed)
        if not self.turns:
            smooth = self.buffer.smooth
            height, sign = smooth[turn.at], 1 if is_ed else -1
            approach = max(sign * (height - value) for value in smooth[: turn.at + 1])
            turn.at_start = approach < MIN_APPROACH_FRACTION * abs(height - smooth[confirmed])
        return turn

    def place(self, near: int, confirmed: int, is_ed: bool) -> int:
        """Place a turning point: the extreme of the curve, smoothed in proportion to the time until it is confirmed.

        Of several maxima that are equally high the last is taken.

        Args:
            near: Index that the turning point lies near.
            confirmed: Index at which it is confirmed.
            is_ed: Whether it is a maximum.
        """
        sign = 1 if is_ed else -1
        start = self.turns[-1].at + 1 if self.turns else 0
        reach = min(confirmed - near, near - start + 1) if self.turns else confirmed - near
        half = max(1, int(PLACEMENT_WINDOW * (reach - 1)))
        piece = sign * np.array([smooth_at(self.buffer.values, i, half) for i in range(start, confirmed + 1)])
        best = int(np.argmax(piece))
        if not is_ed:
            return start + best
        equal = piece[best] - TIE_TOLERANCE * (piece[best] - piece[-1])
        for i in range(len(piece) - 2, best, -1):
            if piece[i] >= equal and piece[i] > piece[i + 1] and piece[i] >= piece[i - 1]:
                return start + i
        return start + best

    def shift(self, cut: int) -> None:
        """Follow the buffer when it removes so many values from its start."""
        self._followed, self.low, self.high = (max(0, i - cut) for i in (self._followed, self.low, self.high))
        for turn in self.turns:
            turn.at -= cut
        self.turns = [turn for turn in self.turns if turn.at >= 0]

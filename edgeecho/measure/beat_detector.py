"""Beats from left-ventricular areas as they come: the one beat detector, for whole cines, streams and the C runtime.

The curve is smoothed a little and followed from one turning point to the next: a maximum is one once the curve has
fallen from it by a set part of the beats' range, a minimum once it has risen by as much. An end-diastole (ED) is a
maximum, an end-systole (ES) a minimum. A beat is ED, the ES after it, and the next ED, which closes it.

**Delay.** Nothing is reported during the first 2 s (`WARM_UP_S`), which set the range. From then on a beat is reported
when the area has fallen by `MIN_TURN_FRACTION` of the range beyond its closing ED and half the smoothing window has
passed. What was reported does not change later. `finish` reports the last, incomplete beat.

**Ends of a piece** (of the cine, or where no ventricle is seen for longer than `MAX_GAP_S`):
- The first frame counts as ED if the curve starts level or as high as at the next ED (a loop cut at the R wave), and
  the last as ES if the curve ends level (a half sequence from ED to ES), and about as low as at an ES before. A cut on
  a slope is neither.
- An ED with the ES after it is a beat, good for EF. A heart rate needs one more ED, or the ES before.
- If the whole cine shows no such beat, an ES with the ED after it is one, without heart rate: a half sequence from ES
  to ED, or a loop of one beat that is cut in systole. Its ES may be the first frame, and its ED the last, if the curve
  is level there, and as high as it ever was.
- A last ED without a fall behind it counts if the area is back where it was at the ED before.

**Place.** ED is the largest and ES the smallest area of the curve smoothed in proportion to its own speed there. Of
several maxima between two ES that differ by less than 5% of the fall (a diastasis as high as the atrial kick), ED is
the last, which is the one next to the R wave.

The parts are `curve_buffer.py`, `turning_points.py` and `beat_validity.py`; the thresholds are in `constants.py`.
"""

from dataclasses import dataclass

import numpy as np

from edgeecho.measure.beat_validity import ends_empty, ends_full, is_level, starts_full, validate_beat
from edgeecho.measure.constants import MIN_CURVE_FRAMES, MIN_LAST_RISE_FRACTION
from edgeecho.measure.curve_buffer import CurveBuffer, windows_for
from edgeecho.measure.turning_points import Turn, TurningPoints
from edgeecho.reasons import Finding


@dataclass(frozen=True)
class Beat:
    """One beat. Frames are 0-based indices into the cine."""

    ed_frame: int
    es_frame: int
    next_ed_frame: int | None = None
    """ED that ends the beat, None if the cine ends before it."""
    interval_frames: float | None = None
    """Length of the beat, ED to ED, else from the ES before to its ES; None if there is neither."""


class BeatTracker:
    """Finds beats in areas that come frame by frame. One cine or stream at a time."""

    def __init__(self, fps: float | None = None) -> None:
        """
        Args:
            fps: Frames per second, None if unknown.
        """
        self.frames = self.seen = 0
        """Frames pushed, and how many of them showed a ventricle."""
        self.reported_beats = 0
        """Number of beats reported so far."""
        self.ed_frames: list[int] = []
        """Every ED so far, also those that belong to no beat."""
        self.es_frames: list[int] = []
        """Every ES so far."""
        self.rejected: Finding | None = None
        """Reason why the last rejected beat is none."""
        self.change = 0.0
        """Largest range seen, as a part of the area."""
        self._windows = windows_for(fps)
        self._buffer = CurveBuffer(self._windows)
        self._points = TurningPoints(self._buffer)
        self._closing_ed: int | None = None  # frame of the ED that closed the last beat

    def _restart(self, frame: int) -> None:
        """Begin a piece of curve at a frame."""
        self._buffer.restart(frame)
        self._points.restart()
        self._closing_ed = None

    @property
    def oldest_frame(self) -> int:
        """First frame that a beat to come may name."""
        first, turns = self._buffer.first_frame, self._points.turns
        if not self.reported_beats and len(turns) > 1 and turns[-1].is_ed:
            return first + turns[-2].at  # the ES of `_rising_beat`
        return first + max((turn.at for turn in turns if turn.is_ed), default=0)

    def push(self, area_px: float) -> list[Beat]:
        """Take the area of the next frame.

        Args:
            area_px: Any unit. 0 or NaN: no ventricle seen.

        Returns:
            The beats that this frame completes: mostly none, else one, in time order.
        """
        frame, self.frames = self.frames, self.frames + 1
        buffer = self._buffer
        missing = frame - buffer.first_frame - len(buffer)
        if not (np.isfinite(area_px) and area_px > 0):
            if len(buffer) and missing < self._windows.gap:
                return []
            beats = self._end_piece()
            self._restart(frame + 1)
            return beats
        self.seen += 1
        if missing:
            buffer.append(np.linspace(buffer.values[-1], area_px, missing + 2)[1:-1], False)
        buffer.append(np.array([area_px], float), True)
        # the newest value may still prove to be a glitch
        buffer.smooth_to(len(buffer) - 1 - self._windows.half)
        beats = self._follow() if len(buffer) > self._windows.warm_up else []
        if cut := buffer.trim():
            self._points.shift(cut)
        return beats

    def finish(self) -> list[Beat]:
        """End the cine.

        Returns:
            The beats that are still open: those that the delay held back, then the last, perhaps incomplete one.
        """
        beats = self._end_piece()
        self._restart(self.frames)
        return beats

    def _frame(self, index: int) -> int:
        """Frame of the cine at an index of the buffer."""
        return self._buffer.first_frame + index

    def _follow(self) -> list[Beat]:
        """Follow the smoothed curve to its end and report the beats that are complete."""
        beats: list[Beat] = []
        size, newest = self._buffer.range(), self._buffer.smooth[-1]
        if newest > 0:
            self.change = max(self.change, size / newest)
        for turn in self._points.follow(size):
            if turn.at_start:
                continue
            if turn.is_ed:
                beats += self._close_beat(self._points.turns[:-1], turn)
            (self.ed_frames if turn.is_ed else self.es_frames).append(self._frame(turn.at))
        return beats

    def _close_beat(self, turns: list[Turn], next_ed: Turn | None) -> list[Beat]:
        """Report the beat of the last ED and ES of some turning points, if it is one; `next_ed` follows them."""
        if len(turns) < 2 or not turns[-2].is_ed:
            return []
        ed, es = turns[-2], turns[-1]
        if ed.at_start and not starts_full(self._buffer, ed.at, es.at, next_ed):
            return []
        ed_frame, es_frame = self._frame(ed.at), self._frame(es.at)
        if ed.at_start:
            self.ed_frames.append(ed_frame)
        interval = float(next_ed.at - ed.at) if next_ed else None
        if interval is None and len(turns) > 2 and not turns[-3].at_start:
            interval = float(es.at - turns[-3].at)
        end = es.at if next_ed is None else next_ed.at
        if rejected := validate_beat(self._buffer, ed.at, es.at, end, interval):
            self.rejected = rejected
            self.es_frames.remove(es_frame)
            if ed_frame != self._closing_ed:
                self.ed_frames.remove(ed_frame)
            return []
        self._closing_ed = None if next_ed is None else self._frame(next_ed.at)
        self.reported_beats += 1
        return [Beat(ed_frame, es_frame, self._closing_ed, interval)]

    def _end_piece(self) -> list[Beat]:
        """End the piece of curve: follow it to its last value, then decide on the turning point that is still open."""
        self._buffer.smooth_to(len(self._buffer))
        if len(self._buffer) < MIN_CURVE_FRAMES:
            return []
        beats = self._follow()
        turns = self._points.turns
        if turns and turns[-1].at == len(self._buffer) - 1:
            beats += self._close_beat(turns, None)
        elif turns:
            beats += self._end_fall() if turns[-1].is_ed else self._end_rise()
        return beats or self._rising_beat()

    def _end_fall(self) -> list[Beat]:
        """Report the beat that ends with the fall from the last ED, if the fall ends in an ES."""
        points, buffer = self._points, self._buffer
        smooth, ed = buffer.smooth, points.turns[-1].at
        es = points.place(points.low, len(buffer) - 1, False)
        rises = max(smooth[es:]) - smooth[es] >= MIN_LAST_RISE_FRACTION * (smooth[ed] - smooth[es])
        if not (rises or (is_level(buffer, ed, es, at_start=False) and ends_empty(buffer, es, points.turns))):
            return []
        points.add(Turn(es, False))
        self.es_frames.append(self._frame(es))
        return self._close_beat(points.turns, None)

    def _end_rise(self) -> list[Beat]:
        """Report the beat before the rise from the last ES, which may end in an ED that closes it."""
        points, buffer = self._points, self._buffer
        high = points.place(points.high, len(buffer) - 1, True)
        if not ends_full(buffer, high, points.turns, has_beats=self.reported_beats > 0):
            return self._close_beat(points.turns, None)
        closing = Turn(high, True)
        beats = self._close_beat(points.turns, closing)
        points.add(closing)
        self.ed_frames.append(self._frame(high))
        return beats

    def _rising_beat(self) -> list[Beat]:
        """Report the beat of an ES and the ED after it, of a cine without any other."""
        turns = self._points.turns
        if self.reported_beats or self.rejected or len(turns) < 2 or not turns[-1].is_ed:
            return []
        es, ed = turns[-2:]
        if es.at_start and not is_level(self._buffer, es.at, ed.at, at_start=True):
            return []
        if rejected := validate_beat(self._buffer, ed.at, es.at, ed.at, None):
            self.rejected = rejected
            return []
        if es.at_start:
            self.es_frames.append(self._frame(es.at))
        self.reported_beats += 1
        return [Beat(self._frame(ed.at), self._frame(es.at))]

"""Beats from left-ventricular areas as they come: the one beat detector, for whole cines, streams and the C runtime.

The curve is smoothed a little and followed from turn to turn: a maximum is a turn once the curve has fallen from it by
a set part of the beats' range, a minimum once it has risen by as much. An end-diastole (ED) is a maximum, an
end-systole (ES) a minimum. A beat is ED, the ES after it, and the next ED, which closes it.

**Delay.** Nothing is said during the first 2 s (`WARM_UP_S`), which give the range. From then on a beat is said when
the area has fallen by `TURN` of the range beyond its closing ED and half the smoothing window has passed. What was
said is never taken back. `finish` says the last, incomplete beat.

**Ends of a piece** (of the cine, or where no ventricle is seen for longer than `GAP_S`):
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
"""

from dataclasses import dataclass

import numpy as np

from edgeecho.measure.area_curve import beat_range, is_periodic, roughness, smooth_at, smoothed

ASSUMED_FPS = 50.0
"""Sets the windows below where the frame rate is unknown; the answer hardly depends on it."""
SMOOTH_S = 0.12
"""Smoothing window that turns are looked for in, at least 5 frames, and 5 where the frame rate is unknown."""
WARM_UP_S = 2.0
"""Seconds before the first turn is looked for: a whole beat at 30 a minute."""
MEMORY_S = 4.0
"""Seconds that set the range and the noise."""
LONGEST_S = 6.0
"""A beat that reaches back farther is left out; bounds memory."""
GAP_S = 0.2
"""Longest time without a ventricle that is filled in linearly, at least 2 frames."""
TURN = 0.45
"""A turn is a fall or rise of this part of the range (EchoNet-Dynamic's code: prominence of 0.5 (p95 - p5))."""
MIN_FALL = 0.04
"""Least fall of the area from ED to ES, as a part of ED's. An EF of 10% is a fall by about 7%."""
MIN_SEEN = 0.8
"""Least part of a beat's frames that must show a ventricle."""
GLITCH = 0.3
"""A frame that differs from both neighbours, to the same side, by more than this part of their mean is not seen."""
MAX_ROUGHNESS = 0.65
"""Most `roughness`; without the glitches, if they are few, `SMOOTH` is enough."""
SMOOTH, FEW_GLITCHES = 0.35, 0.05
SHORT = 8
"""A beat of so few frames may be rough and jump if the curve repeats itself: 200 a minute at 20 fps has 6."""
MIN_SIGNAL_TO_NOISE = 5.0
"""Least fall as a multiple of what smoothing takes away (white noise reaches 4 at 20 fps)."""
JUMP = 0.8
"""A fall that is made to this part by one frame is a jump of the picture, not a contraction."""
STEEP = 4.0
"""Nor is one with a slope of this many times its mean slope between 90% and 10% (of a cosine: 1.3)."""
SCALE = 0.8
"""Half width of the window that places a turn, as a part of the frames from it until it is known, or from the turn
before if that is less."""
PLATEAU = 0.05
"""Maxima that differ by less than this part of the fall are equally high."""
EMPTIED = 0.9
"""Of the rise before, as much must a cine's last frame have fallen to be an ES."""


@dataclass(frozen=True)
class Beat:
    """One beat. Frames are 0-based indices into the cine."""

    ed_frame: int
    es_frame: int
    next_ed_frame: int | None = None
    """ED that ends the beat, None if the cine ends before it."""
    interval_frames: float | None = None
    """Length of the beat, ED to ED, else from the ES before to its ES; None if there is neither."""


@dataclass
class _Turn:
    """A turn of the curve; `at` counts from the start of the buffer and moves with it."""

    at: int
    is_ed: bool
    at_start: bool = False
    """Whether the curve was not seen coming up to it."""


class BeatTracker:
    """Finds beats in areas that come frame by frame. One cine or stream at a time."""

    def __init__(self, fps: float | None = None) -> None:
        """
        Args:
            fps: Frames per second, None if unknown.
        """
        rate = fps or ASSUMED_FPS
        self._half = max(2, round(rate * SMOOTH_S / 2)) if fps else 2
        self._warm_up = max(8, round(rate * WARM_UP_S))
        self._memory = max(24, round(rate * MEMORY_S))
        self._longest = max(48, round(rate * LONGEST_S))
        self._gap = max(2, round(rate * GAP_S))
        self.frames = self.seen = 0
        """Frames pushed, and how many of them showed a ventricle."""
        self.said = 0
        """Beats so far."""
        self.ed_frames: list[int] = []
        """Every ED so far, also those that belong to no beat."""
        self.es_frames: list[int] = []
        self.rejected: str | None = None
        """Why the last beat that was left out was."""
        self.change = 0.0
        """Largest range seen, as a part of the area."""
        self._start(0)

    def _start(self, frame: int) -> None:
        """Begin a piece of curve at a frame."""
        self._first = frame
        self._raw = np.empty(0)
        self._values = np.empty(0)
        self._shown = np.empty(0, bool)
        self._smooth: list[float] = []
        self._turns: list[_Turn] = []
        self._closing: int | None = None  # ED that closed the last beat
        self._followed = self._low = self._high = 0

    @property
    def oldest_frame(self) -> int:
        """No beat to come will name a frame before this one."""
        if not self.said and len(self._turns) > 1 and self._turns[-1].is_ed:
            return self._first + self._turns[-2].at  # the ES of `_rise`
        return self._first + max((turn.at for turn in self._turns if turn.is_ed), default=0)

    def push(self, area_px: float) -> list[Beat]:
        """Take the area of the next frame.

        Args:
            area_px: Any unit. 0 or NaN: no ventricle seen.

        Returns:
            The beats that this frame completes: mostly none, else one, in time order.
        """
        frame, self.frames = self.frames, self.frames + 1
        missing = frame - self._first - len(self._values)
        if not (np.isfinite(area_px) and area_px > 0):
            if len(self._values) and missing < self._gap:
                return []
            beats = self._close()
            self._start(frame + 1)
            return beats
        self.seen += 1
        if missing:
            ramp = np.linspace(self._values[-1], area_px, missing + 2)[1:-1]
            self._append(ramp, False)
        self._append(np.array([area_px], float), True)
        # the newest value may still turn out to be a glitch
        while len(self._smooth) < len(self._values) - 1 - self._half:
            self._smooth.append(smooth_at(self._values, len(self._smooth), self._half))
        beats = self._follow() if len(self._values) > self._warm_up else []
        self._trim()
        return beats

    def finish(self) -> list[Beat]:
        """End the cine.

        Returns:
            The beats that are still open: those that the delay held back, then the last, perhaps incomplete one.
        """
        beats = self._close()
        self._start(self.frames)
        return beats

    def _append(self, values: np.ndarray, shown: bool) -> None:
        self._raw = np.concatenate([self._raw, values])
        self._values = np.concatenate([self._values, values])
        self._shown = np.concatenate([self._shown, np.full(len(values), shown)])
        if len(self._values) >= 3:
            before, at, after = self._values[-3:]
            step, limit = min(at - before, at - after, key=abs), GLITCH * (before + after) / 2
            if (at - before) * (at - after) > 0 and abs(step) > limit:
                self._values[-2], self._shown[-2] = (before + after) / 2, False

    def _trim(self) -> None:
        """Forget what no beat can reach any more."""
        if len(self._values) < 2 * self._longest:
            return
        cut = len(self._values) - self._longest
        self._raw, self._values, self._shown = self._raw[cut:], self._values[cut:], self._shown[cut:]
        self._smooth = self._smooth[cut:]
        self._first += cut
        self._followed, self._low, self._high = (max(0, i - cut) for i in (self._followed, self._low, self._high))
        for turn in self._turns:
            turn.at -= cut
        self._turns = [turn for turn in self._turns if turn.at >= 0]

    def _follow(self) -> list[Beat]:
        """Take the smoothed curve to its end and say the beats that are complete."""
        beats: list[Beat] = []
        smooth = self._smooth
        size = beat_range(np.array(smooth[-self._memory :]))
        self.change = max(self.change, size / smooth[-1]) if smooth[-1] > 0 else self.change
        for at in range(self._followed, len(smooth)):
            least = max(TURN * size, MIN_FALL / 2 * smooth[at])
            value = smooth[at]
            if value > smooth[self._high]:
                self._high = at
            if value < smooth[self._low]:
                self._low = at
            rising = bool(self._turns) and not self._turns[-1].is_ed
            falling = bool(self._turns) and self._turns[-1].is_ed
            if not falling and smooth[self._high] - value >= least:
                beats += self._turn(self._high, at, True)
                self._low = self._high = at
            elif not rising and value - smooth[self._low] >= least:
                beats += self._turn(self._low, at, False)
                self._low = self._high = at
        self._followed = len(smooth)
        return beats

    def _turn(self, near: int, known: int, is_ed: bool) -> list[Beat]:
        """Place a turn that lies near one index and became known at another; say the beat that it closes."""
        turn = _Turn(self._place(near, known, is_ed), is_ed)
        if not self._turns:
            lead = self._smooth[: turn.at + 1]
            came = max((self._smooth[turn.at] - s if is_ed else s - self._smooth[turn.at]) for s in lead)
            turn.at_start = came < 0.1 * abs(self._smooth[turn.at] - self._smooth[known])
        self._turns = [*self._turns[-3:], turn]
        if not is_ed and not turn.at_start:
            self.es_frames.append(self._first + turn.at)
        if is_ed and not turn.at_start:
            beats = self._beat(turn)
            self.ed_frames.append(self._first + turn.at)
            return beats
        return []

    def _place(self, near: int, known: int, is_ed: bool) -> int:
        """Where a turn is: the extreme of the curve, smoothed in proportion to the time until the turn was known."""
        sign = 1 if is_ed else -1
        start = self._turns[-1].at + 1 if self._turns else 0
        reach = min(known - near, near - start + 1) if self._turns else known - near
        half = max(1, int(SCALE * (reach - 1)))
        piece = sign * np.array([smooth_at(self._values, i, half) for i in range(start, known + 1)])
        best = int(np.argmax(piece))
        if not is_ed:
            return start + best
        equal = piece[best] - PLATEAU * (piece[best] - piece[-1])
        for i in range(len(piece) - 2, best, -1):
            if piece[i] >= equal and piece[i] > piece[i + 1] and piece[i] >= piece[i - 1]:
                return start + i
        return start + best

    def _beat(self, next_ed: _Turn | None) -> list[Beat]:
        """The beat of the last ED and ES, if it is one."""
        turns = self._turns if next_ed is None else self._turns[:-1]
        if len(turns) < 2 or not turns[-2].is_ed:
            return []
        ed, es = turns[-2], turns[-1]
        if ed.at_start and not self._starts_full(ed, es, next_ed):
            return []
        if ed.at_start:
            self.ed_frames.append(self._first + ed.at)
        interval = float(next_ed.at - ed.at) if next_ed else None
        if interval is None and len(turns) > 2 and not turns[-3].at_start:
            interval = float(es.at - turns[-3].at)
        ed_frame, es_frame = self._first + ed.at, self._first + es.at
        if self._is_rejected(ed.at, es.at, es.at if next_ed is None else next_ed.at, interval):
            self.es_frames.remove(es_frame)
            if ed_frame != self._closing:
                self.ed_frames.remove(ed_frame)
            return []
        self._closing = None if next_ed is None else self._first + next_ed.at
        self.said += 1
        return [Beat(ed_frame, es_frame, self._closing, interval)]

    def _rise(self) -> list[Beat]:
        """The beat of an ES and the ED after it, of a cine without any other."""
        if self.said or self.rejected or len(self._turns) < 2 or not self._turns[-1].is_ed:
            return []
        es, ed = self._turns[-2:]
        if es.at_start and not self._is_level(es.at, ed.at, es.at):
            return []
        if self._is_rejected(ed.at, es.at, ed.at, None):
            return []
        if es.at_start:
            self.es_frames.append(self._first + es.at)
        self.said += 1
        return [Beat(self._first + ed.at, self._first + es.at)]

    def _is_rejected(self, ed: int, es: int, end: int, interval: float | None) -> bool:
        """Whether a beat is none, with the reason in `rejected`; it goes from ED, or an ES before it, to `end`."""
        start = min(ed, es)
        around = slice(max(0, start - self._memory // 2), end + self._memory // 2)
        recent, shown = self._values[around], min(self._shown[start : end + 1].mean(), self._shown[around].mean())
        fall = self._smooth[ed] - self._smooth[es]
        raw = self._values[ed : es + 1] if ed < es else self._values[es : ed + 1][::-1]
        regular = interval is not None and interval <= SHORT and is_periodic(recent, round(interval))
        smooth = 1 - shown <= FEW_GLITCHES and roughness(recent) <= SMOOTH
        jumps = -np.diff(raw).min() > JUMP * (raw[0] - raw[-1])
        if fall < MIN_FALL * self._smooth[ed]:
            self.rejected = f"the area changes by only {100 * fall / self._smooth[ed]:.1f}%: no beat to measure"
        elif not (regular or smooth) and roughness(self._raw[around]) > MAX_ROUGHNESS:
            self.rejected = "the area jumps from frame to frame as noise does: no beat to measure"
        elif not regular and fall < MIN_SIGNAL_TO_NOISE * float(np.std(recent - smoothed(recent, self._half))):
            self.rejected = "the area curve is too noisy to tell beats apart"
        elif not regular and (jumps or (ed < es and self._is_staircase(ed, es))):
            self.rejected = "the area jumps from one frame to the next: no beat to measure"
        elif shown < MIN_SEEN:
            self.rejected = "left ventricle found in too few frames of the beat"
        else:
            return False
        return True

    def _is_staircase(self, ed: int, es: int) -> bool:
        """Whether a fall is made by a few jumps; a rise may be, as the ventricle fills in two."""
        curve = np.array(self._smooth[ed : es + 1])
        part = (curve - curve[-1]) / (curve[0] - curve[-1])
        start = int(np.flatnonzero(part >= 0.9)[-1])
        length = int(np.argmax(part[start:] <= 0.1))
        return float(-np.diff(part).min()) > STEEP * 0.8 / max(1, length)

    def _starts_full(self, ed: _Turn, es: _Turn, next_ed: _Turn | None) -> bool:
        """Whether the curve starts with an ED: level, and as high as at the next ED where one is seen."""
        level = self._is_level(ed.at, es.at, ed.at)
        if next_ed is None:
            return level
        smooth, low = self._smooth, self._smooth[es.at]
        return smooth[ed.at] - low >= (0.75 if level else 0.9) * (smooth[next_ed.at] - low)

    def _is_level(self, start: int, stop: int, end: int) -> bool:
        """Whether the curve is level at one end of a fall or rise: its slope there is at most half of the steepest."""
        sign = 1 if self._smooth[start] > self._smooth[stop] else -1
        curve, few = sign * np.array(self._smooth[start : stop + 1]), max(1, (stop - start) // 4)
        fall = curve[0] - curve[few] if end == start else curve[-1 - few] - curve[-1]
        return bool(fall / few <= 0.5 * -np.diff(curve).min())

    def _is_emptied(self, es: int) -> bool:
        """Whether the curve falls from the last ED as far as it had risen to it, where that is known."""
        if len(self._turns) < 2 or self._turns[-2].at_start:
            return True
        high, low = self._smooth[self._turns[-1].at], self._smooth[self._turns[-2].at]
        return high - self._smooth[es] >= EMPTIED * (high - low)

    def _close(self) -> list[Beat]:
        """End the piece."""
        return self._close_turns() or self._rise()

    def _close_turns(self) -> list[Beat]:
        """Follow the curve to its last value, then decide on the turn that is still open."""
        while len(self._smooth) < len(self._values):
            self._smooth.append(smooth_at(self._values, len(self._smooth), self._half))
        if len(self._values) < 5:
            return []
        beats = self._follow()
        if not self._turns:
            return beats
        smooth, last, before = self._smooth, len(self._values) - 1, self._turns[-1]
        if before.at == last:
            return beats + self._beat(None)
        if before.is_ed:
            near = self._low
            es = self._place(near, last, False)
            came_back = max(smooth[es:]) - smooth[es] >= 0.1 * (smooth[before.at] - smooth[es])
            if came_back or (self._is_level(before.at, es, es) and self._is_emptied(es)):
                self._turns.append(_Turn(es, False))
                self.es_frames.append(self._first + es)
                beats += self._beat(None)
            return beats
        high = self._place(self._high, last, True)
        size = beat_range(np.array(smooth[-self._memory :]))
        low = smooth[before.at]
        if ed_seen := len(self._turns) > 1:
            size = max(size, fall := smooth[self._turns[-2].at] - low)
        else:
            fall = max(smooth[: before.at + 1]) - low
        full = smooth[high] - low >= 0.95 * fall
        full = full and (ed_seen or (not self.said and self._is_level(before.at, high, high)))
        full = full or smooth[high] - min(smooth[high:]) >= 0.2 * size
        if not full:
            return beats + self._beat(None)
        closing = _Turn(high, True)
        self._turns.append(closing)
        beats += self._beat(closing)
        self.ed_frames.append(self._first + high)
        return beats

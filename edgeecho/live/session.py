"""A live session: one thread reads frames, one segments the newest, and everyone else sees the newest state."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue

import numpy as np

from edgeecho.cine import to_grey
from edgeecho.errors import EdgeEchoError
from edgeecho.live.newest import Frame, Newest
from edgeecho.live.recording import Recording
from edgeecho.live.source import EndOfSourceError, LostSourceError, Source
from edgeecho.live.state import Budget, LiveState
from edgeecho.live.timed_engine import TimedEngine
from edgeecho.measure import outline
from edgeecho.preprocess import AUTO, Roi
from edgeecho.reasons import Level
from edgeecho.runtime import FrameResult, StreamingPredictor
from edgeecho.runtime.ef_interval import ef_interval

RETRY_S = 1.0
"""Pause before a lost source is tried again."""
MAX_BEATS = 20
OUTLINE_POINTS = 90
Listener = Callable[[LiveState], None]


class LiveSession:
    """Segments the frames of a source until it ends or is closed.

    A frame that comes while the one before is at work replaces the one that waits, and is counted: nothing is queued.
    Listeners are called in the thread that segments, and must return at once.
    """

    def __init__(
        self, source: Source, predictor: StreamingPredictor, recording: Recording, *, loop: bool = False
    ) -> None:
        """
        Args:
            source: Where frames come from.
            predictor: An opened stream model; the session alone uses it.
            recording: Keeps the last seconds.
            loop: Whether a file begins again at its end, as a new cine.
        """
        self.source, self.predictor, self.recording = source, predictor, recording
        self._loop = loop
        self._engine = TimedEngine(predictor.stream_engine)
        predictor.use_engine(self._engine)
        self._newest, self._orders = Newest(), SimpleQueue[Callable[[], None]]()
        self._listeners: list[Listener] = []
        self._state = LiveState()
        self._done, self._publishing = threading.Event(), threading.Lock()
        self._is_frozen, self._failure = False, ""
        self._waiting: deque[tuple[np.ndarray, float]] = deque()  # frames without a result, and when they came
        self._first_s: float | None = None
        self._recent: deque[float] = deque(maxlen=64)
        self._missing_before = 0
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._segment)]

    @property
    def state(self) -> LiveState:
        """The newest state."""
        return self._state

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wait(self) -> LiveState:
        """Wait until the source has ended or failed, and return the last state."""
        self._threads[1].join()
        return self._state

    def close(self) -> None:
        """End, and give the source back."""
        self._done.set()
        self._newest.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)
        self.source.close()

    def listen(self, listener: Listener) -> None:
        """Call a function with each new state."""
        self._listeners.append(listener)

    def freeze(self, is_frozen: bool) -> None:
        """Stop or go on; going on begins a new cine."""

        def order() -> None:
            self._is_frozen = is_frozen
            if not is_frozen:
                self._restart()
            self._publish(status="frozen" if is_frozen else "live")

        self._orders.put(order)

    def reset(self, *, new_patient: bool = False) -> None:
        """Begin a new cine; for a new patient what was recorded is forgotten, and the view is searched again."""

        def order() -> None:
            if new_patient:
                self.recording.clear()
                self.predictor.set_view(None, AUTO)
            self._restart()

        self._orders.put(order)

    def set_view(self, roi: Roi | None, flip: str) -> None:
        """Set the region, None to search it, and the orientation, `auto` to search it; this begins a new cine."""

        def order() -> None:
            self.predictor.set_view(roi, flip)
            self._restart()

        self._orders.put(order)

    def _restart(self) -> None:
        self._missing_before += self.predictor.frames_dropped
        self.predictor.reset()
        self._waiting.clear()
        self._first_s = None

    def _read(self) -> None:
        """Read frames until the end; a lost source is tried again."""
        while not self._done.is_set():
            try:
                frame = self.source.read()
            except LostSourceError:
                self._publish(status="lost", message=f"{self.source.name}: no frames; it is tried again")
                if not self._done.wait(RETRY_S):
                    self.source.restart()
                continue
            except EndOfSourceError:
                if self._loop:
                    self.source.restart()
                    self._orders.put(self._restart)
                    continue
                self._newest.close()
                return
            except EdgeEchoError as error:
                self._failure = " ".join(str(error).split())
                self._newest.close()
                return
            self._newest.put(Frame(frame, time.monotonic()), wait=self.source.is_waiting)

    def _segment(self) -> None:
        """Segment the newest frame until there is none any more."""
        while not self._done.is_set():
            frame = self._newest.take()
            if frame is None:
                break
            self._obey()
            if self._is_frozen:
                continue
            try:
                self._push(frame)
            except EdgeEchoError as error:
                self._publish(status="live", message=" ".join(str(error).split()))
                self._restart()
        self._obey()
        if not self._done.is_set():
            for result in self.predictor.flush():
                self._show(result, 0.0, 0.0, time.monotonic())
            ended = ("failed", self._failure) if self._failure else ("ended", "the source has ended")
            self._publish(status=ended[0], message=ended[1])

    def _obey(self) -> None:
        while True:
            try:
                order = self._orders.get_nowait()
            except Empty:
                return
            try:
                order()
            except EdgeEchoError as error:
                self._publish(message=" ".join(str(error).split()))

    def _push(self, frame: Frame) -> None:
        started = time.perf_counter()
        grey = to_grey(frame.pixels[None])[0]
        if self._waiting and grey.shape != self._waiting[0][0].shape:
            self._restart()  # the source has changed its size
        self._engine.seconds = 0.0
        self._first_s = frame.time_s if self._first_s is None else self._first_s
        self.recording.add(grey, frame.time_s)
        self._waiting.append((grey, frame.time_s))
        result = self.predictor.push(grey, frame.time_s)
        whole = time.perf_counter() - started
        self._recent.append(frame.time_s)
        if result is not None:
            self._show(result, self._engine.seconds, whole, frame.time_s)

    def _show(self, result: FrameResult, network_s: float, whole_s: float, came_s: float) -> None:
        grey, time_s = self._waiting.popleft()
        line = outline(result.mask)
        chosen = line[:: max(1, len(line) // OUTLINE_POINTS)].tolist()
        predictor, rate = self.predictor, self.source.fps
        decisive = [f for f in result.findings if f.level >= Level.REVIEW]
        worst = max((f.level for f in decisive), default=Level.NOTE)
        used = [beat.ef_percent for beat in predictor.beats if beat.is_used]
        roi = result.view.roi
        recent = [moment for moment in self._recent if came_s - moment <= 1.0]
        milliseconds = (network_s * 1e3, whole_s * 1e3, (time.monotonic() - came_s) * 1e3)
        self._publish(
            status="live",
            message="",
            frame=result.frame,
            time_s=time_s - (self._first_s or time_s),
            area_px=result.area_px,
            confidence=result.confidence,
            outline=tuple((x, y) for x, y in chosen),
            ef_percent=result.ef_percent,
            ef_interval=ef_interval(predictor.info.name, result.ef_percent, used),
            heart_rate_bpm=result.heart_rate_bpm,
            verdict=result.verdict,
            reasons=tuple(dict.fromkeys(f.text for f in decisive if f.level == worst)),
            beats=tuple(beat.to_dict() for beat in predictor.beats[-MAX_BEATS:]),
            roi=(roi.x, roi.y, roi.width, roi.height),
            flip=result.view.orientation.flip,
            view_fixed=predictor.is_view_fixed,
            dropped=self._newest.dropped + self._missing_before + predictor.frames_dropped,
            fps=float(len(recent)),
            budget=Budget(*milliseconds, 1e3 / rate if rate else None),
            picture=grey,
        )

    def _publish(self, **changes: object) -> None:
        with self._publishing:
            self._state = replace(self._state, number=self._state.number + 1, **changes)  # type: ignore[arg-type]
            for listener in self._listeners:
                listener(self._state)

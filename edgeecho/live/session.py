"""A live session: one thread reads frames, one segments the newest, and everyone else sees the newest state."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue

from edgeecho.cine import to_grey
from edgeecho.errors import EdgeEchoError
from edgeecho.live.figures import LiveFigures
from edgeecho.live.newest import Frame, Newest
from edgeecho.live.recording import Recording
from edgeecho.live.source import EndOfSourceError, LostSourceError, Source
from edgeecho.live.state import Budget, LiveState
from edgeecho.live.timed_engine import TimedEngine
from edgeecho.preprocess import AUTO, Roi
from edgeecho.runtime import FrameResult, StreamingPredictor

RETRY_S = 1.0
"""Pause before a lost source is tried again."""
PATIENCE_S = 0.1
"""Longest wait for a frame before orders are looked at."""
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
        self._engine = TimedEngine(predictor.engine)
        predictor.use_engine(self._engine)
        self._figures = LiveFigures(predictor)
        self._newest, self._orders = Newest(), SimpleQueue[Callable[[], None]]()
        self._listeners: list[Listener] = []
        self._state = LiveState()
        self._done, self._publishing = threading.Event(), threading.Lock()
        self._is_frozen = False
        self._failure: Exception | None = None
        self._waiting: deque[Frame] = deque()  # frames without a result
        self._recent: deque[float] = deque()  # when the frames of the last second came
        self._begun_s: float | None = None  # when the first frame of the cine came
        self._missing_before = 0
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in (self._read, self._segment)
        ]

    @property
    def state(self) -> LiveState:
        """The newest state."""
        return self._state

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wait(self) -> LiveState:
        """Wait until the source has ended, and return the last state.

        Raises:
            Exception: What a thread or a listener raised.
        """
        self._threads[1].join()
        if self._failure:
            raise self._failure
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
        """Begin a new cine: no figure of the one before is shown any more."""
        self._missing_before += self.predictor.frames_dropped
        self.predictor.reset()
        self._waiting.clear()
        self._begun_s = None
        self._publish(**self._figures.reset())

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run a thread; what it raises ends the session, is shown, and is raised by `wait`."""
        try:
            work()
        except Exception as error:  # a thread that ends in silence would leave the last picture standing
            self._failure = self._failure or error
            self._newest.close()
            with contextlib.suppress(Exception):  # a listener may be what failed
                self._publish(status="failed", message=_line(error))

    def _read(self) -> None:
        """Read frames until the end; a lost source is tried again."""
        begins = False
        while not self._done.is_set():
            try:
                pixels, time_s = self.source.read()
            except LostSourceError:
                self._publish(status="lost", message=f"{self.source.name}: no frames; it is tried again")
                if not self._done.wait(RETRY_S):
                    self.source.restart()
                continue
            except EndOfSourceError:
                if not self._loop:
                    self._newest.close()
                    return
                self.source.restart()
                begins = True
                continue
            self._newest.put(Frame(pixels, time.monotonic(), time_s, begins), wait=self.source.is_waiting)
            begins = False

    def _segment(self) -> None:
        """Segment the newest frame until there is none any more."""
        while not self._done.is_set() and not self._newest.is_closed:
            frame = self._newest.take(PATIENCE_S)
            self._obey()
            if frame is None or self._is_frozen:
                continue
            try:
                self._push(frame)
            except EdgeEchoError as error:
                self._restart()
                self._publish(status="live", message=_line(error))
        self._obey()
        if not self._done.is_set() and not self._failure:
            self._flush()
            self._publish(status="ended", message="the source has ended", **self._figures.at_end())

    def _obey(self) -> None:
        while True:
            try:
                order = self._orders.get_nowait()
            except Empty:
                return
            try:
                order()
            except EdgeEchoError as error:
                self._publish(message=_line(error))

    def _push(self, frame: Frame) -> None:
        started = time.perf_counter()
        grey = to_grey(frame.pixels[None])[0]
        if frame.begins:
            self._flush()
        if frame.begins or (self._waiting and grey.shape != self._waiting[0].pixels.shape):
            self._restart()
        self._begun_s = frame.came_s if self._begun_s is None else self._begun_s
        self._engine.seconds = 0.0
        self.recording.add(grey, frame.came_s)
        self._waiting.append(replace(frame, pixels=grey))
        result = self.predictor.push(grey, frame.time_s)
        whole = time.perf_counter() - started
        self._recent.append(frame.came_s)
        while frame.came_s - self._recent[0] > 1.0:
            self._recent.popleft()
        if result is not None:
            self._show(result, self._engine.seconds, whole, frame.came_s)

    def _flush(self) -> None:
        """End the cine, and show the results that are still due."""
        for result in self.predictor.flush():
            self._show(result, 0.0, 0.0, time.monotonic())

    def _show(self, result: FrameResult, network_s: float, whole_s: float, came_s: float) -> None:
        shown, rate = self._waiting.popleft(), self.source.fps
        milliseconds = (network_s * 1e3, whole_s * 1e3, (time.monotonic() - came_s) * 1e3)
        self._publish(
            status="live",
            message="",
            time_s=shown.came_s - (self._begun_s or shown.came_s),
            dropped=self._newest.dropped + self._missing_before + self.predictor.frames_dropped,
            fps=float(len(self._recent)),
            budget=Budget(*milliseconds, 1e3 / rate if rate else None),
            picture=shown.pixels,
            **self._figures.of(result),
        )

    def _publish(self, **changes: object) -> None:
        with self._publishing:
            self._state = replace(self._state, number=self._state.number + 1, **changes)  # type: ignore[arg-type]
            for listener in self._listeners:
                listener(self._state)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, EdgeEchoError) else f"{type(error).__name__}: {text}"

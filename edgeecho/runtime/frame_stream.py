"""A stream graph, run frame by frame: its state, its first frame, its delay and its last frame."""

from collections.abc import Callable

import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.interface import StreamEngine


def empty_state(spec: ModelSpec) -> dict[str, np.ndarray]:
    """Return the state before the first frame: tensors by name, filled with the value that stands for 0."""
    return {t.name: np.full(t.shape, t.zero_point, t.dtype) for t in spec.state}


class FrameStream:
    """Network frames in, probability maps out, equal to those of a clip graph. One cine at a time.

    The result of a frame depends on no frame older than `context_frames[0]` frames before it. So the first frame is
    run that many times more than once: this replaces the empty state, and the cine behaves as if its first frame had
    stood still for ever. The result of a frame is ready `context_frames[1]` frames later; at the end the last frame is
    run that many times more.
    """

    def __init__(self, engine: StreamEngine, spec: ModelSpec) -> None:
        """
        Args:
            engine: An opened stream graph.
            spec: Spec of the graph.
        """
        self.before_frames, self.delay_frames = spec.context_frames
        self._engine, self._spec = engine, spec
        self._outputs = ["prob", *(f"next_{tensor.name}" for tensor in spec.state)]
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a cine."""
        self._state = empty_state(self._spec)
        self._last: np.ndarray | None = None
        self._results = -self.delay_frames  # number of results of frames, once it is positive

    def push(self, frame: np.ndarray) -> np.ndarray | None:
        """Run the next frame.

        Args:
            frame: uint8 (S, S).

        Returns:
            prob, uint8 (S, S), of the frame `delay_frames` earlier; None where there is no such frame.

        Raises:
            ShapeError: If the frame does not have the network's size and type.
        """
        size = self._spec.size_px
        if frame.shape != (size, size) or frame.dtype != np.uint8:
            raise ShapeError(f"expected a frame uint8 ({size}, {size}), got {frame.dtype} {frame.shape}")
        if self._last is None:
            for _ in range(self.before_frames):
                self._run(frame)
        self._last = frame
        return self._next(frame)

    def flush(self) -> list[np.ndarray]:
        """End the cine and return the maps that are still due, at most `delay_frames`. The next frame begins a cine."""
        last = self._last
        due = [] if last is None else [self._next(last) for _ in range(self.delay_frames)]
        self.reset()
        return [prob for prob in due if prob is not None]

    def _next(self, frame: np.ndarray) -> np.ndarray | None:
        prob = self._run(frame)
        self._results += 1
        return prob if self._results > 0 else None

    def _run(self, frame: np.ndarray) -> np.ndarray:
        found = self._engine.run(self._outputs, {"frame": np.ascontiguousarray(frame)[None, None], **self._state})
        self._state = dict(zip(self._state, found[1:], strict=True))
        prob: np.ndarray = found[0][0, 0]
        return prob

    def whole(self, frames: np.ndarray, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Run a cine from its first frame to its last.

        Args:
            frames: uint8 (T, S, S).
            progress: Called with frames done and T.

        Returns:
            prob, uint8 of the same shape.
        """
        self.reset()
        maps: list[np.ndarray] = []
        for done, frame in enumerate(frames, 1):
            prob = self.push(frame)
            maps += [] if prob is None else [prob]
            if progress:
                progress(done, len(frames))
        return np.stack(maps + self.flush())

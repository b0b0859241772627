"""A stream graph run frame by frame: its state, its first frame, its delay and its last frame."""

from collections.abc import Callable

import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.engine import StreamEngine


def empty_state(spec: ModelSpec) -> dict[str, np.ndarray]:
    """What a stream carries into its first frame: each tensor, by name, full of what stands for 0."""
    return {t.name: np.full(t.shape, t.zero_point, t.dtype) for t in spec.state}


class FrameStream:
    """Network frames in, probability maps out, as a clip graph gives them for the whole cine. One cine at a time.

    Nothing older than `context_frames[0]` frames before a frame bears on its answer. So the first frame is run that
    many times more than once, and what was carried before is forgotten: the cine then behaves as if its first frame
    had stood still for ever. The answer to a frame comes `context_frames[1]` frames later; at the end the last frame
    is run that many times more.
    """

    def __init__(self, engine: StreamEngine, spec: ModelSpec) -> None:
        """
        Args:
            engine: An opened stream graph.
            spec: Its spec.
        """
        self.before_frames, self.delay_frames = spec.context_frames
        self._engine, self._spec = engine, spec
        self._outputs = ["prob", *(f"next_{tensor.name}" for tensor in spec.state)]
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is a first one."""
        self._state = empty_state(self._spec)
        self._last: np.ndarray | None = None
        self._answers = -self.delay_frames  # to real frames, once it is positive

    def push(self, frame: np.ndarray) -> np.ndarray | None:
        """Run the next frame.

        Args:
            frame: uint8 (S, S).

        Returns:
            prob, uint8 (S, S), of the frame `delay_frames` earlier; None where there is no such frame.

        Raises:
            ShapeError: If the frame is none of the network's.
        """
        size = self._spec.size_px
        if frame.shape != (size, size) or frame.dtype != np.uint8:
            raise ShapeError(f"expected a frame uint8 ({size}, {size}), got {frame.dtype} {frame.shape}")
        if self._last is None:
            for _ in range(self.before_frames):
                self._run(frame)
        self._last = frame
        return self._answer(frame)

    def flush(self) -> list[np.ndarray]:
        """End the cine: the answers that are still due, at most `delay_frames`. The next frame is a first one."""
        last = self._last
        due = [] if last is None else [self._answer(last) for _ in range(self.delay_frames)]
        self.reset()
        return [prob for prob in due if prob is not None]

    def _answer(self, frame: np.ndarray) -> np.ndarray | None:
        prob = self._run(frame)
        self._answers += 1
        return prob if self._answers > 0 else None

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
        answers: list[np.ndarray] = []
        for done, frame in enumerate(frames, 1):
            prob = self.push(frame)
            answers += [] if prob is None else [prob]
            if progress:
                progress(done, len(frames))
        return np.stack(answers + self.flush())

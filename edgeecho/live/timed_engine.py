"""An engine that measures how long it ran, for the frame budget."""

import time

import numpy as np

from edgeecho.runtime.engines.interface import StreamEngine


class TimedEngine:
    """A stream engine with a clock."""

    def __init__(self, engine: StreamEngine) -> None:
        """
        Args:
            engine: The engine that runs.
        """
        self._engine, self.runtime, self.version = engine, engine.runtime, engine.version
        self.seconds = 0.0
        """Time in the engine since it was last set to 0."""

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the graph."""
        started = time.perf_counter()
        found = self._engine.run(outputs, inputs)
        self.seconds += time.perf_counter() - started
        return found

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip graph."""
        return self._engine.infer(frames)

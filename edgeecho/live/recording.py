"""The last seconds of a live stream, kept in memory, and saved as a cine with its results."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from edgeecho.batch import CineOptions, CineTask, Settings
from edgeecho.batch.segment_cine import segment_cine
from edgeecho.errors import VideoError
from edgeecho.report.results import write_arrays
from edgeecho.runtime import CinePredictor

MAX_BYTES = 512 << 20
"""Most memory that the frames may take; older ones go first."""


class Recording:
    """Frames of the last seconds."""

    def __init__(
        self, seconds: float, spacing_mm: tuple[float, float] | None, opener: Callable[[], CinePredictor]
    ) -> None:
        """
        Args:
            seconds: How much is kept; 0 keeps the newest frame alone.
            spacing_mm: (row, column) mm per pixel, None if unknown.
            opener: Opens the model that segments what is saved, when it is first needed.
        """
        self._seconds, self._spacing, self._opener = seconds, spacing_mm, opener
        self._frames: deque[tuple[np.ndarray, float]] = deque()
        self._bytes = 0
        self._lock, self._saving = threading.Lock(), threading.Lock()
        self._predictor: CinePredictor | None = None

    def add(self, frame: np.ndarray, time_s: float) -> None:
        """Keep a frame, uint8 (H, W), and drop those that are too old."""
        with self._lock:
            if self._frames and self._frames[-1][0].shape != frame.shape:
                self._frames.clear()
                self._bytes = 0
            self._frames.append((frame, time_s))
            self._bytes += frame.nbytes
            while time_s - self._frames[0][1] > self._seconds or self._bytes > MAX_BYTES:
                self._bytes -= self._frames.popleft()[0].nbytes

    def clear(self) -> None:
        """Forget every frame."""
        with self._lock:
            self._frames.clear()
            self._bytes = 0

    def save(self, folder: Path) -> Path:
        """Write the frames as NAME.cine.npz, segment them, and write the results beside it.

        Returns:
            NAME.json of the results.

        Raises:
            VideoError: If there are no frames, or they cannot be segmented.
            OutputError: If a file cannot be written.
        """
        with self._lock:
            kept = list(self._frames)
        if not kept:
            raise VideoError("there are no frames to save yet")
        with self._saving:
            frames = np.stack([frame for frame, _ in kept])
            times = np.array([time_s for _, time_s in kept])
            times -= times[0]
            fps = float((len(times) - 1) / times[-1]) if times[-1] > 0 else None
            name = datetime.now().astimezone().strftime("live-%Y%m%d-%H%M%S-%f")
            arrays = {"frames": frames}
            arrays |= {} if self._spacing is None else {"spacing_mm": np.array(self._spacing)}
            arrays |= {} if fps is None else {"fps": np.array(fps)}
            cine = folder / f"{name}.cine.npz"
            write_arrays(cine, arrays)
            self._predictor = self._predictor or self._opener()
            task = CineTask(str(cine), name, CineOptions())
            outcome = segment_cine(self._predictor, task, Settings(out=str(folder)))
            if outcome.error:
                raise VideoError(outcome.error)
            return Path(outcome.files[-1])

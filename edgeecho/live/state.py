"""What a live session shows at one moment: values for the page, the lines of JSON, and the tests."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Budget:
    """Milliseconds of the newest frame, and the time between two frames."""

    network: float = 0.0
    whole: float = 0.0
    latest: float = 0.0
    """From the frame's arrival to its result, the delay of the network apart."""
    frame: float | None = None
    """Time between two frames at the source's rate; None if that is unknown."""


@dataclass(frozen=True, eq=False)
class LiveState:
    """The newest result of a live session."""

    number: int = 0
    """Rises by one with each change."""
    status: str = "waiting"
    """`waiting` for the first frame, `live`, `frozen`, `lost` (the source), `ended`, or `failed`."""
    message: str = ""
    """One line for the user, such as why it failed."""
    frame: int = -1
    """Index of the frame since the reset, -1 before the first."""
    time_s: float = 0.0
    """When the frame came, since the first."""
    area_px: float = 0.0
    confidence: float = 0.0
    outline: tuple[tuple[float, float], ...] = ()
    """x and y in pixels of the frame."""
    ef_percent: float | None = None
    ef_interval: tuple[float, float] | None = None
    heart_rate_bpm: float | None = None
    verdict: str = "withhold"
    reasons: tuple[str, ...] = ()
    """Sentences of the level that decides."""
    beats: tuple[dict[str, Any], ...] = ()
    """Beats so far, at most the last 20."""
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    flip: str = "none"
    view_fixed: bool = False
    dropped: int = 0
    """Frames that came while the one before was still at work, or are missing between the times."""
    fps: float = 0.0
    """Frames a second that were segmented, over the last second."""
    budget: Budget = field(default_factory=Budget)
    picture: np.ndarray | None = None
    """The frame, uint8 (H, W)."""

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON, without the picture; its size is `width` and `height`."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "picture"}
        height, width = self.picture.shape if self.picture is not None else (0, 0)
        return values | {"budget": asdict(self.budget), "width": width, "height": height}

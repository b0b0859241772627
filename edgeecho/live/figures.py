"""Values of a live state from the result of a frame; those of the beats are made anew only when a beat is complete."""

from collections.abc import Sequence
from typing import Any

from edgeecho.measure import outline
from edgeecho.reasons import Finding, Level, verdict_of, worst_level
from edgeecho.runtime import FrameResult, StreamingPredictor
from edgeecho.runtime.ef_interval import ef_interval

MAX_BEATS = 20
"""Beats that a state has at most, the newest ones."""
OUTLINE_POINTS = 90
"""Points of an outline, about."""


class LiveFigures:
    """Turns the results of a stream into values of a `LiveState`."""

    def __init__(self, predictor: StreamingPredictor) -> None:
        """
        Args:
            predictor: The stream.
        """
        self._predictor = predictor
        self.reset()

    def reset(self) -> dict[str, Any]:
        """Forget the beats, and return the values of a state before the first result."""
        self._beats: tuple[dict[str, Any], ...] = ()
        self._used_ef: list[float] = []
        return {
            "frame": -1,
            "area_px": 0.0,
            "confidence": 0.0,
            "outline": (),
            "ef_percent": None,
            "ef_interval": None,
            "heart_rate_bpm": None,
            "verdict": "withhold",
            "reasons": (),
            "beats": (),
            "view_fixed": False,
        }

    def of(self, result: FrameResult) -> dict[str, Any]:
        """Return the values of a result."""
        for beat in result.beats:
            self._beats = (*self._beats, beat.to_dict())[-MAX_BEATS:]
            self._used_ef += [beat.ef_percent] if beat.is_used else []
        line = outline(result.mask)
        roi = result.view.roi
        return {
            "frame": result.frame,
            "area_px": result.area_px,
            "confidence": result.confidence,
            "outline": tuple((x, y) for x, y in line[:: max(1, len(line) // OUTLINE_POINTS)].tolist()),
            "roi": (roi.x, roi.y, roi.width, roi.height),
            "flip": result.view.orientation.flip,
            "view_fixed": self._predictor.is_view_fixed,
            **self._summary(result.ef_percent, result.heart_rate_bpm, result.findings),
        }

    def at_end(self) -> dict[str, Any]:
        """Return the values of the whole cine, once the stream was flushed: beats that were open are measured then."""
        measured, findings = self._predictor.measured, self._predictor.findings
        assert measured is not None
        self._beats = tuple(beat.to_dict() for beat in self._predictor.beats[-MAX_BEATS:])
        self._used_ef = [beat.ef_percent for beat in self._predictor.beats if beat.is_used]
        is_withheld = worst_level(findings) == Level.WITHHOLD
        return self._summary(None if is_withheld else measured.ef_percent, measured.heart_rate_bpm, findings)

    def _summary(self, ef: float | None, rate: float | None, findings: Sequence[Finding]) -> dict[str, Any]:
        worst = worst_level(findings)
        decisive = [finding.text for finding in findings if finding.level == worst > Level.NOTE]
        return {
            "ef_percent": ef,
            "ef_interval": ef_interval(self._predictor.info.name, ef, self._used_ef),
            "heart_rate_bpm": rate,
            "verdict": verdict_of(findings),
            "reasons": tuple(dict.fromkeys(decisive)),
            "beats": self._beats,
        }

"""A check of the figures of a stored result, which a person or another program may have changed since."""

from collections.abc import Callable, Mapping
from typing import Any

from edgeecho.preprocess.orientation import FLIPS
from edgeecho.reasons import VERDICTS, Level, Reason

Check = Callable[[Any], bool]
"""Function that tells whether a value makes sense."""
_MODEL_KEYS = ("name", "sha256", "form", "precision", "runtime", "runtime_version", "licence")
_FIGURES = ("ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm")
_MAX_NUMBER = 1e15


def find_fault(figures: Mapping[str, Any]) -> str:
    """Return the first key of a result that is missing or has a value that makes no sense; empty if there is none."""
    total = figures.get("frames")
    if not _is_whole(total, 1):
        return "frames"
    checks = _checks(int(total or 0))
    optional = _optional_checks(int(total or 0))
    for key, is_sound in (checks | optional).items():
        if (key in figures or key in checks) and not is_sound(figures.get(key, _MISSING)):
            return key
    before = figures.get("automatic")
    if before is None:
        return ""
    if not isinstance(before, dict):
        return "automatic"
    fault = find_fault(before | {"area_px": figures["area_px"], "automatic": None})
    return fault and f"automatic.{fault}"


_MISSING = object()
"""Stands for a value that is not there."""


def _checks(total: int) -> dict[str, Check]:
    """Return the checks of the keys that every result has."""

    def is_frame(value: Any) -> bool:
        return _is_whole(value, 0) and value < total

    def is_beat(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(is_frame(value.get(key)) for key in ("ed_frame", "es_frame"))
            and all(_is_number_or_none(value.get(key, _MISSING)) for key in _FIGURES)
            and isinstance(value.get("is_used"), bool)
            and _is_list_of(_is_code)(value.get("reasons"))
            and value.get("by_hand") in (None, "left out", "chosen")
        )

    return {
        "input": _is_text,
        "height": lambda value: _is_whole(value, 1),
        "width": lambda value: _is_whole(value, 1),
        "fps": lambda value: value is None or (_is_number(value) and value > 0),
        "spacing_mm": lambda value: value is None or _are_positive(value, 2),
        "roi": _is_list_of(lambda value: _is_whole(value, -(1 << 31)), 4),
        "flip": lambda value: value in FLIPS,
        "area_px": _is_list_of(_is_number, total),
        "ed_frames": _is_list_of(is_frame),
        "es_frames": _is_list_of(is_frame),
        "beats": _is_list_of(is_beat),
        **dict.fromkeys(_FIGURES, _is_number_or_none),
        "ef_interval": lambda value: value is None or _is_list_of(_is_number, 2)(value),
        "verdict": lambda value: value in VERDICTS,
        "reasons": _is_list_of(_is_reason),
        "warnings": _is_list_of(_is_text),
        "quality": lambda value: isinstance(value, dict) and all(map(_is_number_or_none, value.values())),
        "model": lambda value: isinstance(value, dict) and all(_is_text(value.get(key)) for key in _MODEL_KEYS),
    }


def _optional_checks(total: int) -> dict[str, Check]:
    """Return the checks of the keys that only corrected results have, and that those of earlier versions lack."""
    return {
        "aspect": lambda value: _is_number(value) and value > 0,
        "run": lambda value: value is None or (isinstance(value, dict) and _is_text(value.get("input_sha256"))),
        "corrections": _is_list_of(_is_text),
        "corrected_frames": _is_list_of(lambda value: _is_whole(value, 0) and value < total),
        "accepted": _is_list_of(_is_code),
    }


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < _MAX_NUMBER


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_MAX_NUMBER < value < _MAX_NUMBER


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _are_positive(value: Any, count: int) -> bool:
    return _is_list_of(_is_number, count)(value) and min(value) > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and value.upper() in Reason.__members__


def _is_reason(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_code(value.get("code"))
        and isinstance(value.get("level"), str)
        and value["level"].upper() in Level.__members__
        and _is_text(value.get("text"))
    )


def _is_list_of(is_sound: Check, count: int | None = None) -> Check:
    """Return the check that a value is a list of so many sound values; None stands for any number."""
    return lambda value: isinstance(value, list) and count in (None, len(value)) and all(map(is_sound, value))

"""Orders of a page to a session: freeze, reset, new patient, region, orientation, save."""

from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError
from edgeecho.live.session import LiveSession
from edgeecho.preprocess import AUTO, Roi


def obey(session: LiveSession, order: Any, folder: Path) -> str:
    """Carry an order out and return a sentence for the page, empty if there is nothing to say.

    Args:
        session: The session.
        order: `{"do": NAME, ...}` with the values of that order.
        folder: Where recordings are saved.

    Raises:
        ConfigError: If it is no order.
        EdgeEchoError: If it cannot be carried out.
    """
    name = order.get("do") if isinstance(order, dict) else None
    if name in ("freeze", "go"):
        session.freeze(name == "freeze")
        return ""
    if name in ("reset", "new_patient"):
        session.reset(new_patient=name == "new_patient")
        return "new patient: what was recorded is forgotten" if name == "new_patient" else "begun again"
    if name == "view":
        session.set_view(_roi(order.get("roi")), _flip(order.get("flip")))
        return "region set" if order.get("roi") else "region is searched"
    if name == "save":
        return f"saved {session.recording.save(folder)}"
    raise ConfigError("an order that is not known")


def _roi(value: Any) -> Roi | None:
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 4 and all(type(v) is int and abs(v) < 1 << 15 for v in value)):
        raise ConfigError("a region has four whole numbers: x, y, width, height")
    return Roi(*value)


def _flip(value: Any) -> str:
    if value is None:
        return AUTO
    if not isinstance(value, str):
        raise ConfigError("flip is a name")
    return value

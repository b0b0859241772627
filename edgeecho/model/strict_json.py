"""JSON of untrusted files: no key twice, no depth without end, and texts that can be printed."""

import json
from typing import Any

MAX_CHARACTERS = 1 << 22


def parse(text: str | bytes) -> Any:
    """Read JSON.

    Raises:
        ValueError: If it is no JSON, too long or too deep, has a key twice in one object, NaN or an infinity, or a text
            with control characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{len(text)} characters, more than the {MAX_CHARACTERS} allowed")
    try:
        values = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
        _require_printable(values)
    except RecursionError as error:
        raise ValueError("too deep") from error
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return values


def _refuse(name: str) -> Any:
    raise ValueError(f"the number {name}")


def _require_printable(value: Any) -> None:
    if isinstance(value, str):
        if not value.replace("\n", "").replace("\t", "").isprintable():
            raise ValueError("a text with characters that cannot be printed")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _require_printable(key)
            _require_printable(inner)
    elif isinstance(value, list):
        for inner in value:
            _require_printable(inner)

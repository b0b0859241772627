"""Comparison of a graph with the spec beside it: names, shapes and types of its inputs and outputs."""

from collections.abc import Sequence

import numpy as np

from edgeecho.errors import ModelFileError
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.interface import GraphEngine, GraphPort

Wanted = tuple[str, tuple[int | None, ...], type[np.generic]]
"""Name, size along each axis (None where it is free), and type."""
TYPES: dict[str, type[np.generic]] = {"uint8": np.uint8, "float32": np.float32}


def require_graph(engine: GraphEngine, spec: ModelSpec, name: str) -> None:
    """Refuse a graph that is not the one its spec describes.

    Args:
        engine: The opened graph.
        spec: The spec of its file.
        name: Name of the file, for the message.

    Raises:
        ModelFileError: If an input or output is missing, is too many, or has another shape or type.
    """
    size = spec.size_px
    if spec.form == "stream":
        picture: tuple[int | None, ...] = (1, 1, size, size)
        inputs: list[Wanted] = [("frame", picture, np.uint8)]
        inputs += [(t.name, t.shape, TYPES[t.dtype]) for t in spec.state]
        outputs: list[Wanted] = [("prob", picture, np.uint8)]
        outputs += [(f"next_{t.name}", t.shape, TYPES[t.dtype]) for t in spec.state]
    else:
        picture = (spec.frames, 1, size, size)
        inputs, outputs = [("frames", picture, np.uint8)], [("prob", picture, np.uint8)]
    _require(engine.inputs, inputs, f"{name}: its graph takes")
    _require(engine.results, outputs, f"{name}: its graph returns")


def _require(found: Sequence[GraphPort], wanted: Sequence[Wanted], what: str) -> None:
    named = {name for name, _, _ in wanted}
    ports = {next(iter(named & port.names), port.name): port for port in found}
    if set(ports) != named or len(found) != len(wanted):
        odd = sorted(set(ports) ^ named)[:4] or sorted(ports)[:4]
        raise ModelFileError(f"{what} other tensors than its spec names ({', '.join(map(repr, odd))}); export it again")
    for name, shape, dtype in wanted:
        port = ports[name]
        sizes = [size if isinstance(size, int) and size > 0 else None for size in port.shape]
        fits = len(sizes) == len(shape) and all(
            size is None or side is None or size == side for size, side in zip(sizes, shape, strict=False)
        )
        if not fits or port.dtype is not dtype:
            kind = port.dtype.__name__ if port.dtype else "another type"
            raise ModelFileError(
                f"{what} {name!r} as {kind} {sizes}, its spec says {dtype.__name__} {list(shape)}; export it again"
            )

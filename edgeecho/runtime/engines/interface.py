"""Interfaces of the engines: what each file of this folder provides to the predictor and to the stream."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np


class Engine(Protocol):
    """A clip graph, ready to run, by several threads at once too."""

    runtime: str
    """`ort`, `openvino`, `torch` or `native`."""
    version: str
    """Version of the engine's package."""

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip: frames uint8 (T, 1, S, S) to `prob` of the same shape and type."""
        ...


@runtime_checkable
class StreamEngine(Engine, Protocol):
    """A stream graph, ready to run; `infer` is for clip graphs."""

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the graph on inputs by name, and return its outputs by name."""
        ...


@dataclass(frozen=True)
class GraphPort:
    """An input or an output of a graph."""

    name: str
    shape: list[int | str | None]
    """Size along each axis; a name or None where it is free."""
    dtype: type[np.generic] | None
    """Type of the elements; None if it is neither uint8, float32 nor float16."""
    names: frozenset[str] = frozenset()
    """All names by which the engine knows it, where it has several."""


@runtime_checkable
class GraphEngine(StreamEngine, Protocol):
    """Any graph in ONNX Runtime or OpenVINO, whose inputs and outputs can be listed."""

    @property
    def inputs(self) -> list[GraphPort]:
        """Inputs of the graph, in order."""
        ...

    @property
    def results(self) -> list[GraphPort]:
        """Outputs of the graph, in order."""
        ...

    @property
    def outputs(self) -> list[str]:
        """Names of the graph's outputs, in order."""
        ...

"""Another program's ONNX network, run by its description, in place of a model of EdgeEcho."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.errors import ModelFileError
from edgeecho.evaluate.network_spec import AXES, NetworkSpec
from edgeecho.evaluate.outlined import Outlined
from edgeecho.model.external_data import read_onnx
from edgeecho.preprocess import Orientation, Roi, resample, whole_frame
from edgeecho.runtime.cine_run import find_view, run_cine
from edgeecho.runtime.engines.engine import usable_cores
from edgeecho.runtime.engines.interface import GraphEngine, GraphPort
from edgeecho.runtime.segmentation import ModelInfo
from edgeecho.runtime.view import View

BATCH = 16
"""Frames that a network of single frames gets at once where its batch is free."""


@dataclass(frozen=True)
class _Pictures:
    """Size and threshold of the pictures that a run over a cine passes to the network; the threshold is the least value
    of the cavity, 1 to 255."""

    size_px: int
    threshold: int


class ForeignNetwork:
    """ONNX graph with a description. One thread at a time."""

    def __init__(self, path: Path, spec: NetworkSpec, threads: int | None = None) -> None:
        """Open the graph in ONNX Runtime and compare its input with the description.

        Args:
            path: ONNX file; weights in files beside it are found.
            spec: Description of the network.
            threads: Worker threads; None means every usable core.

        Raises:
            ModelFileError: If the file cannot be opened, or its inputs and outputs are not as described.
        """
        from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

        if not path.is_file():
            raise ModelFileError(f"{path}: no such file; give the ONNX file of the network")
        file = read_onnx(path)
        self.path, self.spec = path, spec
        self._engine: GraphEngine = OrtEngine(file.data, path.name, threads or usable_cores())
        self._input = self._find_input()
        self._output = self._find_output()
        sizes = [size if isinstance(size, int) and size > 0 else None for size in self._input.shape]
        size = dict(zip(spec.input.layout, sizes, strict=True))
        self._batch, self._frames = size.get("N"), spec.clip.frames or size.get("T")
        self.info = ModelInfo(
            name=spec.name or path.stem,
            sha256=file.sha256,
            form="clip" if "T" in spec.input.layout else "frame",
            precision="as exported",
            runtime="ort",
            runtime_version=self._engine.version,
            licence=spec.licence,
        )

    def segment(self, cine: Cine, /, *, flip: str) -> Outlined:
        """Outline the left ventricle in every frame, at the cine's own pixels; the largest piece of each is kept.

        Args:
            cine: The cine.
            flip: How the picture is turned for the network, one of `FLIPS`.

        Raises:
            ModelFileError: If the graph cannot run, or returns another shape than described.
            VideoError: If the cine is black.
        """
        height, width = cine.frames.shape[1:]
        about = _Pictures(self.spec.input.size_px, int(np.ceil(255 * self.spec.output.threshold)))
        if self.spec.input.region == "sector":
            view = find_view(lambda picture: self.probabilities(picture[None])[0], about, cine, None, flip)
        else:
            square = whole_frame(height, width, cine.pixel_shape)
            stretched = Roi(0, 0, width, height)
            view = View(square if self.spec.input.region == "square" else stretched, Orientation(flip))
        run = run_cine(lambda frames, _: self.probabilities(frames), about, cine, view, None)
        return Outlined(run.mask, run.area_px, run.measured, warnings=list(run.measured.warnings))

    def probabilities(self, frames: np.ndarray) -> np.ndarray:
        """Run the network over the pictures of a cine.

        A network of single frames gets each of them. One of clips of T frames at stride s gets frames i, i + s, ... of
        every offset i below s, T at a time; the last clip of an offset is moved back so far that it is full, and where
        the offset has fewer than T frames the last is repeated.

        Args:
            frames: uint8 (T, size_px, size_px).

        Returns:
            255 times the probability, uint8 of the same shape; an output of another size is resampled.
        """
        prob, size_px = self._prob(frames), self.spec.input.size_px
        return prob if prob.shape == frames.shape else resample(prob, size_px, size_px)

    def _prob(self, frames: np.ndarray) -> np.ndarray:
        """Return 255 times the probability of each picture, uint8, in rows and columns of the graph's output."""
        if "T" not in self.spec.input.layout:
            size = 1 if "N" not in self.spec.input.layout else self._batch or BATCH
            return _in_windows(frames, size, lambda batch: self._run(batch[:, None, None]), pads=bool(self._batch))
        stride = self.spec.clip.stride
        parts = [frames[offset::stride] for offset in range(min(stride, len(frames)))]
        done = [
            _in_windows(part, self._frames or len(part), lambda clip: self._run(clip[None, None]), pads=True)
            for part in parts
        ]
        prob = np.empty((len(frames), *done[0].shape[1:]), np.uint8)
        for offset, part in enumerate(done):
            prob[offset::stride] = part
        return prob

    def _run(self, pictures: np.ndarray) -> np.ndarray:
        """Run the graph once: uint8 (N, 1, T, S, S) to uint8 (N T, H, W), of which N or T is 1.

        Raises:
            ModelFileError: If it fails, or returns another shape than described.
        """
        spec, given = self.spec, self.spec.input
        shown = np.repeat(pictures, given.channels, axis=1)
        if self._input.dtype is not np.uint8:
            mean, std = (np.array(v, np.float32).reshape(1, -1, 1, 1, 1) for v in (given.mean, given.std))
            shown = (shown.astype(np.float32) * np.float32(given.scale) - mean) / std
        fed = np.ascontiguousarray(_to_layout(shown, given.layout), self._input.dtype)
        try:
            (found,) = self._engine.run([self._output], {self._input.name: fed})
        except Exception as error:  # onnxruntime raises many kinds
            text = " ".join(str(error).split())[:200]
            raise ModelFileError(f"{self.path.name}: cannot run on input {fed.shape}: {text}") from error
        shape = dict(zip(spec.output.layout, found.shape, strict=False))
        expected = {"N": len(pictures), "T": pictures.shape[2]}
        fits = found.ndim == len(spec.output.layout) and all(
            shape.get(axis, count) == count and (axis in shape or count == 1) for axis, count in expected.items()
        )
        if not fits or spec.cavity >= (shape.get("C", 1) if spec.output.kind != "labels" else spec.cavity + 1):
            raise ModelFileError(
                f"{self.path.name}: output {self._output!r} is {found.shape} for input {fed.shape}, which does not fit "
                f"output.layout {spec.output.layout} and class {spec.cavity}; mend the description"
            )
        prob = self._cavity(_from_layout(found, spec.output.layout))  # (N, T, H, W)
        return prob.reshape(-1, *prob.shape[2:])

    def _cavity(self, found: np.ndarray) -> np.ndarray:
        """Return 255 times the probability of the cavity, uint8 (N, T, H, W), of an output (N, C, T, H, W)."""
        kind, cavity = self.spec.output.kind, self.spec.cavity
        if kind == "labels":
            return np.where(found[:, 0] == cavity, 255, 0).astype(np.uint8)
        if kind == "argmax":
            return np.where(found.argmax(axis=1) == cavity, 255, 0).astype(np.uint8)
        if found.dtype == np.uint8:
            return np.asarray(found[:, cavity])
        values = found.astype(np.float64)
        if np.isnan(values).any():
            raise ModelFileError(f"{self.path.name}: output {self._output!r} has values that are no numbers")
        if kind == "logits":
            prob = 1 / (1 + np.exp(-values[:, cavity].clip(-60, 60)))
        elif kind == "softmax":
            scores = np.exp(values - values.max(axis=1, keepdims=True))
            prob = scores[:, cavity] / scores.sum(axis=1)
        else:
            prob = values[:, cavity]
        return np.asarray(np.rint(255 * prob.clip(0, 1)), np.uint8)

    def _find_input(self) -> GraphPort:
        """Return the input of the description, after comparing type and shape.

        Raises:
            ModelFileError: If they differ.
        """
        given, inputs = self.spec.input, self._engine.inputs
        has = ", ".join(f"{each.name} {each.shape}" for each in inputs)
        found = [each for each in inputs if given.name in ("", each.name)]
        if len(inputs) != 1 or not found:
            raise ModelFileError(f"{self.path.name}: expected one input {given.name or 'of pictures'}, it has {has}")
        if found[0].dtype is None or (given.dtype and np.dtype(given.dtype) != np.dtype(found[0].dtype)):
            kind = "neither uint8 nor float" if found[0].dtype is None else np.dtype(found[0].dtype).name
            raise ModelFileError(
                f"{self.path.name}: input {found[0].name} is {kind}, input.dtype is {given.dtype or 'not given'}"
            )
        known = {"C": given.channels, "T": self.spec.clip.frames, "H": given.size_px, "W": given.size_px}
        known["N"] = 1 if "T" in given.layout else None
        axes = list(zip(given.layout, found[0].shape, strict=False))
        wrong = [
            f"{axis} {known[axis]}" for axis, size in axes if isinstance(size, int) and known[axis] not in (None, size)
        ]
        if len(found[0].shape) != len(given.layout) or wrong:
            described = f"layout {given.layout}{' with ' + ', '.join(wrong) if wrong else ''}"
            raise ModelFileError(f"{self.path.name}: input {has}, which does not fit {described}; mend the description")
        return found[0]

    def _find_output(self) -> str:
        """Return the output of the description.

        Raises:
            ModelFileError: If the graph has none of that name.
        """
        name, outputs = self.spec.output.name, self._engine.outputs
        if name and name not in outputs:
            raise ModelFileError(f"{self.path.name}: no output {name!r}; it has {', '.join(outputs)}")
        return name or outputs[0]


def _in_windows(frames: np.ndarray, size: int, run: Callable[[np.ndarray], np.ndarray], *, pads: bool) -> np.ndarray:
    """Run frames in windows.

    Args:
        frames: uint8 (T, S, S).
        size: Frames of a window.
        run: Runs a window, and returns a result for each of its frames.
        pads: Whether every window must be full; the last then begins earlier, or repeats its last frame.

    Returns:
        The results of all frames.
    """
    done: list[np.ndarray] = []
    for start in range(0, len(frames), size):
        first = max(0, min(start, len(frames) - size)) if pads else start
        window = frames[first : first + size]
        lacking = size - len(window) if pads else 0
        result = run(np.concatenate([window, np.repeat(window[-1:], lacking, axis=0)]))
        done.append(result[start - first : len(window)])
    return np.concatenate(done)


def _to_layout(values: np.ndarray, layout: str) -> np.ndarray:
    """Put the axes of an array (N, C, T, H, W) in the order of a layout; axes that it lacks have length 1."""
    absent = tuple(number for number, axis in enumerate(AXES) if axis not in layout)
    order = [axis for axis in AXES if axis in layout]
    return values.squeeze(absent).transpose([order.index(axis) for axis in layout])


def _from_layout(values: np.ndarray, layout: str) -> np.ndarray:
    """Put the axes of an array in a layout into the order (N, C, T, H, W)."""
    ordered = values.transpose([layout.index(axis) for axis in AXES if axis in layout])
    return np.expand_dims(ordered, tuple(number for number, axis in enumerate(AXES) if axis not in layout))

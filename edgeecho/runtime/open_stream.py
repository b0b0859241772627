"""Open a model for live frames. No torch."""

from pathlib import Path

from edgeecho.model.registry import locate
from edgeecho.preprocess import AUTO, Roi
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.predictor import log_licence
from edgeecho.runtime.streaming import StreamingPredictor


def stream(
    model: str | Path = "default",
    *,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    fps: float | None = None,
    spacing_mm: tuple[float, float] | None = None,
    roi: Roi | None = None,
    flip: str | None = AUTO,
) -> StreamingPredictor:
    """Open a model for live frames. Its licence is in `StreamingPredictor.info`, and is logged.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a stream graph.
        runtime: `ort` (ONNX Runtime) or `openvino`; None chooses by what is given.
        precision: `int8` or `fp32` of a named model or folder; None means int8.
        threads: Worker threads; None means every usable core.
        fps: Frames per second of the live frames; None gives no heart rate.
        spacing_mm: (row, column) mm per pixel of the live frames; None gives no volumes.
        roi: Region that the network sees; None finds it in the first second.
        flip: How the picture is turned for the network, one of `FLIPS`; `auto` finds it; None means `none`.

    Raises:
        ModelFileError: If there is no stream graph, or it does not verify, or its engine refuses it.
        ConfigError: If a setting makes no sense.
        MissingExtraError: If its engine is not installed.
    """
    loaded = open_engine(locate(model, runtime, precision, form="stream"), threads)
    engine, spec = loaded.stream_engine, loaded.spec
    opened = StreamingPredictor(engine, spec, loaded.sha256, fps=fps, spacing_mm=spacing_mm, roi=roi, flip=flip)
    log_licence(spec)
    return opened

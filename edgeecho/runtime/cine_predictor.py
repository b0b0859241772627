"""CinePredictor: from a cine to masks, areas, beats and ejection fraction, whichever way the network is run."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from edgeecho.cine import Cine, check_stated, to_grey
from edgeecho.errors import ModelFileError
from edgeecho.measure import measure
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import Roi, check_flip, check_roi, find_roi, flip_images, mask_from_network, to_network
from edgeecho.runtime.engines.interface import Engine
from edgeecho.runtime.quality import MaskQuality, frozen_tail, implausible_figures
from edgeecho.runtime.segmentation import ModelInfo, Segmentation

Progress = Callable[[int, int], None]
"""Function that is called with the number of frames done and the number of frames."""


class CinePredictor(ABC):
    """A model that segments cines: `Predictor` in windows, `StreamingPredictor` frame by frame."""

    def __init__(self, engine: Engine, spec: ModelSpec, sha256: str) -> None:
        """
        Args:
            engine: An opened graph.
            spec: Spec of the graph.
            sha256: SHA-256 of the model file.

        Raises:
            ModelFileError: If the network pools along time, so that masks would depend on how a cine is cut.
        """
        if spec.pooled_frames > 1:
            raise ModelFileError(f"{spec.name}: pools along time; it can be benchmarked, not segment")
        self.engine, self.spec = engine, spec
        form = "stream" if spec.form == "stream" else "clip"
        self.info = ModelInfo(spec.name, sha256, form, spec.precision, engine.runtime, engine.version, spec.licence)

    @abstractmethod
    def probabilities(self, frames: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Run the network over a cine of its own size.

        Args:
            frames: uint8 (T, size_px, size_px).
            progress: Called with frames done and T.

        Returns:
            prob, uint8 of the same shape.
        """

    def segment(
        self,
        frames: np.ndarray | Cine,
        fps: float | None = None,
        *,
        spacing_mm: tuple[float, float] | None = None,
        roi: Roi | None = None,
        flip: str | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Outline the left ventricle in every frame and measure it.

        Args:
            frames: A `Cine`, or uint8 (T, H, W) grey or (T, H, W, 3) RGB.
            fps: Frames per second, if not the cine's own.
            spacing_mm: (row, column) mm per pixel, if not the cine's own.
            roi: Region that the network sees; None finds the sector.
            flip: `lr` for a mirrored view, `ud` for apex down: flipped for the network, flipped back in the masks.
            progress: Called with frames done and T.

        Raises:
            ShapeError: If the frames are no grey or RGB cine.
            VideoError: If the cine is black.
            ConfigError: If a setting makes no sense.
        """
        cine = frames if isinstance(frames, Cine) else Cine(to_grey(frames))
        fps = cine.fps if fps is None else fps
        spacing_mm = cine.spacing_mm if spacing_mm is None else spacing_mm
        check_stated(fps, spacing_mm)
        check_flip(flip)
        height, width = cine.frames.shape[1:]
        if roi:
            check_roi(roi, height, width)
        roi = roi or find_roi(cine.frames, spacing_mm or cine.pixel_shape)
        inputs = flip_images(to_network(cine.frames, roi, self.spec.size_px), flip)
        prob = self.probabilities(inputs, progress)
        mask = mask_from_network(flip_images(prob, flip), roi, height, width, self.spec.threshold)
        area_px = mask.sum(axis=(1, 2), dtype=np.int64).astype(np.float32)
        times_s = cine.times_s if fps == cine.fps else None
        measured = measure(mask, area_px, fps, spacing_mm, times_s=times_s, aspect=cine.aspect)
        quality = MaskQuality.of(prob, self.spec.threshold)
        severe = [*quality.severe_warnings(), *implausible_figures(measured)]
        return Segmentation(
            mask=mask,
            area_px=area_px,
            fps=fps,
            spacing_mm=spacing_mm,
            roi=roi,
            measurement=measured,
            quality=quality.to_dict(),
            doubts=severe,
            warnings=[*cine.warnings, *quality.warnings(), *severe, *frozen_tail(inputs), *measured.warnings],
            model=self.info,
        )

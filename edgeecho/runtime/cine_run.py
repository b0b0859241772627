"""One run of a model over a whole cine in one view: probabilities, masks, history and measurement."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edgeecho.cine import Cine
from edgeecho.measure import Measurement, keep_largest, measure
from edgeecho.preprocess import Orientation, Roi, flip_images, mask_from_network, to_network, unflip_images
from edgeecho.runtime.beat_judge import BeatJudge
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.trust_constants import CINE_PLACES, MAX_SAMPLES
from edgeecho.runtime.view import View
from edgeecho.runtime.view_search import Look, ViewSearch


class Pictures(Protocol):
    """Interface of the size and threshold of a network's pictures: a `ModelSpec`, or the description of a foreign
    network."""

    @property
    def size_px(self) -> int:
        """Rows and columns of the network's pictures."""
        ...

    @property
    def threshold(self) -> int:
        """A pixel is cavity where `prob` is at least this."""
        ...


@dataclass(frozen=True, eq=False)
class CineRun:
    """Masks of a cine in one orientation, and their measurement."""

    orientation: Orientation
    inputs: np.ndarray
    """The network's pictures, uint8 (T, S, S)."""
    mask: np.ndarray
    """uint8 {0, 1} (T, H, W), the largest piece of each frame."""
    area_px: np.ndarray
    """float32 (T,)."""
    history: FrameHistory
    measured: Measurement

    @property
    def confidence(self) -> float:
        """Mean probability inside the masks of all frames, 0-1."""
        sums = self.history.whole()
        return sums["total"] / (255 * sums["pixels"]) if sums["pixels"] else 0.0


def find_view(look: Look, spec: Pictures, cine: Cine, roi: Roi | None, flip: str) -> View:
    """Find region and orientation of a whole cine.

    Args:
        look: Runs the network on a still picture.
        spec: Size and threshold of the network's pictures.
        cine: The cine.
        roi: Region, if it is given.
        flip: `auto`, or the orientation that is given.

    Raises:
        VideoError: If the cine is black.
    """
    count, shape = len(cine.frames), (cine.frames.shape[1], cine.frames.shape[2])
    search = ViewSearch(look, spec.size_px, spec.threshold, shape, spacing_mm=cine.pixel_shape, roi=roi, flip=flip)
    search.add_cine(cine.frames)
    places = dict.fromkeys(eighth * count // len(CINE_PLACES) for eighth in CINE_PLACES)  # each frame once
    for place in list(places)[:MAX_SAMPLES]:
        for _ in search.sample(cine.frames[place]):
            pass
        if search.view().is_clear:
            break
    return search.view()


def run_cine(
    probabilities: Callable[[np.ndarray, Callable[[int, int], None] | None], np.ndarray],
    spec: Pictures,
    cine: Cine,
    view: View,
    progress: Callable[[int, int], None] | None,
) -> CineRun:
    """Run a network over a cine and measure its masks.

    Args:
        probabilities: Runs the network over pictures of its own size.
        spec: Size and threshold of the network's pictures.
        cine: The cine.
        view: Region and orientation.
        progress: Called with frames done and the number of frames.
    """
    height, width = cine.frames.shape[1:]
    flip = view.orientation.flip
    frames = 255 - cine.frames if view.orientation.inverted else cine.frames
    pictures = to_network(frames, view.roi, spec.size_px)
    inputs = np.ascontiguousarray(flip_images(pictures, flip))
    prob = unflip_images(probabilities(inputs, progress), flip)
    mask = mask_from_network(prob, view.roi, height, width, spec.threshold)
    for frame in mask:
        keep_largest(frame)
    area_px = np.array([np.count_nonzero(frame) for frame in mask], np.float32)
    history = FrameHistory(cine.fps)
    history.see(pictures)
    inside = view.inside(spec.size_px, (height, width), cine.pixel_shape)
    for picture in prob:
        history.score(MaskScore.of(picture, spec.threshold, inside))
    measured = measure(
        mask,
        area_px,
        cine.fps,
        cine.spacing_mm,
        times_s=cine.times_s,
        aspect=cine.aspect,
        judge=BeatJudge(history),
    )
    return CineRun(view.orientation, pictures, mask, area_px, history, measured)

"""Search for the view: the region that the network sees, and the orientation of the picture.

Fans are found on a small grid by what moves and what is lit. A few frames are then sampled. In each, the network looks
at the candidates as still pictures, and its confidence decides where they disagree: the fan at each grey level, the
whole frame, and a square around what it saw there. In the chosen region it looks at the mirrored picture too, and,
where it is not clearly confident, at the other orientations and at inverted grey levels. docs/trust.md has the shares
that are recognised (`python -m studies.trust orientation`).

All scores are ratios of whole numbers, so C makes the same decisions.
"""

from collections.abc import Callable, Iterator

import numpy as np

from edgeecho.preprocess import AUTO, FLIPS, Fan, Grid, Orientation, Roi, flip_images, to_network, unflip_images
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.trust_constants import (
    CLEAR_CONFIDENCE,
    CLEAR_MARGINS,
    MAX_PANEL_OVERLAP,
    MAX_PANELS,
    MIN_CONFIDENCE_GAIN,
    MIN_INVERTED_GAIN,
    MIN_LIKELY_CONFIDENCE,
    MIN_SAME_REGION,
    MIN_TURNED_CONFIDENCE,
)
from edgeecho.runtime.view import View
from edgeecho.runtime.view_regions import Regions, overlap

Look = Callable[[np.ndarray], np.ndarray]
"""Function that runs the network on a still picture, uint8 (S, S), and returns `prob` of the same shape."""


class ViewSearch:
    """Searches region and orientation in the frames of one cine: `add` frames, `sample` a few, read `view`."""

    def __init__(
        self,
        look: Look,
        size_px: int,
        threshold: int,
        shape: tuple[int, int],
        *,
        spacing_mm: tuple[float, float] | None = None,
        roi: Roi | None = None,
        flip: str = AUTO,
    ) -> None:
        """
        Args:
            look: Runs the network on a still picture.
            size_px: Rows and columns of the network's pictures.
            threshold: A pixel is cavity where `prob` is at least this.
            shape: Rows and columns of the frames.
            spacing_mm: (row, column) millimetres per pixel, or None for square pixels.
            roi: Region, if it is given.
            flip: `auto`, or the orientation that is given.
        """
        self._look, self._size_px, self._threshold = look, size_px, threshold
        self._shape, self._spacing_mm, self._given_roi, self._flip = shape, spacing_mm, roi, flip
        self._grid = Grid(*shape, spacing_mm)
        self._inverted = False
        self.samples = 0
        """Number of frames sampled in the present region."""
        self._widest_fan: Fan | None = None  # of the lowest grey level
        self._regions = Regions(shape, size_px, spacing_mm, roi, flip)
        self._region = self._regions.whole
        self._restart()

    def _restart(self) -> None:
        self.samples = 0
        self._confidence = 0.0  # sum over samples, of the first orientation
        self._refined: Roi | None = None
        self._panels: tuple[Roi, ...] = ()
        self._gains = dict.fromkeys(FLIPS, (0.0, 0))  # sum of confidence above upright, and number of looks

    def restart(self) -> None:
        """Forget all frames."""
        self._grid, self._inverted = Grid(*self._shape, self._spacing_mm), False
        self._restart()

    @property
    def is_lit(self) -> bool:
        """Whether any frame so far was not black."""
        return self._grid.is_lit

    def add(self, frame: np.ndarray) -> None:
        """Add a frame, uint8 (H, W), to the pictures in which fans are searched."""
        self._grid.add(255 - frame if self._inverted else frame)

    def add_cine(self, frames: np.ndarray) -> None:
        """Add frames of a whole cine, uint8 (T, H, W), to these pictures."""
        self._grid.add_cine(frames)

    def sample(self, frame: np.ndarray) -> Iterator[None]:
        """Look at a frame, uint8 (H, W). Pauses after each run of the network.

        Raises:
            VideoError: If every frame so far is black.
        """
        best, regions = MaskScore(), self._regions.candidates(self._grid)
        chosen = regions[0]
        self._widest_fan = chosen.fan
        for region in regions:
            score = self._score(frame, region.roi, region.flips[0])
            yield
            if score.confidence > best.confidence + (MIN_CONFIDENCE_GAIN if best.pixels else 0):
                best, chosen = score, region
            if best.confidence >= CLEAR_CONFIDENCE and not best.is_cut:
                break
        if overlap(chosen.roi, self._region.roi) < MIN_SAME_REGION or chosen.flips[0] != self._region.flips[0]:
            self._restart()
        self._region = chosen if not self.samples else self._region
        self.samples += 1
        self._confidence += best.confidence
        first, flip = best, chosen.flips[0]
        for other in self._other_flips(first):
            score = self._score(frame, self._region.roi, other)
            yield
            total, looks = self._gains[other]
            self._gains[other] = total + score.confidence - first.confidence, looks + 1
            if score.confidence > best.confidence:
                best, flip = score, other
        if best.confidence < CLEAR_CONFIDENCE and not self._given_roi:
            yield from self._try_around(frame, flip, best)
        if self.samples == 1 and not self._given_roi:
            yield from self._try_panels(frame, best)
        if best.confidence >= CLEAR_CONFIDENCE:
            return
        if self._flip == AUTO and self._grid.is_bright and not self._inverted:
            score = self._score(255 - frame, self._region.roi, chosen.flips[0])
            yield
            if score.confidence >= max(MIN_LIKELY_CONFIDENCE, best.confidence + MIN_INVERTED_GAIN):
                self._invert()

    def _other_flips(self, first: MaskScore) -> tuple[str, ...]:
        """Return the orientations to compare with the first: those that the fan allows, or all if it shows no apex."""
        region = self._region
        if not region.has_apex and first.confidence < CLEAR_CONFIDENCE:
            return FLIPS[1:] if self._flip == AUTO else ()
        return region.flips[1:]

    def _try_panels(self, frame: np.ndarray, best: MaskScore) -> Iterator[None]:
        """Look at the other fans of the screen."""
        region = self._region
        tried = [self._refined or region.roi] if region.fan or self._refined else []
        tried += [self._regions.around_mask(region.roi, best)] if best.pixels else []
        count = len(tried)
        for roi in self._regions.beside(self._grid, region):
            if all(overlap(roi, other) < MAX_PANEL_OVERLAP for other in tried) and len(tried) < count + MAX_PANELS:
                tried.append(roi)
                if self._score(frame, roi, region.flips[0]).confidence >= MIN_LIKELY_CONFIDENCE:
                    self._panels = (*self._panels, roi)
                yield

    def _try_around(self, frame: np.ndarray, flip: str, seen: MaskScore) -> Iterator[None]:
        """Look at a square around the mask of the region, and keep it if that is more confident."""
        if not seen.pixels:
            return
        around = self._regions.around_mask(self._region.roi, seen)
        score = self._score(frame, around, flip)
        yield
        if score.confidence > seen.confidence + MIN_CONFIDENCE_GAIN:
            self._refined = around
            yield from self._try_elsewhere(frame, flip, around)

    def _try_elsewhere(self, frame: np.ndarray, flip: str, found: Roi) -> Iterator[None]:
        """Look for another ventricle in the region, without the square in which one was found."""
        roi = self._region.roi
        rest = self._score(frame, roi, flip, without=found)
        yield
        other = self._regions.around_mask(roi, rest)
        if rest.pixels and overlap(other, found) < MAX_PANEL_OVERLAP:
            if self._score(frame, other, flip).confidence >= MIN_LIKELY_CONFIDENCE:
                self._panels = (other,)
            yield

    def _invert(self) -> None:
        """Begin again with inverted grey levels."""
        self._inverted = True
        self._grid.invert()
        self._restart()

    def view(self) -> View:
        """Return the best view so far."""
        region, confidence = self._region, self._confidence / max(1, self.samples)
        gains = {region.flips[0]: 0.0}  # the first of equal ones
        gains |= {flip: total / looks for flip, (total, looks) in self._gains.items() if looks}
        ranked = sorted(gains, key=lambda flip: -gains[flip])
        best, rival = ranked[0], ranked[min(1, len(ranked) - 1)]
        margin = gains[best] - gains[rival] if len(ranked) > 1 else 1.0
        is_clear = any(self.samples >= count and margin >= least for count, least in CLEAR_MARGINS)
        if (best, self._inverted) != (region.flips[0], False) and confidence + gains[best] < MIN_TURNED_CONFIDENCE:
            is_clear = False
        return View(
            self._refined or region.roi,
            Orientation(best, self._inverted),
            self._widest_fan if region.fan and not self._refined else None,
            confidence + gains[best],
            margin,
            rival,
            is_clear,
            self._panels,
            region.has_apex or self._flip != AUTO,
        )

    def _score(self, frame: np.ndarray, roi: Roi, flip: str, without: Roi | None = None) -> MaskScore:
        picture = to_network((255 - frame if self._inverted else frame)[None], roi, self._size_px)[0]
        if without:
            y0, y1 = ((y - roi.y) * self._size_px // roi.height for y in (without.y, without.y + without.height))
            x0, x1 = ((x - roi.x) * self._size_px // roi.width for x in (without.x, without.x + without.width))
            picture[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = 0
        prob = self._look(np.ascontiguousarray(flip_images(picture, flip)))
        return MaskScore.of(unflip_images(prob, flip), self._threshold)

"""Phantoms: drawn apical four-chamber cines with the exact cavity on every frame, without data of a person.

`PhantomHeart(seed)` is a heart, a scanner and a screen fixed by the seed. It can be drawn at any times: a frame depends
on the seed and its time alone. Its population (`edgeecho/synthetic/population.py`) says how its parts are drawn.
"""

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.measure import ef_percent
from edgeecho.synthetic.motion import MAX_DELAY_S, Motion
from edgeecho.synthetic.outlines import disc_volume
from edgeecho.synthetic.population import PLAIN, Population
from edgeecho.synthetic.pose import Contraction, Pose
from edgeecho.synthetic.rhythm import Rhythm, phase_frames, rise
from edgeecho.synthetic.screen import Furniture
from edgeecho.synthetic.ultrasound import Scanner

MAX_FRAMES = 128
MAX_PLACEMENTS = 12
"""Largest number of attempts to place a heart with its cavity inside the sector."""


class PhantomHeart:
    """A drawn heart on a drawn screen, fixed by a seed.

    Attributes:
        fps: Frames per second.
        seconds: Length of the cine in seconds.
        spacing_mm: (row, column) millimetres per pixel.
        rhythm: Volume over time.
    """

    def __init__(self, seed: int | Sequence[int], region_px: int | None = None, population: Population = PLAIN) -> None:
        """Draw anatomy, motion, scanner and screen.

        Args:
            seed: One number or several, not negative.
            region_px: Side in pixels of the smallest square around the sector, which is shown in place of the whole
                screen; None shows the screen.
            population: Population that the heart is one of.
        """
        self._population = population
        body, motion, view, self._look, self._desk, apart = (
            np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)
        )
        self._anatomy = population.anatomy(body)
        bpm = float(np.clip(motion.normal(75, 20), 40, 150)) if motion.uniform() < 0.7 else motion.uniform(40, 150)
        self.fps = 50.0 if motion.uniform() < 0.3 else float(np.exp(motion.uniform(np.log(20), np.log(120))))
        frames = int(np.clip(motion.uniform(1.3, 2.6) * 60 / bpm * self.fps, 12, MAX_FRAMES))
        self.seconds = frames / self.fps
        self.rhythm = Rhythm.draw(motion, self.seconds, bpm, irregular=float(motion.choice([0.02, 0.05, 0.25])))
        self._motion = Motion.draw(apart, self.rhythm) if population.complex_motion else None
        high, low = view.uniform(*population.apex_depth), view.uniform(*population.base_depth)
        for attempt in range(MAX_PLACEMENTS):  # experts choose a position and a depth that show the whole cavity
            depth = 1.04**attempt * self._anatomy.length / (low - high)
            self.screen = population.screen(view, depth)
            self._placement = population.placement(view, depth, high)
            if self._is_inside_sector():
                break
        if region_px is not None:
            self.screen = self.screen.region(region_px)
        self.spacing_mm = (self.screen.mm, self.screen.mm)
        self._quality = int(view.integers(30, 95)) if view.uniform() < 0.25 else None
        self._soft = float(view.uniform(0.3, 1.0)) if view.uniform() < 0.3 else 0.0

    @cached_property
    def ef_percent(self) -> float:
        """EF in percent, by single-plane discs of the true masks at ED and ES."""
        if self._motion is None:
            return self._anatomy.ef_percent()
        first, second = self.rhythm.r_waves_s[:2]
        times = np.linspace(first, second, 80)
        outlines = [self._cavity(time) for time in times]
        areas = [_area(outline) for outline in outlines]
        return ef_percent(*(disc_volume(outlines[int(k)]) for k in (np.argmax(areas), np.argmin(areas))))

    @property
    def frame_count(self) -> int:
        """Number of frames of the whole cine."""
        return round(self.seconds * self.fps)

    @cached_property
    def _scanner(self) -> Scanner:
        return Scanner(self._population.look(self._look, self.screen, self._rest), self.screen)

    @cached_property
    def _furniture(self) -> Furniture:
        return Furniture(self._desk, self.screen)

    @cached_property
    def _rest(self) -> Pose:
        return self._placed(self._anatomy.pose(Contraction.of(1.0)), 0.0, 1.0)

    def times(self) -> np.ndarray:
        """Return the times of the whole cine's frames in seconds, float64 (T,)."""
        return np.arange(self.frame_count) / self.fps

    def frames(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw frames.

        Args:
            times_s: Times of the frames in seconds from the start, (T,).

        Returns:
            Images, uint8 (T, H, W), and true masks, uint8 {0, 1} (T, H, W).
        """
        shape = (len(times_s), self.screen.height, self.screen.width)
        images, masks = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        for i, time in enumerate(np.asarray(times_s, float)):
            pose = self.pose(float(time))
            plane = self._motion.plane(pose, float(time)) if self._motion else None
            image = self.screen.show(self._scanner.image(pose, self._rest, float(time), plane))
            if self._soft:
                image = cv2.GaussianBlur(image, (0, 0), self._soft)
            images[i] = self._finish(image, float(time))
            masks[i] = self.screen.mask(pose.endo if self._population.trabeculae_inside else pose.trabeculae)
        return images, masks

    def pose(self, time: float) -> Pose:
        """Return the heart at a time, with points (x, z) in mm in probe coordinates."""
        volume = float(self.rhythm.at(np.array([time]))[0][0])
        phase, systole = float(self.rhythm.phase(np.array([time]))[0][0]), self.rhythm.systole
        early = rise(np.array(phase - systole - 0.02), 0.07) * (1 - 0.6 * rise(np.array(phase - systole - 0.2), 0.12))
        late = 0.5 * rise(np.array(phase - 0.82), 0.06)
        opening = np.clip(early + late, 0, 1) * (1 - rise(np.array(phase - 0.93), 0.07))
        kick = rise(np.array(phase - 0.82), 0.12) * (1 - rise(np.array(phase - 0.95), 0.05))
        state = Contraction.of(volume, float(opening), float(kick))
        if self._motion:
            state = self._motion.contraction(self.rhythm, time, float(opening), float(kick))
        return self._placed(self._anatomy.pose(state), time, volume)

    def volume(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return relative volume (1 at ED, 0 at ES) and index of the beat, each of the shape of `times_s`, (T,).

        Where parts of the heart move apart, each with a curve of its own, it is the area of the cavity between its
        extremes.
        """
        volume, beat = self.rhythm.at(times_s)
        if self._motion is None:
            return volume, beat
        area = np.array([_area(self._cavity(time)) for time in np.asarray(times_s, float)])
        return (area - area.min()) / max(float(np.ptp(area)), 1e-9), beat

    def cine(self, name: str = "phantom") -> Cine:
        """Draw the whole cine, with every frame labelled."""
        times = self.times()
        images, masks = self.frames(times)
        reach = max(2, round(MAX_DELAY_S * self.fps)) if self._motion else 2
        phases = phase_frames(*self.volume(times), reach)
        return Cine(images, self.fps, self.spacing_mm, dict(enumerate(masks)), phases, name)

    def _is_inside_sector(self) -> bool:
        """Whether the cavity at ED lies in the sector, except a few points of its outline."""
        outline = self._anatomy.cavity(1.0)
        times = np.linspace(0, self.seconds, 6 if self._motion else 2)
        return all(self.screen.holds(self._place(outline, time, 1.0)).mean() > 0.97 for time in times)

    def _cavity(self, time: float) -> np.ndarray:
        """Return the outline of the cavity of a heart whose parts move apart, in its own coordinates."""
        assert self._motion
        state = self._motion.contraction(self.rhythm, time, 0.0, 0.0)
        endo = self._anatomy.cavity(state.radial, state.axial)
        return endo if self._population.trabeculae_inside else self._anatomy.without_trabeculae(endo, state.axial)

    def _place(self, points: np.ndarray, time: float, volume: float) -> np.ndarray:
        """Transform heart coordinates to probe coordinates, (N, 2)."""
        if self._motion:
            points = self._motion.move(points, time, self._anatomy.length)
        return self._placement.place(points, time, volume)

    def _placed(self, pose: Pose, time: float, volume: float) -> Pose:
        """Transform all outlines of a pose to probe coordinates."""
        return pose.with_points(self._place(pose.points(), time, volume))

    def _finish(self, image: np.ndarray, time: float) -> np.ndarray:
        sweep = self._furniture.sweep_s
        past = self.rhythm.phase(time + np.linspace(-0.93 * sweep, 0, 160))[0] % 1 if sweep else np.empty(0)
        self._furniture.put(image, time, past)
        if self._quality is None:
            return image
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def draw_cine(seed: int | Sequence[int], name: str = "phantom", population: Population = PLAIN) -> Cine:
    """Draw a whole cine with every frame labelled and ED and ES marked; the same seed gives the same bytes."""
    return PhantomHeart(seed, population=population).cine(name)


def _area(outline: np.ndarray) -> float:
    """Return the area of a closed outline, (N, 2), in its units squared."""
    x, y = outline.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)

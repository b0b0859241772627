"""Sources of training clips: morphs between stills, videos, phantoms; their labels and their augmentation."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeecho.cine import Cine  # noqa: E402
from edgeecho.data import Item, open_data  # noqa: E402
from edgeecho.errors import ConfigError, MeasurementError  # noqa: E402
from edgeecho.metrics import dice  # noqa: E402
from edgeecho.synthetic.ed_es_morph import EdEsMorph, outline  # noqa: E402
from edgeecho.synthetic.rhythm import Rhythm, phase_frames  # noqa: E402
from edgeecho.train.augment import augment  # noqa: E402
from edgeecho.train.clip_cines import ClipCines, read_group  # noqa: E402
from edgeecho.train.config import ClipConfig, TrainConfig  # noqa: E402
from edgeecho.train.drawn_hearts import Phantoms  # noqa: E402
from edgeecho.train.geometry import CANVAS, MARGIN, canvas_region, draw_placement, region_to_canvas, sample_grid  # noqa: E402
from edgeecho.train.prepare_cines import prepare_cines  # noqa: E402
from edgeecho.train.sources import Clip, Pairs, Source, Stills, Videos  # noqa: E402
from edgeecho.train.training_data import find_sources, group_stills, labelled_cines  # noqa: E402
from edgeecho.train.validation import Validation  # noqa: E402
from tests.helpers import draw_heart  # noqa: E402

SIZE = 48


def clip_of(source: Source, seed: int = 1, **settings: object) -> Clip:
    return source.clip(np.random.default_rng(seed), replace(ClipConfig(frames=6), **settings), SIZE)


def two_stills() -> tuple[np.ndarray, np.ndarray]:
    """A wide and a narrow cavity in one speckled sector, (2, 160, 200), and their masks."""
    rng = np.random.default_rng(3)
    y, x = np.indices((160, 200))
    sector = np.abs(np.arctan2(x - 100, y + 20)) < 0.7
    masks = [((x - 100) / wide) ** 2 + ((y - 110) / long) ** 2 < 1 for wide, long in ((28, 70), (18, 60))]
    masks = [m & (y < 112) & sector for m in masks]
    images = [np.where(m, 30, 150) + rng.integers(-20, 20, m.shape) for m in masks]
    return (
        np.stack([np.clip(i, 1, 255) * sector for i in images]).astype(np.uint8),
        np.stack(masks).astype(np.uint8),
    )


# A heart between two stills


def test_a_heart_begins_at_ed_and_ends_at_es() -> None:
    images, masks = two_stills()
    heart = EdEsMorph.from_stills(images, masks)
    x, y = (part.astype(np.float32) for part in np.meshgrid(np.arange(200), np.arange(160)))
    for contraction, still in ((0.0, 0), (1.0, 1)):
        picture, distance = heart.frame(contraction, x, y)
        np.testing.assert_array_equal(distance > 0, masks[still] > 0)
        inside = cv2.erode((images.max(axis=0) > 3).astype(np.uint8), np.ones((5, 5))) > 0
        assert np.abs(picture.astype(int) - images[still])[inside].max() <= 1


def test_a_heart_shrinks_evenly_and_its_mask_follows_its_picture() -> None:
    images, masks = two_stills()
    heart = EdEsMorph.from_stills(images, masks)
    x, y = (part.astype(np.float32) for part in np.meshgrid(np.arange(200), np.arange(160)))
    areas = []
    for contraction in np.linspace(0, 1, 9):
        picture, distance = heart.frame(float(contraction), x, y)
        mask = distance > 0
        areas.append(int(mask.sum()))
        calm = cv2.GaussianBlur(picture, (0, 0), 2)
        near = np.abs(distance) < 15
        assert dice((calm < 90) & near, mask & near) > 0.9  # the dark cavity is where the mask is
    assert (areas[0], areas[-1]) == (masks[0].sum(), masks[1].sum())
    assert (np.diff(areas) < 0).all()
    assert max(-np.diff(areas)) < 2.5 * min(-np.diff(areas))


def test_a_heart_takes_on_anothers_shape_where_its_picture_follows() -> None:
    images, masks = two_stills()
    heart = EdEsMorph.from_stills(images, masks)
    turn = cv2.getRotationMatrix2D((100, 110), 10, 0.88)  # another one: smaller, and it stands aslant
    small = np.stack([cv2.warpAffine(m, turn, (200, 160), flags=cv2.INTER_NEAREST) for m in masks])
    other = EdEsMorph.from_stills(images, small)
    x, y = (part.astype(np.float32) for part in np.meshgrid(np.arange(200), np.arange(160)))
    for contraction, still in ((0.0, 0), (1.0, 1)):
        own, half, whole = (
            int((heart.shaped_like(other, share).frame(contraction, x, y)[1] > 0).sum()) for share in (0.0, 0.5, 1.0)
        )
        assert own == masks[still].sum()
        assert abs(whole / small[still].sum() - 1) < 0.1
        assert whole < 0.95 * half < 0.95**2 * own
        picture, distance = heart.shaped_like(other, 1.0).frame(contraction, x, y)
        near = np.abs(distance) < 15
        assert dice((cv2.GaussianBlur(picture, (0, 0), 2) < 90) & near, (distance > 0) & near) > 0.9
        top, middle = (float(np.flatnonzero((distance > 0)[row]).mean()) for row in (55, 105))
        assert abs(top - middle) < 4  # it stands as it stood
        sector = cv2.dilate((images[0] > 0).astype(np.uint8), np.ones((5, 5)))
        assert not picture[sector == 0].any()


def test_clips_of_reshaped_hearts_differ_and_repeat() -> None:
    images, masks = two_stills()
    hearts = [EdEsMorph.from_stills(images, masks), EdEsMorph.from_stills(images[::-1], masks)]
    plain, shaped, again = (clip_of(Pairs(hearts), reshape=share, augment=0.0) for share in (0.0, 1.0, 1.0))
    assert np.array_equal(shaped.frames, again.frames)
    assert not np.array_equal(plain.frames, shaped.frames)


def test_a_heart_keeps_its_sector_and_its_speckle() -> None:
    images, masks = two_stills()
    heart = EdEsMorph.from_stills(images, masks)
    x, y = (part.astype(np.float32) for part in np.meshgrid(np.arange(200), np.arange(160)))
    pictures = [heart.frame(c, x, y)[0] for c in (0.0, 0.5, 1.0)]
    lit = [p > 0 for p in pictures]
    assert max((lit[0] != other).mean() for other in lit) < 0.005
    far = np.s_[130:155, 60:140]  # tissue away from the cavity
    spread = [float(p[far].std()) for p in pictures]
    assert spread[1] == pytest.approx(spread[0], rel=0.2)  # a plain mean of two patterns would lose 0.3 of it


def test_outlines_start_at_the_base_and_match(heart: np.ndarray) -> None:
    _, masks = two_stills()
    ed, es = (outline(m) for m in masks)
    assert ed.shape == es.shape
    apex = [int(np.argmin(points[:, 1])) for points in (ed, es)]
    assert abs(apex[0] - apex[1]) <= 2
    assert np.hypot(*(ed - es).T).max() < 25
    with pytest.raises(MeasurementError):
        outline(np.zeros((20, 20), np.uint8))


def test_phases_of_a_rhythm() -> None:
    rhythm = Rhythm.draw(np.random.default_rng(2), 4.0, 75.0)
    volume, beat = rhythm.at(np.arange(200) / 50)
    assert (volume.min(), volume.max()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))
    phases = phase_frames(volume, beat)
    assert all((volume[k] > 0.97) if phase == "ED" else (volume[k] < 0.03) for k, phase in phases.items())
    named = [phases[k] for k in sorted(phases)]
    assert len(named) >= 8
    assert all(a != b for a, b in pairwise(named))


# Sources


@pytest.fixture(scope="module")
def cines(camus: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipCines:
    items = open_data(f"camus:{camus}").items("train")
    return prepare_cines(group_stills(items), tmp_path_factory.mktemp("cines"), 1e9, lambda text: None)


def one_video(cine: Cine, folder: Path) -> Videos:
    """A source of one cine, which is not read from a file."""
    item = Item("a", "a", "train", "4CH", partial(_same, cine), {"frames": len(cine.frames)})
    return Videos(prepare_cines([(item,)], folder, 1e9, lambda text: None))


def _same(cine: Cine) -> Cine:
    return cine


def test_a_still_moves_image_and_mask_together_and_keeps_its_label(cines: ClipCines) -> None:
    stills = Stills(cines)
    assert stills.where == [(number, n) for number in range(len(cines)) for n in (0, 1)]
    clip = clip_of(stills, augment=0.0)
    assert clip.frames.shape == clip.masks.shape == (6, SIZE, SIZE)
    assert clip.labelled.all()
    assert clip.phase_confidence == 0
    for frame, mask in zip(clip.frames, clip.masks, strict=True):
        inside, around = frame[mask > 250], frame[(mask == 0) & (frame > 0)]
        assert inside.mean() < 0.6 * around.mean()


def test_only_ed_and_es_of_a_beating_heart_are_labelled(cines: ClipCines) -> None:
    pairs = Pairs.of(cines)
    assert isinstance(pairs, Pairs)
    clips = [clip_of(pairs, seed, augment=0.0, geometry=0.0) for seed in range(12)]
    assert all(1 <= clip.labelled.sum() <= 4 for clip in clips)
    assert all(not clip.masks[~(clip.labelled | clip.interpolated)].any() for clip in clips)
    assert any(clip.interpolated.any() for clip in clips)
    assert not any((clip.labelled & clip.interpolated).any() for clip in clips)
    assert all(clip.masks[clip.labelled].any(axis=(1, 2)).all() for clip in clips)
    moving = [clip for clip in clips if clip.phase_confidence > 0.5 and clip.labelled.sum() > 1]
    assert moving
    for clip in moving:  # the cycle is high where the labelled area is large
        area = clip.masks[clip.labelled].sum(axis=(1, 2), dtype=float)
        if np.ptp(area) > 0.1 * area.max():
            assert clip.cycle[clip.labelled][area.argmax()] > clip.cycle[clip.labelled][area.argmin()]


def test_a_video_is_cut_about_a_label(tmp_path: Path) -> None:
    frames, masks = draw_heart(np.random.default_rng(4), 20, 64, 64)
    cine = Cine(frames, fps=30.0, labels={k: masks[k] for k in (4, 15)}, phases={4: "ED", 15: "ES"})
    videos = one_video(cine, tmp_path)
    counts = [int(clip_of(videos, seed, stride=3).labelled.sum()) for seed in range(20)]
    assert set(counts) == {1, 2}
    still = clip_of(videos, 1, stride=1, augment=0.0, geometry=0.0)
    k = int(np.flatnonzero(still.labelled)[0])
    picture, mask = still.frames[k], still.masks[k]
    assert picture[mask > 250].mean() < 0.6 * picture[(mask == 0) & (picture > 0)].mean()


def test_of_a_video_that_is_labelled_throughout_only_ed_and_es_are_told(tmp_path: Path) -> None:
    frames, masks = draw_heart(np.random.default_rng(4), 20, 64, 64)
    cine = Cine(frames, labels=dict(enumerate(masks)), phases={1: "ED", 10: "ES"})
    assert cine.marked == [1, 10]
    assert replace(cine, phases={}).marked == list(range(20))
    videos = one_video(cine, tmp_path)
    assert {int(clip_of(videos, seed, stride=1).labelled.sum()) for seed in range(20)} == {1}


def test_a_phantom_is_labelled_at_ed_and_es() -> None:
    clip = clip_of(Phantoms(), 5)
    assert 1 <= clip.labelled.sum() <= 4
    assert clip.frames.shape == (6, SIZE, SIZE)


def test_every_frame_of_a_varied_heart_is_labelled_and_a_still_is_one_frame() -> None:
    varied = {"population": "varied", "phantom_labels": "all"}
    beating, still = (clip_of(Phantoms(), 5, **varied, phantom_stills=share) for share in (0.0, 1.0))
    for clip in (beating, still):
        assert clip.labelled.all()
        assert (clip.masks.max(axis=(1, 2)) == 255).all()
        assert not clip.interpolated.any()
        assert clip.phase_confidence == 0
    assert (beating.frames[0] != beating.frames[5]).any()
    assert (still.frames == still.frames[0]).all()
    assert (still.masks == still.masks[0]).all()
    assert still.frames.shape == (6, SIZE, SIZE)


@pytest.mark.parametrize("kind", ["stills", "pairs", "phantoms"])
def test_a_clip_depends_on_its_seed_only(cines: ClipCines, kind: str) -> None:
    source = {"stills": Stills(cines), "pairs": Pairs.of(cines), "phantoms": Phantoms()}[kind]
    assert source
    a, b, other = (clip_of(source, seed) for seed in (1, 1, 2))
    for name in ("frames", "masks", "labelled", "cycle"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.frames != other.frames).any()


def test_sources_and_their_shares(camus: Path, tmp_path: Path) -> None:
    items = open_data(f"camus:{camus}").items("train")

    def sources(out: str, items: list[Item] = items, **settings: float) -> list[tuple[float, type]]:
        config = replace(TrainConfig(), clips=ClipConfig(**settings)).with_value("run.out", str(tmp_path / out))
        config = config.with_value("run.workers", 0)
        return [(share, type(source)) for share, source in find_sources(items, config, lambda text: None)]

    assert sources("all", stills=1.0, cines=2.0, phantom=1.0) == [(0.25, Stills), (0.5, Pairs), (0.25, Phantoms)]
    assert sources("none", stills=0.0, cines=0.0) == [(1.0, Phantoms)]
    assert not (tmp_path / "none").exists()  # nothing was read
    with pytest.raises(ConfigError, match="nothing to train on"):
        sources("none", stills=0.0, cines=0.0, phantom=0.0)
    videos = [replace(items[0], metadata={"frames": 30, "labels": 2})]
    assert sources("videos", videos, stills=0.0, phantom=0.0) == [(1.0, Videos)]


def test_stills_of_one_heart_are_joined(camus: Path) -> None:
    items = open_data(f"camus:{camus}").items("train")[:4]
    joined = [read_group(group)[0] for group in group_stills(items)]
    assert [(len(c.frames), c.phases) for c in joined] == [(2, {0: "ED", 1: "ES"})] * 2
    alone = list(labelled_cines(items, lambda text: None))
    assert [(len(c.frames), c.phases) for c in alone] == [(1, {0: "ED"}), (1, {0: "ES"})] * 2


def test_what_is_chosen_on_sees_no_other_still(camus: Path) -> None:
    """ED and ES stills are not consecutive frames: each is validated as a cine of one repeated frame."""
    cines = labelled_cines(open_data(f"camus:{camus}").items("train")[:4], lambda text: None)
    validation = Validation(cines, SIZE, (4, 4))
    assert [(len(frame.inputs), frame.index) for frame in validation.frames] == [(1, 0)] * 4


# Placement and damage


def test_without_geometry_a_clip_shows_the_region() -> None:
    matrices = draw_placement(np.random.default_rng(1), 3, 64, 0.0)
    x, y = sample_grid(matrices[0], 64)
    edge = CANVAS / 2 - CANVAS / MARGIN / 2
    assert float(x[0, 0]) == pytest.approx(edge) == float(y[0, 0])
    assert float(x[0, -1]) == pytest.approx(edge + CANVAS / MARGIN * 63 / 64)
    np.testing.assert_array_equal(matrices[0], matrices[2])
    moved = draw_placement(np.random.default_rng(1), 3, 64, 1.0)
    assert (moved[0] != moved[2]).any()


def test_a_canvas_has_room_about_the_region(heart: np.ndarray) -> None:
    cine = Cine(heart[None] if heart.ndim == 2 else heart)
    canvas = region_to_canvas(cine.frames, canvas_region(cine))
    assert canvas.shape == (len(cine.frames), CANVAS, CANVAS)
    margin = round((CANVAS - CANVAS / MARGIN) / 2) - 2
    assert not canvas[:, :margin].any() or not canvas[:, :, :margin].any()


def test_damage_leaves_something_to_see() -> None:
    frames = np.full((3, SIZE, SIZE), 60, np.uint8)
    frames[:, 10:30, 10:30] = 15
    assert augment(frames, np.random.default_rng(1), 0.0) is frames
    spoilt = [augment(frames, np.random.default_rng(seed)) for seed in range(40)]
    assert all(s.dtype == np.uint8 and s.shape == frames.shape for s in spoilt)
    assert sum(bool((s != frames).any()) for s in spoilt) == 40
    assert min(int(np.quantile(s, 0.99)) for s in spoilt) >= 20

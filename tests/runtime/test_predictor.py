"""Predictor on the packaged model: JSON contract, windowing invariance, numbers of threads, long cines, odd input."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeecho
from edgeecho.cine import Cine
from edgeecho.errors import ConfigError, ShapeError, VideoError
from edgeecho.preprocess import Roi
from edgeecho.reasons import Reason
from edgeecho.runtime import Predictor, load
from tests.helpers import draw_heart

CONTRACT = (  # DESIGN, section 4: may be extended; `input` is added by the command
    "frames height width fps spacing_mm roi area_px ed_frames es_frames beats ef_percent edv_ml esv_ml heart_rate_bpm "
    "sv_ml spread withheld verdict reasons flip inverted quality doubtful warnings model"
)
BEAT = "ed_frame es_frame edv_ml esv_ml sv_ml ef_percent heart_rate_bpm is_used reasons"
MODEL = "name sha256 form precision runtime runtime_version licence"


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return edgeecho.load(threads=1)


@pytest.fixture
def opened(predictor: Predictor) -> Predictor:
    """Predictor of the module, with its default window."""
    predictor.window_frames = 64
    return predictor


@pytest.fixture(scope="module")
def beating() -> np.ndarray:
    """Drawn cine of 3 beats of 20 frames, uint8 (60, 128, 128)."""
    return draw_heart(np.random.default_rng(8), frames=60, depth=0.25)[0]


WHOLE = {"roi": Roi(0, 0, 128, 128), "flip": "none"}
"""Settings with which nothing is searched, for tests of what comes after the search."""


def on_paper(depth: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Draw a dark ellipse that beats over resting texture: frames uint8 (60, 128, 128), masks uint8 {0, 1}.

    Over an even ground it would be a picture that is zoomed as a whole.
    """
    _, masks = draw_heart(np.random.default_rng(8), frames=60, depth=depth)
    ground = np.random.default_rng(1).integers(100, 250, (16, 16)).repeat(8, axis=0).repeat(8, axis=1)
    return np.where(masks, 40, ground).astype(np.uint8), masks


def the_same(a: edgeecho.Segmentation, b: edgeecho.Segmentation) -> bool:
    return a.mask.tobytes() == b.mask.tobytes() and a.to_dict() == b.to_dict()


class Threshold:
    """Engine whose result is known: dark is cavity. No frame depends on another."""

    runtime, version = "paper", "1"

    def infer(self, frames: np.ndarray) -> np.ndarray:
        return np.where((frames > 5) & (frames < 90), 255, 0).astype(np.uint8)


@pytest.fixture
def paper(predictor: Predictor) -> Predictor:
    return Predictor(Threshold(), predictor.spec, "0" * 64)


# The contract


def test_the_library_logs_the_licence_and_prints_nothing(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("INFO", "edgeecho"):
        info = edgeecho.load(threads=1).info
    assert [record.getMessage() for record in caplog.records] == [
        f"{info.name}: weights under {info.licence}. Research software, not a medical device."
    ]
    assert capfd.readouterr() == ("", "")


def test_the_contract_on_a_drawn_heart(opened: Predictor, beating: np.ndarray) -> None:
    result = opened.segment(beating, fps=25, spacing_mm=(0.9, 0.8))
    values = json.loads(json.dumps(result.to_dict()))
    assert set(values) >= set(CONTRACT.split())
    assert (values["frames"], values["height"], values["width"]) == (60, 128, 128)
    assert (values["fps"], values["spacing_mm"]) == (25, [0.9, 0.8])
    assert set(values["model"]) >= set(MODEL.split())
    assert values["model"]["licence"] == opened.spec.licence
    assert (values["model"]["form"], values["model"]["precision"], values["model"]["runtime"]) == (
        "clip",
        "int8",
        "ort",
    )
    assert result.mask.dtype == np.uint8
    assert result.mask.shape == beating.shape
    assert set(np.unique(result.mask)) <= {0, 1}
    assert result.area_px.dtype == np.float32
    np.testing.assert_array_equal(result.area_px, result.mask.sum(axis=(1, 2)))
    assert all(set(beat) >= set(BEAT.split()) for beat in values["beats"])


def test_what_is_measured_on_paper(paper: Predictor) -> None:
    frames, masks = on_paper()
    result = paper.segment(frames, fps=25, spacing_mm=(0.9, 0.9), **WHOLE)
    overlap = 2 * (result.mask & masks).sum() / (result.mask.sum() + masks.sum())
    assert overlap > 0.97
    assert result.ed_frames == pytest.approx([0, 20, 40, 59], abs=2) or result.ed_frames == pytest.approx(
        [20, 40], abs=2
    )
    assert result.es_frames == pytest.approx([10, 30, 50], abs=1)
    assert result.heart_rate_bpm == pytest.approx(75, abs=4)  # 25 fps, 20 frames a beat
    assert result.ef_percent == pytest.approx(100 * (1 - 0.75**3), abs=5)  # every axis shrinks by a quarter
    assert result.edv_ml > result.esv_ml > 0
    assert result.sv_ml == pytest.approx(np.median([beat.sv_ml for beat in result.beats]))
    assert result.spread["ef_percent"] < 2
    assert not result.doubts
    assert {beat.ed_frame for beat in result.beats} <= set(result.ed_frames)
    assert result.quality["empty_frames"] == 0
    assert result.quality["confidence"] == 1.0


def test_the_contract_on_a_real_cine(opened: Predictor) -> None:
    pydicom = pytest.importorskip("pydicom")
    cine = edgeecho.read_cine(pydicom.examples.get_path("ybr_color"))
    result = opened.segment(cine)
    values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(values) >= set(CONTRACT.split())
    assert result.mask.shape == cine.frames.shape
    assert (result.area_px > 0).mean() > 0.9  # an apical four-chamber view: the ventricle is there
    x, y, width, height = values["roi"]
    outside = result.mask.copy()
    outside[:, max(0, y) : y + height, max(0, x) : x + width] = 0
    assert not outside.any()


def test_an_ellipse_that_shrinks_on_an_even_ground_is_a_zoom_of_the_whole(paper: Predictor) -> None:
    _, masks = on_paper()
    result = paper.segment(np.where(masks, 40, 160).astype(np.uint8), fps=25, spacing_mm=(0.9, 0.9), **WHOLE)
    assert [finding.reason for finding in result.findings] == [Reason.NOTHING_BEATS]  # the spacing is known
    assert result.verdict == "withhold"
    assert (result.ef_percent, result.edv_ml, result.heart_rate_bpm) == (None, None, None)
    assert all(beat.ef_percent > 40 and beat.edv_ml for beat in result.beats)


def test_no_spacing_no_millilitres(paper: Predictor, beating: np.ndarray) -> None:
    result = paper.segment(beating, fps=25, **WHOLE)
    assert (result.edv_ml, result.esv_ml, result.spacing_mm) == (None, None, None)
    assert all(beat.edv_ml is None for beat in result.beats)
    assert paper.segment(beating, **WHOLE).heart_rate_bpm is None


def test_one_frame_has_a_mask_and_no_ef(opened: Predictor, beating: np.ndarray) -> None:
    result = opened.segment(beating[:1])
    assert result.mask.shape == (1, 128, 128)
    assert result.mask.any()
    assert (result.ef_percent, result.beats) == (None, [])
    assert "1 frame: no beat to measure" in result.warnings


def test_an_empty_answer_says_so(predictor: Predictor, beating: np.ndarray) -> None:
    class Nothing(Threshold):
        def infer(self, frames: np.ndarray) -> np.ndarray:
            return np.zeros_like(frames)

    result = Predictor(Nothing(), predictor.spec, "0" * 64).segment(beating, fps=25)
    assert (result.ef_percent, result.verdict) == (None, "withhold")
    assert result.quality == {**result.quality, "confidence": 0.0, "empty_frames": 60}
    assert Reason.NO_VENTRICLE in {finding.reason for finding in result.findings}
    assert "no left ventricle found in any frame" in result.warnings


def test_a_mask_in_pieces_is_doubted_in_json_too(paper: Predictor) -> None:
    frames, _ = on_paper()
    frames[:, 4:20, 4:20] = 40
    result = paper.segment(frames, fps=25, **WHOLE)
    values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert values["quality"]["broken_frames"] == 60
    assert not result.mask[:, 4:20, 4:20].any()  # the largest piece alone is given
    assert (values["verdict"], values["doubtful"], values["ef_percent"]) == ("withhold", True, None)
    assert {beat["is_used"] for beat in values["beats"]} == {False}
    assert all("mask_in_pieces" in beat["reasons"] for beat in values["beats"])
    (reason,) = (reason for reason in values["reasons"] if reason["code"] == "mask_in_pieces")
    assert reason["level"] == "withhold"
    assert re.search(r"the mask is in pieces in (\d+) of \1 frames", reason["text"])


def test_figures_that_no_heart_has_are_doubted(paper: Predictor) -> None:
    frames, _ = on_paper()
    assert paper.segment(frames, fps=25, spacing_mm=(0.9, 0.9), **WHOLE).to_dict()["doubtful"] is False
    for mm, says in ((0.2, "mL is implausible: check the pixel spacing"), (4, "mL is implausible")):
        large_or_small = paper.segment(frames, fps=25, spacing_mm=(mm, mm), **WHOLE)
        assert [says in doubt for doubt in large_or_small.doubts] == [True]
        assert large_or_small.doubts[0] in large_or_small.warnings
    result = paper.segment(on_paper(depth=0.6)[0], fps=25, **WHOLE)
    assert any("an EF of 9" in doubt for doubt in result.doubts)
    assert (result.verdict, result.ef_percent) == ("withhold", None)
    assert all(beat.ef_percent > 90 and not beat.is_used for beat in result.beats)


def test_a_frozen_tail_is_a_warning(opened: Predictor, beating: np.ndarray) -> None:
    def frozen(frames: np.ndarray) -> list[str]:
        return [w for w in opened.segment(frames, fps=25).warnings if "are the same" in w]

    assert frozen(beating) == []
    assert frozen(np.concatenate([beating, beating[-1:].repeat(5, axis=0)])) == []
    tail = np.concatenate([beating, beating[-1:].repeat(20, axis=0)])
    tail[-7] = np.minimum(tail[-7], 254) + 1  # what compression leaves
    assert frozen(tail) == ["the last 21 of 80 frames are the same: cut them off, beats there are not real"]
    assert frozen(beating[:1].repeat(30, axis=0)) == [
        "the last 30 of 30 frames are the same: cut them off, beats there are not real"
    ]


@pytest.mark.parametrize(
    "roi", [Roi(10, 10, 2, 2), Roi(120, 0, 100, 100), Roi(-90, 0, 100, 100), Roi(500, 500, 64, 64), Roi(0, 0, 90, 9)]
)
def test_a_region_with_too_little_of_the_frame(paper: Predictor, beating: np.ndarray, roi: Roi) -> None:
    with pytest.raises(
        ConfigError, match=rf"region of {roi.width}x{roi.height} at .* of the 128x128 frame in it; give"
    ):
        paper.segment(beating, roi=roi)


def test_a_region_around_the_frame_is_fine(paper: Predictor, beating: np.ndarray) -> None:
    assert paper.segment(beating, roi=Roi(-100, -100, 400, 400)).mask.any()


# The same answer


@pytest.mark.parametrize("window", [1, 2, 3, 5, 7, 16, 32, 59, 60, 1000])
def test_windows_do_not_matter(opened: Predictor, beating: np.ndarray, window: int) -> None:
    whole = opened.segment(beating, fps=25)
    opened.window_frames = window
    assert the_same(opened.segment(beating, fps=25), whole)


def test_threads_do_not_matter(opened: Predictor, beating: np.ndarray) -> None:
    assert the_same(load(threads=2).segment(beating, fps=25), opened.segment(beating, fps=25))


@pytest.mark.slow
def test_runs_do_not_matter(opened: Predictor, beating: np.ndarray) -> None:
    first = opened.segment(beating, fps=25)
    opened.segment(beating[::-1])  # what came before leaves no trace
    assert the_same(opened.segment(beating, fps=25), first)
    assert the_same(load(threads=1).segment(beating, fps=25), first)


def test_int8_and_fp32_agree(opened: Predictor) -> None:
    pydicom = pytest.importorskip("pydicom")
    cine = edgeecho.read_cine(pydicom.examples.get_path("ybr_color"))
    a, b = opened.segment(cine).mask, load(precision="fp32", threads=1).segment(cine).mask
    assert 2 * (a & b).sum() / (a.sum() + b.sum()) >= 0.99


@pytest.mark.slow
def test_engines_agree(beating: np.ndarray, nano_fp32: Path) -> None:
    a, b = (load(nano_fp32, runtime=name, precision="fp32").segment(beating).mask for name in ("ort", "openvino"))
    assert (a != b).sum() <= 0.005 * a.sum()


def test_colour_without_colour_is_grey(opened: Predictor, beating: np.ndarray) -> None:
    colour = np.repeat(beating[..., None], 3, axis=3)
    assert the_same(opened.segment(colour, fps=25), opened.segment(beating, fps=25))


def test_a_cine_is_its_frames(opened: Predictor, beating: np.ndarray) -> None:
    cine = Cine(beating, fps=25, spacing_mm=(0.9, 0.8), warnings=("odd file",))
    result = opened.segment(cine)
    assert result.warnings[0] == "odd file"
    assert result.mask.tobytes() == opened.segment(beating, spacing_mm=(0.9, 0.8)).mask.tobytes()
    assert (result.fps, result.spacing_mm) == (25, (0.9, 0.8))
    assert opened.segment(cine, fps=50).fps == 50


@pytest.mark.parametrize(("flip", "axis"), [("lr", 2), ("ud", 1)])
def test_a_mirrored_view(opened: Predictor, flip: str, axis: int) -> None:
    # 224 = 2 * 112: resampling is then symmetric, and so must be the answer.
    frames = np.random.default_rng(3).integers(0, 256, (4, 224, 224), dtype=np.uint8)
    frames[:, 60:170, 70:150] //= 6
    roi = Roi(0, 0, 224, 224)
    mirrored = opened.segment(np.flip(frames, axis), roi=roi, flip=flip)
    upright = opened.segment(frames, roi=roi, flip="none")
    np.testing.assert_array_equal(mirrored.mask, np.flip(upright.mask, axis))
    assert upright.mask.any()
    assert (upright.mask != mirrored.mask).any()


def test_a_region_that_is_given(paper: Predictor, beating: np.ndarray) -> None:
    roi = Roi(20, 30, 60, 50)
    result = paper.segment(beating, roi=roi)
    assert result.roi == roi
    assert result.mask[:, 30:80, 20:80].any()
    result.mask[:, 30:80, 20:80] = 0
    assert not result.mask.any()


@pytest.mark.slow
def test_a_long_cine_in_bounded_memory() -> None:
    """The engine's memory does not grow with T: 1500 frames take little more than 100."""
    code = """
import resource, numpy as np, edgeecho
predictor = edgeecho.load(threads=1)
predictor.window_frames = 32
frames = np.random.default_rng(0).integers(0, 256, (1500, 112, 112), dtype=np.uint8)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
predictor.probabilities(frames[:100])
before = peak()
seen = []
prob = predictor.probabilities(frames, lambda done, total: seen.append((done, total)))
print(prob.shape == frames.shape, peak() - before, seen[0] == (32, 1500), seen[-1] == (1500, 1500))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    whole, grown_mb, first, last = run.stdout.split()
    assert (whole, first, last) == ("True", "True", "True")
    assert int(grown_mb) < 60  # the answer itself is 19 MB; an unbounded run takes over 1 GB more


# What is refused


@pytest.mark.parametrize(
    ("frames", "got"),
    [
        (np.zeros((64, 64), np.uint8), r"got uint8 \(64, 64\); pass one cine of grey or RGB frames"),
        (np.zeros((2, 64, 64), np.float32), r"got float32 \(2, 64, 64\)"),
        (np.zeros((2, 64, 64, 3), np.float32), r"got float32 \(2, 64, 64, 3\)"),
        (np.zeros((2, 64, 64, 4), np.uint8), r"got uint8 \(2, 64, 64, 4\)"),
        (np.zeros((0, 64, 64), np.uint8), r"got uint8 \(0, 64, 64\)"),
        (np.zeros((2, 0, 64), np.uint8), r"got uint8 \(2, 0, 64\)"),
    ],
)
def test_frames_that_are_no_cine(opened: Predictor, frames: np.ndarray, got: str) -> None:
    with pytest.raises(ShapeError, match=got):
        opened.segment(frames)


def test_a_black_cine(opened: Predictor) -> None:
    with pytest.raises(VideoError, match="every pixel is black"):
        opened.segment(np.zeros((3, 64, 64), np.uint8))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"fps": -1}, "fps must be positive and below 10000, got -1"),
        ({"fps": 0}, "fps must be positive and below 10000, got 0"),
        ({"fps": float("nan")}, "fps must be positive and below 10000, got nan"),
        ({"spacing_mm": (0.5, 0)}, r"spacing_mm must be two positive numbers .* got \(0\.5, 0\)"),
        ({"spacing_mm": (float("nan"), 1)}, "spacing_mm must be two positive numbers"),
        ({"spacing_mm": (1, float("nan"))}, "spacing_mm must be two positive numbers"),
        ({"spacing_mm": (float("inf"), 1)}, "spacing_mm must be two positive numbers"),
        ({"flip": "diagonal"}, "unknown flip 'diagonal'; known: auto, none, lr, ud, lrud, cw, ccw, cwlr, ccwlr"),
    ],
)
def test_settings_that_make_no_sense(
    opened: Predictor, beating: np.ndarray, settings: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        opened.segment(beating, **settings)


def test_a_window_has_a_frame(opened: Predictor) -> None:
    with pytest.raises(ConfigError, match="window_frames must be at least 1, got 0"):
        Predictor(Threshold(), opened.spec, "", window_frames=0)


# A heart in other forms


@pytest.fixture(scope="module")
def phantom() -> Cine:
    """One beat of a drawn heart with an EF of 48.8% and 62.5 beats a minute, on square pixels of unknown size."""
    from edgeecho.synthetic.phantom import draw_cine

    return Cine(np.ascontiguousarray(draw_cine(11).frames[:76, :454, :512]), fps=50.0)


def test_an_orientation_that_single_frames_leave_unclear(predictor: Predictor, phantom: Cine) -> None:
    """The confidence over all frames decides, for this heart as for its mirror image."""
    upright = predictor.segment(phantom)
    mirrored = predictor.segment(replace(phantom, frames=np.ascontiguousarray(phantom.frames[:, :, ::-1])))
    for result, flip in ((upright, "none"), (mirrored, "lr")):
        assert (result.flip, result.verdict) == (flip, "report")
        assert result.ef_percent == pytest.approx(48.8, abs=2)


@pytest.mark.slow
def test_pixels_that_are_not_square_give_the_same_ef(predictor: Predictor, phantom: Cine) -> None:
    """Taken as square, the squeezed heart has an EF of 45%."""
    squeezed = np.ascontiguousarray(phantom.frames[:, :, ::2])
    result = predictor.segment(Cine(squeezed, fps=50.0, aspect=0.5))
    assert result.ef_percent == pytest.approx(48.8, abs=2)
    assert result.mask.shape == squeezed.shape
    assert result.roi.height == pytest.approx(2 * result.roi.width, abs=1)
    assert "pixel spacing unknown: no volumes in mL" in result.warnings
    assert predictor.segment(Cine(squeezed, fps=50.0)).measurement.ef_percent < result.ef_percent - 3


@pytest.mark.slow
def test_the_heart_rate_is_that_of_the_times_of_a_cine(predictor: Predictor, phantom: Cine) -> None:
    """Recorded at 50, then at 25 frames a second: frames over the median rate are 94 a minute."""
    taken = np.r_[0:40, 40:76:2]
    cine = Cine(phantom.frames[taken], fps=50.0, times_s=taken / 50)
    result = predictor.segment(cine)
    assert result.heart_rate_bpm == pytest.approx(62.5, abs=2)
    assert result.ef_percent == pytest.approx(48.8, abs=2)
    stated = predictor.segment(cine, fps=25.0)  # a rate of the user's own is in place of the times
    assert stated.heart_rate_bpm is not None
    assert stated.heart_rate_bpm < 55

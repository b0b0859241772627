"""View, masks, beats, verdict and reasons of the C library: those of Python's stream, frame by frame."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.model.device_copy import write_device_file
from edgeecho.model.device_file import SUFFIX
from edgeecho.preprocess import FLIPS, Roi, flip_images, unflip_images
from edgeecho.reasons import SENTENCES, Reason
from edgeecho.synthetic.phantom import draw_cine
from edgeecho.synthetic.turned import KINDS, turn
from edgeecho.synthetic.wrong_views import WRONG
from tests.conftest import write_random_graphs
from tests.device.building import SMALL, run
from tests.helpers import MakeOnce

Compare = Callable[..., Any]


@pytest.fixture
def compare(comparing: ModuleType, library: Path, small: Path) -> Iterator[Compare]:
    """Function that streams a cine through C and Python and returns the difference."""
    device = comparing.Device(str(library), str(small))
    yield partial(comparing.compare, partial(comparing.by_library, device), SMALL / "stream.int8.onnx")
    device.close()


def assert_same(found: Any) -> None:
    """Check that nothing differs, but the last bits of figures, which are sums in another order."""
    assert (found.unequal, found.confidence, found.judged, found.judged_beats) == (0, 0.0, 0, 0), found
    assert found.beats[0] == found.beats[1], found
    assert found.figures < 1e-9, found
    ours, theirs = found.ef_percent
    assert ours == pytest.approx(theirs, abs=1e-9), found


@pytest.mark.parametrize("seed", range(4))
def test_upright_phantoms_on_several_screens(compare: Compare, seed: int) -> None:
    assert_same(compare(draw_cine((5, seed)), roi=None, flip="auto"))


@pytest.mark.parametrize("kind", KINDS)
def test_turned_and_inverted_pictures(compare: Compare, kind: str) -> None:
    assert_same(compare(turn(draw_cine((5, 2)), kind), roi=None, flip="auto"))


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_views(compare: Compare, kind: str) -> None:
    assert_same(compare(WRONG[kind](1), roi=None, flip="auto"))


@pytest.mark.parametrize("flip", FLIPS)
def test_a_flip_that_is_given(compare: Compare, flip: str) -> None:
    height, width = draw_cine((5, 3)).frames.shape[1:]
    side = min(height, width)
    roi = Roi((width - side) // 2, (height - side) // 2, side, side)
    assert_same(compare(draw_cine((5, 3)), roi=roi, flip=flip))


def test_one_of_both_is_given(compare: Compare) -> None:
    cine = turn(draw_cine((5, 3)), "mirrored")
    height, width = cine.frames.shape[1:]
    assert_same(compare(cine, roi=Roi(0, 0, width, height), flip="auto"))
    assert_same(compare(cine, roi=None, flip="lr"))


def test_a_black_start_and_short_cines(compare: Compare) -> None:
    cine = draw_cine((5, 2))
    dark = cine.frames.copy()
    dark[:15] = 0
    assert_same(compare(replace(cine, frames=dark), roi=None, flip="auto"))
    for count in (1, 2, 5, 14):
        short = Cine(cine.frames[:count], cine.fps, cine.spacing_mm)
        assert_same(compare(short, roi=None, flip="auto"))


def test_a_search_that_begins_again(compare: Compare) -> None:
    """Noise for 4.5 s, in which no ventricle is found, and then a heart."""
    noise, cine = WRONG["noise"](1).frames, draw_cine((5, 2))
    heart = np.stack([cv2.resize(frame, noise.shape[:0:-1]) for frame in np.tile(cine.frames, (2, 1, 1))])
    found = compare(Cine(np.concatenate([noise, noise[:45], heart]), 30.0, (0.5, 0.5)), roi=None, flip="auto")
    assert_same(found)
    assert found.beats[1] > 0


def test_a_causal_network(comparing: ModuleType, library: Path, make_once: MakeOnce, tmp_path: Path) -> None:
    """Without a delay no answer is due when the view changes; this network is sure of any view."""
    pytest.importorskip("torch")
    pytest.importorskip("openvino")
    folder = make_once("sure-graphs", lambda to: write_random_graphs("edge-causal", to, certainty=60))
    path = tmp_path / f"stream.int8{SUFFIX}"
    spec = write_device_file(folder / "stream.int8.onnx", path)
    assert spec.context_frames[1] == 0
    device = comparing.Device(str(library), str(path))
    heart = draw_cine((5, 1))
    long = Cine(np.tile(heart.frames, (4, 1, 1)), heart.fps, heart.spacing_mm)
    for cine, is_fixed in ((WRONG["four hearts"](1), None), (long, 1)):
        run_c = partial(comparing.by_library, device)
        assert_same(comparing.compare(run_c, folder / "stream.int8.onnx", cine, roi=None, flip="auto"))
        assert is_fixed in (None, device.read()["view_fixed"])
    device.close()


def test_unknown_rate_and_spacing(compare: Compare) -> None:
    cine = replace(draw_cine((5, 4)), fps=None, spacing_mm=None)
    assert_same(compare(cine, roi=None, flip="auto"))


def test_a_difference_is_found(comparing: ModuleType, library: Path, small: Path) -> None:
    """The comparison above finds another view, another verdict and other masks."""
    device = comparing.Device(str(library), str(small))

    def run_c(cine: Cine, roi: Roi | None, flip: str) -> Any:
        return comparing.by_library(device, replace(cine, fps=20.0), roi, "lr")

    found = comparing.compare(run_c, SMALL / "stream.int8.onnx", draw_cine((5, 1)), roi=None, flip="auto")
    device.close()
    assert found.unequal > 0
    assert found.judged > 10
    with pytest.raises(AssertionError, match="unequal"):
        assert_same(found)


def test_each_verdict_is_compared(compare: Compare) -> None:
    """So that each verdict is compared: reported, to be reviewed, and withheld."""
    verdicts = set[str]()
    for seed in (0, 1, 4, 2, 3, *range(5, 20)):  # drawn hearts differ a little between versions of the packages
        verdicts.add(compare(draw_cine((5, seed)), roi=None, flip="auto").verdict)
        if len(verdicts) == 3:
            return
    raise AssertionError(f"of 20 hearts all were {verdicts}")


def test_withheld_figures_stand_in_fields_of_their_own(comparing: ModuleType, library: Path, small: Path) -> None:
    cine = WRONG["four hearts"](1)
    device = comparing.Device(str(library), str(small))
    comparing.by_library(device, cine, None, "auto")
    last, beats = device.read(), device.beats()
    codes = device.codes(last["reasons"])
    device.close()
    assert comparing.VERDICTS[last["verdict"]] == "withhold"
    assert "region_unsure" in codes
    used = [beat["ef_percent"] for beat in beats if beat["is_used"]]
    assert used
    assert last["ef_percent"] is None
    assert last["edv_ml"] is None
    assert last["withheld_ef_percent"] == np.median(used)


def test_reasons_are_pythons(comparing: ModuleType, library: Path, small: Path) -> None:
    device = comparing.Device(str(library), str(small))
    for reason in Reason:
        assert device.codes(1 << reason) == [reason.code]
        assert device.reason_text(reason) == SENTENCES[reason]
    assert device.reason_text(0) == "no reason of this library"
    device.close()


def test_flips_are_those_of_python(built: Path) -> None:
    size = 5
    image = np.arange(size * size, dtype=np.uint8).reshape(size, size)
    for number, flip in enumerate(FLIPS):
        printed = run(built / "tests" / "test_orientation", number)
        there, back = (np.array(line.split(), np.uint8).reshape(size, size) for line in printed.splitlines())
        assert np.array_equal(there, flip_images(image, flip))
        assert np.array_equal(back, unflip_images(image, flip))

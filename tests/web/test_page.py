"""The page in headless Chromium: masks, beats, EF and verdict of Python, offline, and one line where input is bad."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine, read_cine
from edgeecho.reasons import Level
from edgeecho.runtime import Segmentation, stream
from edgeecho.runtime.cine_run import find_view
from edgeecho.synthetic.phantom import draw_cine
from edgeecho.synthetic.turned import turn
from studies.web_page import DIST, Opened, Site, write_stills
from tests.helpers import draw_heart

pytestmark = pytest.mark.slow

FPS, SPACING_MM = 25.0, 0.9
HEART = draw_heart(np.random.default_rng(0), frames=50, height=144, width=160)[0]


def by_page(
    opened: Opened, folder: Path, frames: np.ndarray, model: str, spacing_mm: float = SPACING_MM
) -> tuple[dict[str, Any], np.ndarray]:
    """Drop frames onto the page and return what it saves."""
    opened.choose(model)
    opened.page.locator("#fps").fill(str(FPS))
    opened.page.locator("#spacing").fill(str(spacing_mm))
    opened.drop(write_stills(folder, frames))
    assert opened.wait_done() == ""
    return opened.save(folder.parent)


def by_python(frames: np.ndarray, model: str, spacing_mm: float = SPACING_MM) -> Segmentation:
    return stream(model, threads=1).segment(Cine(frames, fps=FPS, spacing_mm=(spacing_mm, spacing_mm)))


def is_near(ours: float | None, theirs: float | None) -> bool:
    return ours is theirs is None or ours == pytest.approx(theirs, rel=1e-9)


def assert_same(found: dict[str, Any], masks: np.ndarray, wanted: Segmentation) -> None:
    """Check that masks and verdict are equal, and figures up to the last bits of sums in another order."""
    assert np.count_nonzero(masks != wanted.mask) == 0
    assert found["area_px"] == list(wanted.area_px)
    assert found["roi"] == [wanted.roi.x, wanted.roi.y, wanted.roi.width, wanted.roi.height]
    assert (found["flip"], found["inverted"]) == (wanted.orientation.flip, wanted.orientation.inverted)
    assert found["verdict"] == wanted.verdict
    decisive = {finding.reason.code for finding in wanted.findings if finding.level >= Level.REVIEW}
    assert set(found["reasons"]) == decisive
    assert is_near(found["ef_percent"], wanted.ef_percent)
    assert (found["ef_interval"] is None) == (wanted.ef_interval is None)
    for ours, theirs in zip(found["ef_interval"] or (), wanted.ef_interval or (), strict=True):
        assert is_near(ours, theirs)
    beats = [beat.to_dict() for beat in wanted.measurement.beats]
    assert len(found["beats"]) == len(beats)
    for ours, theirs in zip(found["beats"], beats, strict=True):
        for name in ("ed_frame", "es_frame", "is_used"):
            assert ours[name] == theirs[name]
        for name in ("ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm"):
            assert is_near(ours[name], theirs[name])


@pytest.mark.parametrize("model", ["cl_unet_edge", "cl_unet_nano", "cl_unet_edge native", "cl_unet_nano native"])
def test_a_dropped_cine_gives_the_results_of_python(opened: Opened, site: Site, tmp_path: Path, model: str) -> None:
    if f'"{model}"' not in (DIST / "models.json").read_text():
        pytest.skip(f"the page has no model {model}: make web WEB_MODELS='default cl_unet_nano default:native'")
    found, masks = by_page(opened, tmp_path / "stills", HEART, model)
    wanted = by_python(HEART, model.split()[0])
    assert len(wanted.measurement.beats) >= 1
    assert_same(found, masks, wanted)
    assert wanted.ef_interval is not None
    low, high = wanted.ef_interval
    assert opened.page.locator("#ef").inner_text() == f"EF {wanted.ef_percent:.0f}% {low:.0f} to {high:.0f}"
    assert found["model"]["name"] == model.split()[0]
    assert ("native" in found["model"]["engine"]) == ("native" in model)
    assert "gives the proven answers" in opened.page.locator("#about").inner_text()
    own = (site.address, f"blob:{site.address}")
    assert [address for address in opened.fetched if not address.startswith(own)] == []
    assert opened.said == []


def test_a_cine_that_is_turned_on_its_screen(opened: Opened, tmp_path: Path) -> None:
    frames = turn(draw_cine(3), "apex down").frames[:20]
    found, masks = by_page(opened, tmp_path / "stills", frames, "cl_unet_nano")
    assert_same(found, masks, by_python(frames, "cl_unet_nano"))


def test_the_better_of_two_orientations(opened: Opened, tmp_path: Path) -> None:
    """A heart drawn symmetric, whose mirror image is as likely at first, and less likely over all its frames."""
    model = "cl_unet_nano"
    predictor = stream(model, threads=1)
    for seed in range(30):
        frames = draw_heart(np.random.default_rng(seed), frames=12, height=112, width=128)[0]
        view = find_view(predictor.look, predictor.spec, Cine(frames), None, "auto")
        wanted = by_python(frames, model)
        if wanted.orientation.flip != view.orientation.flip:
            break
    else:
        pytest.skip("this model is sure of all drawn hearts at once")
    found, masks = by_page(opened, tmp_path / "stills", frames, model)
    assert_same(found, masks, wanted)


@pytest.mark.parametrize("spacing_mm", [0.1, 4.5])
def test_a_volume_that_is_implausible(opened: Opened, tmp_path: Path, spacing_mm: float) -> None:
    found, masks = by_page(opened, tmp_path / "stills", HEART, "cl_unet_nano", spacing_mm)
    assert_same(found, masks, by_python(HEART, "cl_unet_nano", spacing_mm))
    assert "implausible" in found["reasons"]


def test_colour_over_the_heart(opened: Opened, tmp_path: Path) -> None:
    frames = np.repeat(HEART[:12, ..., None], 3, axis=3)
    frames[::4, 60:80, 70:90] = [40, 60, 230]  # blue, green, red, as OpenCV writes them
    found, masks = by_page(opened, tmp_path / "stills", frames, "cl_unet_nano")
    cine = read_cine(tmp_path / "stills", fps=FPS, spacing_mm=(SPACING_MM, SPACING_MM))
    wanted = stream("cl_unet_nano", threads=1, fps=FPS, spacing_mm=cine.spacing_mm).segment(cine)
    assert_same(found, masks, wanted)
    assert "colour_overlay" in found["reasons"]


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "MJPG"), ("webm", "VP80")])
def test_a_video_gives_about_the_masks_of_python(opened: Opened, tmp_path: Path, suffix: str, codec: str) -> None:
    """The decoders of a browser and of OpenCV differ by a level or two."""
    path = tmp_path / f"heart.{suffix}"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), FPS, (160, 144))
    if not writer.isOpened():
        pytest.skip(f"OpenCV has no encoder for {codec}")
    for frame in HEART[:20]:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    opened.choose("cl_unet_nano")
    for field in ("#fps", "#spacing"):
        opened.page.locator(field).fill("")
    opened.drop([path])
    assert opened.wait_done() == ""
    found, masks = opened.save(tmp_path)
    wanted = stream("cl_unet_nano", threads=1).segment(read_cine(path))
    assert (found["frames"], found["fps"]) == (20, pytest.approx(FPS, rel=2e-3))
    assert 2 * np.count_nonzero(masks & wanted.mask) / (masks.sum() + wanted.mask.sum()) > 0.97


def test_the_page_without_its_server(opened: Opened, site: Site, tmp_path: Path) -> None:
    opened.page.locator("#offline", has_text="Works offline.").wait_for(timeout=60_000)
    site.is_down = True
    try:
        opened.page.reload()
        found, _ = by_page(opened, tmp_path / "stills", HEART[:20], "cl_unet_nano")
    finally:
        site.is_down = False
    assert found["frames"] == 20
    assert opened.said == []


def test_a_phone(opened: Opened) -> None:
    before = opened.page.viewport_size
    opened.page.set_viewport_size({"width": 390, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert "not a medical device" in opened.page.locator("header").inner_text()
    assert "CC-BY-NC-SA-4.0" in opened.page.locator("footer").inner_text()
    opened.page.set_viewport_size(before)


def test_bad_input_is_one_line(opened: Opened, tmp_path: Path) -> None:
    opened.page.locator("#fps").fill("")
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    (tmp_path / "b.avi").write_bytes(b"RIFF\0\0\0\0AVI cut")
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    small, different, black, wide = (tmp_path / f"{name}.png" for name in ("small", "larger", "black", "wide"))
    cv2.imwrite(str(wide), np.zeros((20, 10_000), np.uint8))
    cv2.imwrite(str(small), HEART[0, :8])
    cv2.imwrite(str(different), HEART[0, :100])
    cv2.imwrite(str(black), np.zeros((64, 64), np.uint8))
    for files, said in (
        ([tmp_path / "a.mp4"], "a.mp4: no video that a browser reads"),
        ([tmp_path / "b.avi"], "b.avi: an AVI without a header"),
        ([tmp_path / "c.png"], "c.png: this browser cannot decode the picture"),
        ([small], "160x8 pixels"),
        ([wide], "10000x20 pixels; 16 to 4096 a side"),
        ([black, different], "all frames of a cine must have one size"),
        ([black], "every pixel is black"),
        ([black, tmp_path / "a.mp4"], "drop one video at a time"),
    ):
        opened.drop(files)
        opened.page.locator("#said", has_text=said).wait_for(timeout=30_000)
        assert "\n" not in opened.page.locator("#said").inner_text()
    opened.page.locator("#fps").fill("-1")
    opened.drop([black])
    opened.page.locator("#said", has_text="0.5 to 500, or empty").wait_for(timeout=30_000)
    opened.page.locator("#fps").fill("")
    assert opened.said == []


def test_the_camera(opened: Opened) -> None:
    """Chromium's drawn camera shows no heart: frames are segmented, and nothing is reported."""
    page = opened.page
    opened.choose("cl_unet_nano")
    page.locator("#camera").click()
    page.locator("#whole", has_text="ms").wait_for(timeout=60_000)
    page.locator("#verdict", has_text="withhold").wait_for(timeout=30_000)
    page.locator("#camera").click()
    page.locator("#said", has_text="the camera is closed").wait_for(timeout=30_000)
    assert opened.said == []

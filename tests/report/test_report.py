"""Pictures can be read again, show what they should, and leave no file if they cannot be written."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from edgeecho.errors import OutputError, ShapeError
from edgeecho.files import atomic
from edgeecho.report import Marks, contact_sheet, draw_curve, write_curve, write_overlay, write_png
from edgeecho.report.curve import ticks
from edgeecho.report.draw import ED, ES, OUTLINE, fit_text, outlines, text_width
from edgeecho.report.overlay import overlay_scale, render_overlay


def cine(frames=12, height=120, width=151):
    rows, columns = np.indices((height, width))
    radius = 30 + 8 * np.cos(2 * np.pi * np.arange(frames) / frames)
    mask = np.stack([((rows - 55) ** 2 + (columns - 70) ** 2 <= r**2) for r in radius]).astype(np.uint8)
    return np.where(mask > 0, 20, 90).astype(np.uint8), mask, mask.sum(axis=(1, 2)).astype(np.float32)


def read_video(path):
    video = cv2.VideoCapture(str(path))
    pictures = []
    while (picture := video.read()[1]) is not None:
        pictures.append(picture)
    fps = video.get(cv2.CAP_PROP_FPS)
    video.release()
    return pictures, fps


def is_outline(picture):
    """Mark the pixels that are nearer to the outline's colour than to any grey."""
    return picture[..., 1].astype(int) - picture[..., 2] > 60


@pytest.mark.parametrize("encoder", ["PyAV", "OpenCV"])
def test_the_video_opens_again(tmp_path, monkeypatch, encoder):
    if encoder == "PyAV":
        pytest.importorskip("av")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    frames, mask, area = cine()
    path = tmp_path / "clip.webm"
    write_overlay(
        path, frames, mask, 50.0, area_px=area, marks=Marks((0,), (6,), headline="EF 49%", remark="review: x")
    )
    pictures, fps = read_video(path)
    scale = overlay_scale(*frames.shape[1:])
    assert scale == 3
    assert len(pictures) == len(frames)
    assert fps == pytest.approx(50)
    assert all(side % 2 == 0 for side in pictures[0].shape[:2])
    assert pictures[0].shape[1] == 151 * scale + 1
    assert pictures[0].shape[0] > 120 * scale
    drawn = is_outline(pictures[6][: 120 * scale])
    assert abs(np.sqrt(((np.argwhere(drawn) / scale - (55, 70)) ** 2).sum(axis=1)).mean() - 22.3) < 0.7
    assert [p.name for p in tmp_path.iterdir()] == ["clip.webm"]


def test_the_same_input_gives_the_same_video(tmp_path):
    frames, mask, area = cine()
    for name in ("a.webm", "b.webm"):
        write_overlay(tmp_path / name, frames, mask, 50.0, area_px=area)
    a, b = read_video(tmp_path / "a.webm")[0], read_video(tmp_path / "b.webm")[0]
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_the_outline_runs_on_the_edge_of_the_mask(scale):
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 15:40] = 1
    (line,) = outlines(mask, scale)
    # pixel 10 of the mask begins at 10 * scale - 0.5 in coordinates whose whole numbers are pixel centres
    assert line.min(axis=0) == pytest.approx((15 * scale - 0.5, 10 * scale - 0.5), abs=0.3)
    assert line.max(axis=0) == pytest.approx((40 * scale - 0.5, 30 * scale - 0.5), abs=0.3)
    assert cv2.contourArea(line.astype(np.float32)) == pytest.approx(mask.sum() * scale**2, rel=0.02)


def test_outlines_at_the_border_and_of_nothing():
    assert outlines(np.zeros((9, 9), np.uint8)) == []
    (line,) = outlines(np.ones((20, 30), np.uint8))
    assert line.max(axis=0) == pytest.approx((29.5, 19.5), abs=0.3)
    assert len(outlines(np.eye(3, dtype=np.uint8))) >= 1


def test_rendering_leaves_frames_alone_and_takes_colour_and_one_frame():
    frames, mask, area = cine(frames=1)
    before = frames.copy()
    (picture,) = render_overlay(frames, mask, None, area_px=area, marks=Marks((0,)))
    np.testing.assert_array_equal(frames, before)
    rgb = np.repeat(frames[..., None], 3, axis=3)
    (same,) = render_overlay(rgb, mask, None, area_px=area, marks=Marks((0,)))
    np.testing.assert_array_equal(picture, same)


def test_an_empty_mask_and_a_flat_curve_can_be_drawn(tmp_path):
    frames, mask, _ = cine(frames=3)
    write_overlay(tmp_path / "a.webm", frames, mask * 0, None, area_px=np.zeros(3, np.float32))
    write_curve(tmp_path / "a.png", np.zeros(3, np.float32), None, Marks(), "nothing")
    assert len(read_video(tmp_path / "a.webm")[0]) == 3


def test_the_curve_is_a_picture_with_marks(tmp_path):
    area = 5000 + 1500 * np.cos(np.arange(100) / 8).astype(np.float32)
    write_curve(
        tmp_path / "c.png", area, 50.0, Marks((0, 50), (25, 75), headline="EF 54%"), "clip with a very long name " * 9
    )
    picture = cv2.imread(str(tmp_path / "c.png"))
    assert picture.shape == (546, 1200, 3)
    assert np.count_nonzero((picture == OUTLINE).all(axis=2)) > 500
    without = draw_curve(area, 50.0, Marks(headline="EF 54%"), "x")
    assert not np.array_equal(picture, without)
    assert not np.array_equal(without, draw_curve(area, None, Marks(headline="EF 54%"), "x"))
    doubtful = draw_curve(area, 50.0, Marks(headline="EF 54%", remark="review: the mask is in pieces"), "x")
    changed = np.argwhere((without != doubtful).any(axis=2))
    assert 54 < changed[:, 0].min() < changed[:, 0].max() < 80  # a line between title and curve


def test_beats_that_are_left_out_have_hollow_marks():
    area = 5000 + 1500 * np.cos(np.arange(100) / 8).astype(np.float32)
    used, left_out = (draw_curve(area, 50.0, Marks((50,), (25,), left_out), "x") for left_out in ((), (50,)))
    count = [np.count_nonzero((picture == ED).all(axis=2)) for picture in (used, left_out)]
    assert count[1] < count[0] - 20
    blue = [np.count_nonzero((picture == ES).all(axis=2)) for picture in (used, left_out)]
    assert blue[0] == blue[1]
    frames, mask, area = cine()
    (a, b) = (
        next(render_overlay(frames, mask, None, area_px=area, marks=Marks((0,), (6,), out))) for out in ((), (6,))
    )
    assert np.count_nonzero((b == ES).all(axis=2)) < np.count_nonzero((a == ES).all(axis=2))


def test_verdict_and_reason_are_on_the_video():
    frames, mask, area = cine()
    words = Marks(headline="EF withheld", remark="withhold: it is unsure how the picture is turned")
    plain, worded = (next(render_overlay(frames, mask, None, area_px=area, marks=m)) for m in (Marks(), words))
    rows = np.argwhere((plain != worded).any(axis=2))[:, 0]
    assert rows.min() >= 120 * 3  # below the cine
    assert len(set(rows)) > 15  # two lines


@pytest.mark.parametrize("width", [60, 200])
def test_a_long_text_is_shortened(width):
    text = fit_text("it is unsure which part of the picture shows the heart", width, 12)
    assert text.endswith("...")
    assert text_width(text, 12) <= width
    assert fit_text("EF", width, 12) == "EF"


def test_ticks_are_round():
    assert ticks(0, 1.98, 8) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8])
    assert ticks(31234, 54000, 5) == [35000, 40000, 45000, 50000]
    assert ticks(0, 3, 8, whole=True) == [0, 1, 2, 3]


def test_contact_sheet_shows_each_frame_once():
    frames, mask, _ = cine()
    sheet = contact_sheet(frames, mask, [0, 3, 6], labels=["ED", "between", "ES"], height_px=240)
    assert sheet.shape == (240 + 26, 3 * (302 + 6) - 6, 3)
    widths = [np.ptp(np.argwhere(is_outline(sheet[:240, x : x + 302]))[:, 1]) for x in (0, 308, 616)]
    assert widths == pytest.approx([4 * 38, 4 * 30, 4 * 22], abs=6)
    assert contact_sheet(frames, mask, range(4), columns=2, height_px=60).shape[0] == 2 * (60 + 26 + 6) - 6
    with pytest.raises(ShapeError, match="indices from 0 to 11"):
        contact_sheet(frames, mask, [12])


@pytest.mark.parametrize("encoder", ["PyAV", "OpenCV"])
@pytest.mark.parametrize("folder", ["file"])
def test_where_nothing_can_be_written_one_line_says_so(tmp_path, monkeypatch, folder, encoder):
    if encoder == "OpenCV":
        monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "file").write_text("not a folder")
    frames, mask, area = cine(frames=2)
    target = tmp_path / folder / "clip"
    with pytest.raises(OutputError, match=r"cannot write .*clip\.webm: .*folder") as error:
        write_overlay(target.with_suffix(".webm"), frames, mask, 50.0, area_px=area)
    assert "\n" not in str(error.value)
    with pytest.raises(OutputError, match=r"cannot write .*clip\.png"):
        write_png(target.with_suffix(".png"), frames[0])
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_failure_leaves_the_old_result_and_no_other_file(tmp_path):
    path = tmp_path / "clip.webm"
    path.write_text("the old one")
    frames, mask, area = cine(frames=4)
    with pytest.raises(IndexError):
        write_overlay(path, frames, mask, 50.0, area_px=area, marks=Marks((99,)))

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OutputError, match=r"taken\.png"):
        write_png(tmp_path / "taken.png", frames[0])
    assert path.read_text() == "the old one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.webm", "taken.png"]


def test_a_video_cut_short_is_no_result(tmp_path, monkeypatch):
    frames, mask, area = cine()
    monkeypatch.setattr("edgeecho.report.overlay._frames_in", lambda path: 5)
    with pytest.raises(OutputError, match="incomplete"):
        write_overlay(tmp_path / "a.webm", frames, mask, 50.0, area_px=area)
    assert list(tmp_path.iterdir()) == []


def test_arrays_must_fit(tmp_path):
    frames, mask, area = cine()
    with pytest.raises(ShapeError, match=r"got \(11, 120, 151\), \(12, 120, 151\) and \(12,\)"):
        write_overlay(tmp_path / "a.webm", frames[1:], mask, 50.0, area_px=area)
    with pytest.raises(ShapeError, match=r"T >= 1"):
        draw_curve(area[:0], 50.0, Marks(), "x")


def test_importing_the_report_needs_no_encoder():
    code = "import sys, edgeecho.report; print([m for m in ('av', 'torch', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

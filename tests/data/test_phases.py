"""ED and ES of labelled frames without a stated phase: by beats where masks follow each other, else by area."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.data import open_data
from edgeecho.data.io.phases import is_area_curve, longest_run, phases_of_labels
from edgeecho.evaluate import evaluate_items
from edgeecho.measure import ef_percent, simpson_volume_ml
from tests.data import miniatures
from tests.evaluate.drawn_items import Model

PERIOD, FRAMES = 30, 75
SPACING = (0.5, 0.5)
TOO_LARGE, TOO_SMALL = 8, 37
"""Frames of the wrong masks: one between ED and ES, one between ES and ED."""


def masks(frames: int = FRAMES) -> np.ndarray:
    """Draw two beats and a half, uint8 {0, 1} (T, 96, 80): ED at 0, 30 and 60, ES at 15 and 45."""
    size = (0.9 + 0.1 * np.cos(2 * np.pi * np.arange(frames) / PERIOD))[:, None, None]
    row, column = np.mgrid[0:96, 0:80]
    return (((row - 46) / (30 * size)) ** 2 + ((column - 40) / (16 * size)) ** 2 < 1).astype(np.uint8)


def spoilt() -> np.ndarray:
    """Draw the beats with a mask that is far too large and one that is far too small."""
    wrong = masks()
    wrong[TOO_LARGE], wrong[TOO_SMALL] = (
        cv2.dilate(wrong[TOO_LARGE], np.ones((9, 9), np.uint8)),
        cv2.erode(wrong[TOO_SMALL], np.ones((9, 9), np.uint8)),
    )
    areas = wrong.sum(axis=(1, 2))
    assert (int(areas.argmax()), int(areas.argmin())) == (TOO_LARGE, TOO_SMALL)  # what largest and smallest would give
    return wrong


def near(found: dict[int, str], phase: str) -> list[int]:
    """Return the places of a phase in beats, 0 to `PERIOD` - 1, whose distance to the true one is checked."""
    place = 0 if phase == "ED" else PERIOD // 2
    return [abs((frame - place + PERIOD // 2) % PERIOD - PERIOD // 2) for frame, p in found.items() if p == phase]


@pytest.mark.parametrize("fps", [30.0, None])
@pytest.mark.parametrize("step", [1, 3])
def test_a_wrong_mask_is_neither_ed_nor_es(fps: float | None, step: int) -> None:
    drawn, gap = spoilt(), {20, 21}
    if step == 1:
        labels = {frame: mask for frame, mask in enumerate(drawn) if frame not in gap}
    else:
        labels = {step * frame: mask for frame, mask in enumerate(drawn)}
    found = {frame // step: phase for frame, phase in phases_of_labels(labels, fps and fps * step).items()}
    assert {"ED", "ES"} == set(found.values())
    assert max(near(found, "ED") + near(found, "ES")) <= 1
    assert not {TOO_LARGE, TOO_SMALL} & set(found)
    assert set(found) <= {frame // step for frame in labels}
    assert len(found) >= 4


def test_few_or_scattered_labels_are_told_apart_by_area() -> None:
    drawn = masks()
    assert phases_of_labels({15: drawn[15], 30: drawn[30]}, 30) == {30: "ED", 15: "ES"}
    scattered = {frame: drawn[frame] for frame in (0, 7, 15, 22, 31, 38, 45, 52, 60, 66, 73)}
    assert not is_area_curve(scattered)
    assert set(phases_of_labels(scattered, 30).values()) == {"ED", "ES"}
    assert phases_of_labels({3: drawn[3]}, 30) == phases_of_labels({}, 30) == {}


def test_masks_that_do_not_beat_have_no_phase() -> None:
    assert phases_of_labels(dict(enumerate(np.repeat(masks(1), 40, axis=0))), 30) == {}


def test_longest_run() -> None:
    assert longest_run([9, 2, 3, 7, 8]) == [7, 8, 9]
    assert longest_run([]) == []


def write_dense(root: Path, drawn: np.ndarray) -> Path:
    """Write a site's own cine with a mask file on every frame and no stated phase."""
    np.savez(root / "a.npz", frames=drawn * np.uint8(200))
    lines = ["file,frame,phase,mask,split,view,fps,row_mm,column_mm"]
    for frame, mask in enumerate(drawn):
        cv2.imwrite(str(root / f"a_{frame}.png"), mask * 255)
        about = f"val,4CH,30,{SPACING[0]},{SPACING[1]}" if frame == 0 else ",,,,"
        lines.append(f"a.npz,{frame},,a_{frame}.png,{about}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def test_ef_of_dense_own_masks_is_that_of_their_beats(tmp_path: Path) -> None:
    items = open_data(f"cine:{write_dense(tmp_path, spoilt())}").items("val")
    cine = items[0].read()
    assert max(near(cine.phases, "ED") + near(cine.phases, "ES")) <= 1
    ed, es = masks()[0], masks()[15]
    truth = ef_percent(simpson_volume_ml(ed, SPACING), simpson_volume_ml(es, SPACING))
    scores = evaluate_items(Model(), items, "cine", "val")
    assert scores.patients[0].reference.ef_percent == pytest.approx(truth, abs=2)
    assert scores.counts["labelled_frames"] == FRAMES


def test_dense_own_masks_without_a_beat_are_reported(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    cine = open_data(f"cine:{write_dense(tmp_path, np.repeat(masks(1), 12, axis=0))}").items("val")[0].read()
    assert (len(cine.labels), cine.phases) == (12, {})
    assert cine.warnings == (
        "Masks in a row that show no beat: 12 masks; no frame is marked ED or ES: state the phases.",
    )


def test_dense_traces_of_an_echonet_set_are_measured_by_their_beats(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    frames, _ = miniatures.draw_beat(48)
    miniatures.write_avi(tmp_path / "Videos" / "0XDENSE.avi", frames)
    rows = ["FileName,X1,Y1,X2,Y2,Frame"]
    sizes = 0.9 + 0.1 * np.cos(2 * np.pi * np.arange(48) / 24)
    sizes[6], sizes[32] = 1.3, 0.6  # two wrong traces
    for frame, size in enumerate(sizes):
        rows += [f"0XDENSE.avi,{','.join(map(repr, map(float, p)))},{frame}" for p in miniatures.trace(float(size))]
    (tmp_path / "VolumeTracings.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "FileList.csv").write_text(f"{miniatures.DYNAMIC_HEADER}\n0XDENSE,50,40,80,112,112,50,48,TEST\n")
    phases = open_data(f"echonet-dynamic:{tmp_path}").items("test")[0].read().phases
    assert {frame for frame, phase in phases.items() if phase == "ES"} <= {11, 12, 13, 35, 36, 37}
    assert {frame for frame, phase in phases.items() if phase == "ED"} <= {0, 23, 24, 25, 47}
    assert set(phases.values()) == {"ED", "ES"}

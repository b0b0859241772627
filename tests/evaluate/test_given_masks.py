"""Evaluation of masks that another program wrote into a folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.data import Item, items_of, open_data
from edgeecho.data.datasets.dataset import ItemCine
from edgeecho.errors import DataError
from edgeecho.evaluate import Scores, evaluate_items, evaluate_masks
from edgeecho.evaluate.given_masks import GivenMasks
from edgeecho.evaluate.mask_files import find_mask_files
from tests.cli.conftest import Command
from tests.data import miniatures
from tests.evaluate.drawn_items import Model, beating, down, stills, ventricle
from tests.helpers import the_error, write_nifti


def labels_of(item: Item) -> dict[int, np.ndarray]:
    return item.read().labels


def write_png(path: Path, mask: np.ndarray, value: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), mask * np.uint8(value))


def write_npz(path: Path, mask: np.ndarray) -> None:
    np.savez(path, mask=mask[None], area_px=np.zeros(1))


WRITERS: dict[str, Callable[[Path, np.ndarray], None]] = {
    ".png": write_png,
    ".npy": lambda path, mask: np.save(path, mask.astype(bool)),
    ".npz": write_npz,
    ".nii.gz": lambda path, mask: write_nifti(path, mask, (0.5, 0.6)),
}


def evaluate(folder: Path, items: list[Item], level: int | None = None) -> Scores:
    return evaluate_items(GivenMasks(folder, items, level), items, "drawn", "val")


@pytest.mark.parametrize("suffix", WRITERS)
def test_masks_score_as_the_model_that_made_them(tmp_path: Path, suffix: str) -> None:
    items = stills()
    for item in items:
        WRITERS[suffix](tmp_path / f"{item.name}{suffix}", down(labels_of(item)[0][None])[0])
    found, expected = evaluate(tmp_path, items), evaluate_items(Model(down), items, "drawn", "val")
    assert found.figures == expected.figures
    assert (found.model.name, found.model.form, found.model.runtime) == (f"masks:{tmp_path.name}", "masks", "8 files")
    assert found.notes[0] == f"The masks are the files in {tmp_path}; they are scored as they are stored."
    assert len(found.to_dict()["model_info"]["sha256"]) == 64


def test_masks_of_whole_cines_have_figures_over_time(tmp_path: Path) -> None:
    items = [beating("p0"), beating("p1")]
    for item in items:
        np.save(tmp_path / f"{item.name}.npy", item.read().frames // 200)
    expected = evaluate_items(Model(), items, "drawn", "val")
    assert evaluate(tmp_path, items).figures == expected.figures
    folder = tmp_path / "frames"
    for item in items:
        for frame, pixels in enumerate(item.read().frames):
            write_png(folder / item.name / f"{frame:03d}.png", pixels // 200)
    assert evaluate(folder, items).figures == expected.figures


def test_masks_of_labelled_frames_alone_have_no_figures_over_time(tmp_path: Path) -> None:
    item = beating("p0")
    for frame, mask in labels_of(item).items():
        write_png(tmp_path / f"p0_{frame}.png", mask)
    scores = evaluate(tmp_path, [item])
    assert scores.counts["cines"] == 0
    assert [(p.model.ef_percent, p.beats_ef_percent) for p in scores.patients] == [
        (scores.patients[0].reference.ef_percent, None)
    ]
    (tmp_path / "p0_45.png").unlink()
    with pytest.raises(DataError, match=r"no mask of labelled frames 45 in .*, only of 30; frames count from 0"):
        evaluate(tmp_path, [item])


def test_a_label_map_needs_the_value_of_the_cavity(tmp_path: Path) -> None:
    items = stills(1)
    for item in items:
        labels = labels_of(item)[0] * np.uint8(2)
        labels[:5] = 3
        write_png(tmp_path / f"{item.name}.png", labels, 1)
    with pytest.raises(DataError, match=r"a mask has 0 and one other value, got 0, 2, 3; .* as --mask-label"):
        evaluate(tmp_path, items)
    assert [frame.overlap.dice for video in evaluate(tmp_path, items, 2).videos for frame in video.labelled] == [1, 1]


def test_a_video_of_masks(tmp_path: Path) -> None:
    frames, labels = miniatures.draw_beat(12)
    miniatures.write_avi(tmp_path / "a.avi", (labels == 1) * np.uint8(255))
    cine = ItemCine(frames, labels={3: (labels[3] == 1).astype(np.uint8)})
    item = Item("a.avi", "a", "val", "4CH", lambda: cine)
    (video,) = evaluate(tmp_path, [item]).videos
    assert video.labelled[0].overlap.dice > 0.98
    with pytest.raises(DataError, match="a video does not keep label values"):
        evaluate(tmp_path, [item], 1)


def test_mirrored_own_cines_take_masks_drawn_on_their_files(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    (tmp_path / "own").mkdir()
    own = miniatures.write_own(tmp_path / "own")
    (item,) = [each for each in open_data(f"cine:{own}").items("val") if each.name == "b"]
    drawn = miniatures.draw_beat(20)[1][0, :, ::-1] == 1  # as the file shows it, before it is mirrored
    write_png(tmp_path / "masks" / "b_0.png", drawn.astype(np.uint8))
    (video,) = evaluate(tmp_path / "masks", [item]).videos
    assert video.labelled[0].overlap.dice == 1


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda f: write_png(f / "p0_4CH_ED.png", ventricle()[:50, :50]), "masks of 50x50 pixels, the cine has 80x96"),
        (lambda f: np.save(f / "p0_4CH_ED.npy", np.zeros((2, 96, 80))), "2 masks, the cine has 1 frames"),
        (lambda f: np.save(f / "p0_4CH_ED.npy", np.linspace(0, 1, 96 * 80).reshape(96, 80)), "0 and one other value"),
        (
            lambda f: write_png(f / "p0_4CH_ED_1.png", ventricle()),
            "expected the mask of one of frames 0 to 0, got 1 of",
        ),
        (lambda f: (f / "p0_4CH_ED.npy").write_bytes(b"junk"), "not a readable array"),
        (lambda f: (f / "p0_4CH_ED.npz").write_bytes(b"PK\x03\x04junk"), "not a readable array"),
        (lambda f: np.savez(f / "p0_4CH_ED.npz", a=ventricle(), b=ventricle()), "name that of the masks 'mask'"),
        (
            lambda f: [write_png(f / "p0_4CH_ED.png", ventricle()), write_png(f / "p0_4CH_ED_0.png", ventricle())],
            "several masks of the same frames: p0_4CH_ED.png, p0_4CH_ED_0.png",
        ),
    ],
)
def test_masks_that_do_not_fit(tmp_path: Path, write: Callable[[Path], object], message: str) -> None:
    write(tmp_path)
    with pytest.raises(DataError, match=message):
        evaluate(tmp_path, stills(1)[:1])


def test_names_that_differ_by_their_suffix_alone(tmp_path: Path) -> None:
    for name in ("a.avi.png", "a.png", "b_3.png", "b_3_4.png"):
        write_png(tmp_path / name, ventricle())
    found, others = find_mask_files(tmp_path, ["a.avi", "a.mp4", "b.avi", "b_3"])
    assert {name: [path.name for path in files.paths] for name, files in found.items()} == {
        "a.avi": ["a.avi.png"],
        "a.mp4": [],
        "b.avi": [],
        "b_3": ["b_3.png", "b_3_4.png"],  # the first is its own mask, no frame of b.avi
    }
    assert others == ["a.png"]


def test_masks_of_no_item(tmp_path: Path) -> None:
    (tmp_path / "other.png").touch()
    message = (
        r"no mask of the 8 items; missing: p0_4CH_ED, p0_4CH_ES, p1_4CH_ED and 5 more; found: other.png; "
        r"name them NAME.SUFFIX .* NAME_FRAME.SUFFIX or NAME/FRAME.SUFFIX .* counted from 0; SUFFIX is one of \.png"
    )
    with pytest.raises(DataError, match=message):
        evaluate(tmp_path, stills())
    with pytest.raises(DataError, match="no such folder"):
        evaluate(tmp_path / "none", stills())


# The command line


def test_eval_of_masks(command: Command, camus: Path, tmp_path: Path) -> None:
    masks, data = tmp_path / "theirs", f"camus:{camus}"
    masks.mkdir()
    for item in items_of(open_data(data), "all"):
        write_png(masks / f"{item.name}.png", labels_of(item)[0])
    code, stdout, stderr = command("eval", f"masks:{masks}", "--data", data, "--json", tmp_path / "scores.json")
    assert code == 0, stderr
    assert "masks:theirs as stored (4 files) on camus val" in " ".join(stdout.split())
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert [(phase["phase"], phase["dice_mean"]) for phase in scores["phases"]] == [("ED", 1), ("ES", 1)]
    assert any("belong to no item" in note for note in scores["notes"])  # those of the training list

    assert evaluate_masks(masks, data, "all").counts["patients"] == 8
    (masks / "patient0008_4CH_ES.png").unlink()
    code, stdout, stderr = command("eval", f"masks:{masks}", "--data", data)
    assert code == 1
    assert f"skipped patient0008_4CH_ES: no mask in {masks}" in stderr
    assert "NAME_FRAME.SUFFIX" in stdout


def test_flags_that_are_for_another_kind_of_model(command: Command, camus: Path, tmp_path: Path) -> None:
    out, data = tmp_path / "out", f"camus:{camus}"
    masks = shutil.copytree(camus, tmp_path / "masks")
    for flag in (["--runtime", "ort"], ["--spec", "net.toml"], ["--stream"], ["--threads", "1"]):
        line = the_error(command("eval", f"masks:{masks}", "--data", data, *flag), out)
        assert f"{flag[0]} is not for masks" in line
    line = the_error(command("eval", "default", "--data", data, "--mask-label", "1"), out)
    assert "--mask-label is not for a model of EdgeEcho, which default is; leave it out" in line


def test_all_splits_together(camus: Path) -> None:
    data = open_data(f"camus:{camus}")
    assert [i.name for i in items_of(data, "all")] == [i.name for s in data.splits for i in data.items(s)]
    assert data.splits == ("train", "val")  # a split that is not there is no error
    scores = evaluate_items(Model(), items_of(data, "all"), "camus", "all")
    assert scores.counts["patients"] == 8
    assert scores.notes[-1].startswith("All splits together")

"""Results and corrections that were changed by hand or damaged: one line says which value, and no file changes."""

import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.batch import CineOptions, ModelChoice, Settings, run_batch
from edgeecho.batch.run import prepare_batch
from edgeecho.correction import Correction, correct, read_correction
from edgeecho.correction.edited_mask import read_edited_mask
from edgeecho.errors import DataError
from edgeecho.report import results
from edgeecho.report.figures_check import find_fault
from edgeecho.report.stored import StoredResult
from tests.helpers import draw_heart

ODD: tuple[Any, ...] = ("x", -1, math.nan, 1e308, True, [1, 2], {"a": 1}, 10**400, [None])
FREE = {"spread", "withheld", "inverted", "doubtful", "input"}
"""Keys that are written anew or shown as they are."""
SOUND: dict[str, Any] = {
    **dict.fromkeys(("heart_rate_bpm", "ef_percent", "edv_ml", "esv_ml", "sv_ml"), -1),
    **{key: [1, 2] for key in ("ef_interval", "spacing_mm", "ed_frames", "es_frames")},
    "quality": {"a": 1},
}
"""Values of `ODD` that a key may have, which must not be refused."""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of a result, by their names."""
    made = tmp_path_factory.mktemp("made")
    heart = draw_heart(np.random.default_rng(0), frames=30)[0]
    np.savez(made / "heart.npz", frames=heart, fps=25, spacing_mm=(0.9, 0.8))
    choice = ModelChoice(model="cl_unet_nano", threads=1)
    settings = Settings(out=str(made / "out"), choice=choice, write_video=False)
    (outcome,) = run_batch(prepare_batch([str(made / "heart.npz")], CineOptions(), settings), lambda *_: None)
    assert not outcome.error
    return {path.name: path.read_bytes() for path in (made / "out").iterdir()}


@pytest.fixture
def folder(result: dict[str, bytes], tmp_path: Path) -> Path:
    for name, data in result.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def json_of(folder: Path) -> Path:
    return next(folder.glob("*.json"))


def test_a_sound_result_has_no_fault(folder: Path) -> None:
    figures = json.loads(json_of(folder).read_text())
    assert find_fault(figures) == ""
    corrected = correct(StoredResult.open(json_of(folder)), Correction(accepted=True)).stored.figures
    assert find_fault(json.loads(json.dumps(corrected))) == ""


def test_every_value_that_makes_no_sense_is_named(folder: Path) -> None:
    figures = json.loads(json_of(folder).read_text())
    for key in figures.keys() - FREE:
        for value in ODD:
            if value != SOUND.get(key):
                assert find_fault(figures | {key: value}) == key, (key, value)
    for key in figures.keys() - FREE - {"aspect", "run"}:
        assert find_fault({name: figures[name] for name in figures.keys() - {key}}) == key
    for key in ("ed_frame", "es_frame", "is_used", "reasons"):
        for value in (None, "x", 99, -1, [1]):
            beats = [figures["beats"][0] | {key: value}]
            assert find_fault(figures | {"beats": beats}) == "beats", (key, value)
    assert find_fault(figures | {"automatic": {"frames": 3}}).startswith("automatic.")


def test_a_changed_result_is_one_error_and_stays(folder: Path) -> None:
    path = json_of(folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ed_frames": "x"}))
    with pytest.raises(DataError, match="`ed_frames` is missing or makes no sense; segment the cine again"):
        StoredResult.open(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: {"mask": arrays["mask"] * np.uint8(7)},
        lambda arrays: {"mask": arrays["mask"].astype(object)},
        lambda arrays: {"mask": arrays["mask"][:, :-1]},
        lambda _: {"automatic_frames": np.array([999]), "automatic_masks": np.zeros((1, 128, 128), np.uint8)},
        lambda _: {"automatic_frames": np.array([1, 2]), "automatic_masks": np.zeros((1, 128, 128), np.uint8)},
        lambda _: {"jpeg_ends": np.array([9**9, -4])},
        lambda _: {"jpeg_frames": np.array(3)},
        lambda _: {"jpeg": np.arange(3)},
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_a_file_changes(
    folder: Path, change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
) -> None:
    path = json_of(folder)
    with np.load(path.with_suffix(".npz")) as loaded:
        arrays = dict(loaded)
    np.savez(path.with_suffix(".npz"), **(arrays | change(arrays)))
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(DataError, match=r"do not fit|damaged"):
        correct(StoredResult.open(path), Correction(accepted=True))
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_a_correction_that_fails_half_way_leaves_the_earlier_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = correct(StoredResult.open(json_of(folder)), Correction(accepted=True)).stored
    before = {file: file.read_bytes() for file in folder.iterdir()}

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "write_figures", fail)
    with pytest.raises(KeyboardInterrupt):
        correct(stored, Correction(exclude_beats=(1,)))
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


KILLED = """
import os, signal, sys
from pathlib import Path
from edgeecho.correction import Correction, correct
from edgeecho.report import results
from edgeecho.report.stored import StoredResult

at, path = sys.argv[1:]
setattr(results, at, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
correct(StoredResult.open(Path(path)), Correction(exclude_beats=(1,)))
"""


@pytest.mark.parametrize("at", ["write_arrays", "write_curve", "write_cine_page", "write_figures"])
def test_a_correction_that_is_killed_leaves_the_earlier_ones(folder: Path, at: str) -> None:
    """The next command that opens the result finds all of its files as they were."""
    path = json_of(folder)
    correct(StoredResult.open(path), Correction(accepted=True))
    before = {file: file.read_bytes() for file in folder.iterdir()}
    ended = subprocess.run([sys.executable, "-c", KILLED, at, path])
    assert ended.returncode == -signal.SIGKILL
    assert not path.is_file()  # nobody reads figures that do not belong to the masks
    StoredResult.open(path)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    "values",
    [
        {"outlines": {"0": [[0, 0], [1, 1], [10**400, 1]]}},
        {"ed": [], "es": 3},
        {"exclude_beats": "12"},
        {"outlines": []},
    ],
)
def test_an_odd_correction_is_one_error(tmp_path: Path, values: dict[str, Any]) -> None:
    path = tmp_path / "correction.json"
    path.write_text(json.dumps({"edgeecho_correction": 1} | values))
    with pytest.raises(DataError, match="a value makes no sense"):
        read_correction(path)


@pytest.mark.parametrize(
    "values",
    [[], 5, {"shapes": [5]}, {"shapes": [{"points": [[10**400, 1]] * 3}]}, {"annotations": [{"segmentation": 5}]}],
)
def test_odd_polygons_are_one_error(tmp_path: Path, values: Any) -> None:
    path = tmp_path / "mask.json"
    path.write_text(json.dumps(values))
    with pytest.raises(DataError, match="cannot be read as a mask"):
        read_edited_mask(path, 8, 8)


@pytest.mark.parametrize("array", [None, np.full((8, 8), "x"), np.full((8, 8), math.nan), np.full((8, 8), 1j)])
def test_odd_arrays_are_one_error(tmp_path: Path, array: np.ndarray | None) -> None:
    path = tmp_path / "mask.npz"
    np.savez(path, **({} if array is None else {"mask": array}))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="cannot be read as a mask"):
        read_edited_mask(path, 8, 8)

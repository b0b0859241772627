"""The ablations on miniature data sets: with stills, with dense masks, and from another folder than the checkout."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from studies import ablations
from tests.helpers import draw_heart

ROOT = Path(__file__).parents[2]
TINY = (
    *("model.overrides={widths=[8, 16], encoder_time=[false, true], decoder_time=[false]}", "model.size_px=48"),
    *("optim.steps=2", "clips.per_step=1", "clips.frames=4", "clips.reshape=0.0", "data.held_out=1"),
    *("run.threads=1", "run.workers=0"),
)
"""Settings of a run of two steps."""


def arguments(data: str, out: Path, rows: str) -> list[str]:
    settings = [part for setting in TINY for part in ("--set", setting)]
    return [data, "--out", str(out), "--rows", rows, "--cines", "1", "--threads", "1", *settings]


def write_own(root: Path) -> Path:
    """Write four cines of a site, each with a mask on every frame."""
    lines = ["file,frame,mask,split,view,fps,phase"]
    for number in range(4):
        frames, masks = draw_heart(np.random.default_rng(number), frames=30, height=64, width=64)
        np.savez(root / f"p{number}.npz", frames=frames)
        for frame, mask in enumerate(masks):
            cv2.imwrite(str(root / f"p{number}_{frame}.png"), mask * 255)
            split = "val" if number == 3 else "train"
            lines.append(f"p{number}.npz,{frame},p{number}_{frame}.png,{split},4CH,30,")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.slow
def test_camus_from_another_folder(camus: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "studies.ablations"]
    rows = "released recipe,without CAMUS cines"
    run = subprocess.run(
        [*command, *arguments(f"camus:{camus}", tmp_path / "out", rows)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    for name in ("ED Dice", "unlabelled", "roughness", "phantom", *rows.split(",")):
        assert name in run.stdout
    assert (tmp_path / "out" / "ablations.png").is_file()
    results = json.loads((tmp_path / "out" / "ablations.json").read_text())
    assert list(results) == rows.split(",")
    assert {"ED Dice", "ES Dice", "unlabelled Dice", "phantom unlabelled Dice"} <= set(results["released recipe"]["1"])


@pytest.mark.slow
def test_own_cines_with_dense_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    data, out = f"cine:{write_own(tmp_path / 'own')}", tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["ablations", *arguments(data, out, "without cines")])
    ablations.main()
    (scores,) = json.loads((out / "ablations.json").read_text())["without cines"].values()
    assert {"ED Dice", "ES Dice", "unlabelled Dice"} <= set(scores)
    assert all(math.isfinite(value) for value in scores.values())


def test_a_row_that_lacks_a_figure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    results = {"a": {"1": {"ED Dice": 0.5, "EF error": 4.0}, "2": {"ED Dice": 0.7}}, "b": {"1": {"ED Dice": 0.25}}}
    assert ablations.figures_of(results) == ["ED Dice", "EF error"]
    ablations.print_rows(results)
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["a", "2", "0.6000", "(0.1414)", "-"] in rows
    assert ["b", "1", "0.2500", "-"] in rows


@pytest.mark.parametrize(
    ("data", "rows", "message"),
    [
        ("camus:{camus}", "no such row", "error: unknown row 'no such row'; known: released recipe, without TCL"),
        ("videos:here", "two labels", "error: no configuration of 'videos'; give --config, or KIND:DIR of camus"),
        ("camus:{out}", "two labels", "no CAMUS data set here"),
    ],
)
def test_what_cannot_be(
    data: str,
    rows: str,
    message: str,
    camus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = arguments(data.format(camus=camus, out=tmp_path), tmp_path / "out", rows)
    monkeypatch.setattr(sys, "argv", ["ablations", *given])
    with pytest.raises(SystemExit) as end:
        ablations.main()
    assert end.value.code == 1
    assert message in capsys.readouterr().err

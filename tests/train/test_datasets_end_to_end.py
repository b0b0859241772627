"""A miniature of each data set is trained on, resumed, exported in all formats, and evaluated."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")
pytest.importorskip("skimage")

from edgeecho.evaluate import evaluate_model  # noqa: E402
from edgeecho.export.check import acceptance_cines  # noqa: E402
from edgeecho.export.check.figures import Limits  # noqa: E402
from edgeecho.export.options import FORMATS, USUAL_FORMATS  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.train.config import TrainConfig  # noqa: E402
from edgeecho.train.loop import train  # noqa: E402
from tests.data import miniatures  # noqa: E402
from tests.helpers import MakeOnce, draw_heart, export  # noqa: E402

STEPS, SAVE_EVERY = 4, 1
STOP_AT = 3
"""Step at whose validation the first run is stopped; what it saved is the state of the step before."""
SETTINGS = {
    "model.overrides": {"widths": [8, 16], "encoder_time": [False, True], "decoder_time": [False]},
    "model.size_px": 48,
    "data.held_out": 1,
    "optim.steps": STEPS,
    "clips.per_step": 2,
    "clips.frames": 4,
    "clips.stills": 0.4,
    "clips.cines": 0.6,
    "clips.phantom": 0.0,
    "run.device": "cpu",
    "run.precision": "fp32",
    "run.threads": 1,
    "run.workers": 0,
    "run.save_every": SAVE_EVERY,
}
"""Settings of a run of a few steps."""

LENIENT = Limits(**{field.name: 999.0 for field in fields(Limits)})
"""Limits that int8 of a network keeps that has hardly learnt anything, so that no convolution is put back to float."""


def write_own(root: Path) -> Path:
    """Write a site's folder: three cines to train on and one to validate on, a mask on every frame of the last two."""
    lines = ["file,frame,phase,mask,patient,split,view,fps"]
    for number in range(4):
        frames, masks = draw_heart(np.random.default_rng(number), frames=30, height=96, width=80)
        miniatures.write_avi(root / f"{number}.avi", frames, 30)
        for frame in range(30) if number > 1 else (0, 10):
            phase = "" if number > 1 else "ED" if frame == 0 else "ES"
            cv2.imwrite(str(root / f"{number}_{frame}.png"), masks[frame] * 255)
            split = "val" if number == 3 else "train"
            lines.append(f"{number}.avi,{frame},{phase},{number}_{frame}.png,p{number},{split},4CH,")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


@dataclass(frozen=True)
class DataSet:
    """A miniature, and what an evaluation of it must count."""

    kind: str
    write: Callable[[Path], Path]
    split: str
    labelled_frames: int
    failed: tuple[str, ...] = ()
    formats: tuple[str, ...] = USUAL_FORMATS
    """Formats of the export."""


DATA_SETS = [
    DataSet("camus", miniatures.write_camus_release, "val", 4, formats=FORMATS),
    DataSet("echonet-dynamic", miniatures.write_dynamic, "val", 2, ("0XMISSING",)),
    DataSet("echonet-pediatric", miniatures.write_pediatric, "val", 2),
    DataSet("cine", write_own, "val", 30),
]


class StoppedError(Exception):
    """Raised where a run is stopped."""


def stop(step: int, steps: int, text: str) -> None:
    if step >= STOP_AT:
        raise StoppedError


def weights(run: Path) -> dict[str, torch.Tensor]:
    state: dict[str, dict[str, torch.Tensor]] = torch.load(run / "last.pt", weights_only=True)
    return state["network"]


@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.kind)
def test_train_resume_export_and_evaluate(
    data_set: DataSet, make_once: MakeOnce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance_cines, "DRAWN_CINES", 12)  # what they measure is not looked at
    root = make_once(f"end-to-end-{data_set.kind}", data_set.write)
    source = f"{data_set.kind}:{root}"

    def config(out: str) -> TrainConfig:
        made = TrainConfig().with_value("data.source", source).with_value("run.out", str(tmp_path / out))
        for key, value in SETTINGS.items():
            made = made.with_value(key, value)
        return made

    checkpoint = train(config("whole"))
    with pytest.raises(StoppedError):
        train(config("stopped"), report=stop)
    train(config("stopped"), resume=True)
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())

    bundle = tmp_path / "exported"
    export(str(checkpoint), bundle, calib=source, formats=data_set.formats, forms=("clip",), limits=LENIENT)
    suffixes = {"onnx": "onnx", "openvino": "xml", "ort": "ort"}
    files = [f"clip.{p}.{suffixes[f]}" for p in ("fp32", "int8") for f in data_set.formats]
    assert {read_verified(bundle / name).spec.form for name in files} == {"clip"}
    licence = read_verified(checkpoint).spec.licence
    for runtime in ("ort", "openvino"):
        for precision in ("fp32", "int8"):
            scores = evaluate_model(str(bundle), source, data_set.split, runtime, precision, threads=1)
            assert (scores.model.runtime, scores.model.precision) == (runtime, precision)
            assert scores.model.licence == licence
            assert scores.counts["labelled_frames"] == data_set.labelled_frames
            assert tuple(failure.name for failure in scores.failed) == data_set.failed

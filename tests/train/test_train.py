"""Training on a tiny drawn data set: accuracy, what a run writes, and equal weights after kill -9."""

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn.checkpoint import load_checkpoint  # noqa: E402
from edgeecho.train.config import LossConfig, TrainConfig  # noqa: E402
from edgeecho.train.loop import train  # noqa: E402
from edgeecho.train.losses import Counts, Target, total_loss  # noqa: E402
from tests.helpers import write_camus  # noqa: E402
from tests.train.tiny_run import config, kill_after_writing, same_weights, state  # noqa: E402

# The run


@pytest.mark.slow
def test_it_learns_and_leaves_a_sealed_checkpoint(camus: Path, tmp_path: Path) -> None:
    messages: list[tuple[int, int, str]] = []
    settings = {
        "model.overrides": {"widths": [8, 16, 16, 24]},
        "optim.steps": 100,
        "clips.per_step": 4,
        "optim.ema": 0.9,
        "optim.learning_rate": 1e-2,
        "run.save_every": 50,
    }
    path = train(config(camus, tmp_path, **settings), report=lambda *call: messages.append(call))
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [50, 100]
    dice = entries[-1]["held_out_dice"]
    assert set(dice) == {"ED", "ES"}
    assert min(dice.values()) > 0.9
    losses = [float(text.split()[1].rstrip(",")) for _, _, text in messages if text.startswith("labels")]
    assert losses[-1] < 0.7 * losses[0]
    assert messages[0][2] == "cl_unet_edge on cpu, fp32, one process"
    assert "min left" in messages[2][2]
    network, spec = load_checkpoint(path)
    assert (path, spec) == (tmp_path / "cl_unet_edge.safetensors", read_verified(path)[1])
    assert spec.licence == "CC-BY-NC-SA-4.0"
    assert "2 patients" in spec.trained_on
    assert spec.config["widths"] == [8, 16, 16, 24]
    assert not network.training
    saved = json.loads((tmp_path / "config.json").read_text())
    assert TrainConfig.from_dict(saved) == config(camus, tmp_path, **settings)


def test_a_short_run_leaves_a_checkpoint_however_bad(camus: Path, tmp_path: Path) -> None:
    """After one step the averaged network may find nothing at all, but a checkpoint is written."""
    path = train(config(camus, tmp_path, **{"optim.steps": 1, "optim.learning_rate": 1e-9, "run.save_every": 1}))
    assert read_verified(path)[1].form == "checkpoint"


def test_the_standard_network_trains_too(camus: Path, tmp_path: Path) -> None:
    """The network pools eight frames into one, so training clips and validation clips must be multiples of eight."""
    settings = {"model.family": "unet3d", "model.overrides": {"base_channels": 2}, "model.size_px": 48}
    settings |= {"clips.per_step": 1, "optim.steps": 1, "run.save_every": 1}
    with pytest.raises(ConfigError, match=r"clips\.frames must be a multiple of 8"):
        train(config(camus, tmp_path / "odd", **settings))
    path = train(config(camus, tmp_path / "run", **settings, **{"clips.frames": 8}))
    assert read_verified(path).spec.family == "unet3d"


def test_a_run_on_all_patients_keeps_the_weights_of_its_end(camus: Path, tmp_path: Path) -> None:
    path = train(config(camus, tmp_path, **{"data.held_out": 0, "run.keep": 2}))
    chosen, last = (read_verified(p) for p in (path, tmp_path / "cl_unet_edge.last.safetensors"))
    assert chosen.data == last.data
    assert chosen.spec.trained_on == "camus training list, ED and ES labels"
    assert sorted(p.name for p in tmp_path.glob("*.step*")) == [
        "cl_unet_edge.step12.safetensors",
        "cl_unet_edge.step8.safetensors",
    ]
    weights = load_checkpoint(tmp_path / "cl_unet_edge.step12.safetensors")[0].head.weight
    assert torch.equal(weights, state(tmp_path)["averaged"]["head.weight"])


def test_the_official_list_chooses(camus: Path, tmp_path: Path) -> None:
    """Nobody is held out then; the best and the last weights are both there."""
    path = train(config(camus, tmp_path, **{"data.choose_on": "val", "optim.steps": 8}))
    assert read_verified(path).spec.trained_on.endswith("labels, chosen on its validation list")
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert all(entry["held_out_dice"].keys() == {"ED", "ES"} for entry in entries)
    assert (tmp_path / "cl_unet_edge.last.safetensors").is_file()


def test_a_table_of_the_run(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    with (unbroken / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["4", "8", "10", "12"]  # validations, and a report every ten steps
    entries = [json.loads(line) for line in (unbroken / "log.jsonl").read_text().splitlines()]
    assert [float(row["dice_ED"]) for row in rows if row["dice_ED"]] == [
        round(entry["held_out_dice"]["ED"], 5) for entry in entries
    ]
    assert float(rows[0]["labels"]) > 0
    assert float(rows[-1]["learning_rate"]) < float(rows[0]["learning_rate"])
    assert rows[-1]["clips"] == "24"


def test_event_files(camus: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    train(config(camus, tmp_path, **{"run.tensorboard": True, "optim.steps": 4}))
    written = b"".join(path.read_bytes() for path in (tmp_path / "tensorboard").iterdir())
    assert all(name in written for name in (b"loss/labels", b"learning_rate", b"dice/ED"))


def test_a_run_that_gets_no_better_ends_early(camus: Path, tmp_path: Path) -> None:
    messages: list[str] = []
    stuck = {"optim.learning_rate": 1e-12, "optim.weight_decay": 0, "optim.patience": 2, "run.save_every": 1}
    train(config(camus, tmp_path, **stuck), report=lambda step, steps, text: messages.append(text))
    assert state(tmp_path)["step"] == 3
    assert messages[-1] == "no better for 2 validations: ended early"
    train(config(camus, tmp_path, **stuck), resume=True)
    assert state(tmp_path)["step"] == 3
    train(config(camus, tmp_path, **stuck | {"optim.patience": 0}), resume=True)
    assert state(tmp_path)["step"] == 12


def test_going_on_beyond_the_end(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    """The steps that follow take the step sizes of a run that was as long from its start."""
    shutil.copytree(unbroken, tmp_path / "run")
    train(config(camus, tmp_path / "run", **{"optim.steps": 16, "run.save_every": 4}), resume=True)
    assert state(tmp_path / "run")["step"] == 16
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["4", "8", "10", "12", "16"]
    with pytest.raises(ConfigError, match=r"optim.steps is 8, but .* has taken 16; ask for more"):
        train(config(camus, tmp_path / "run", **{"optim.steps": 8}), resume=True)


def test_a_run_in_epochs(camus: Path, tmp_path: Path) -> None:
    """Four patients, ED and ES each, are eight items; two epochs of them are eight steps of two clips."""
    train(config(camus, tmp_path, **{"optim.epochs": 2}))
    assert state(tmp_path)["step"] == 8
    train(config(camus, tmp_path, **{"optim.epochs": 2}), resume=True)


def test_parts_of_a_step_add_up(camus: Path, tmp_path: Path) -> None:
    """The loss is that of all clips, whatever the parts; the statistics of the batch differ, so the weights do."""
    whole, parts = (config(camus, tmp_path / str(n), **{"optim.accumulate": n, "optim.steps": 1}) for n in (1, 2))
    target = Target(
        torch.rand(2, 6, 8, 8),
        torch.arange(6).expand(2, 6) < torch.tensor([[3], [1]]),
        torch.arange(6).expand(2, 6) > 4,
        torch.randn(2, 6),
        torch.tensor([1.0, 0.5]),
        torch.rand(2, 6, 8, 8),
    )
    logits = torch.randn(2, 1, 6, 8, 8)
    together, counts = total_loss(logits, target, LossConfig())[0], Counts.of(target)
    pieces = [
        total_loss(its, part, LossConfig(), counts)[0]
        for its, part in zip(logits.chunk(2), target.parts(2), strict=True)
    ]
    torch.testing.assert_close(sum(pieces), together)
    train(whole)
    train(parts)
    assert not same_weights(state(tmp_path / "1"), state(tmp_path / "2"))


def test_the_same_run_gives_the_same_weights(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    train(config(camus, tmp_path))
    assert same_weights(state(tmp_path), state(unbroken))


def test_another_seed_gives_other_weights(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    train(config(camus, tmp_path, **{"run.seed": 2}))
    assert not same_weights(state(tmp_path), state(unbroken))


@pytest.mark.slow
def test_killed_and_resumed_is_as_if_nothing_had_happened(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    """The unbroken run read its clips in its own process, this one in a worker: that must not matter either."""
    settings = config(camus, tmp_path, **{"run.workers": 1})
    code = (
        "import json, sys, time; from edgeecho.train.config import TrainConfig; from edgeecho.train.loop import train\n"
        "def report(step, steps, text):\n"
        "    if step >= 6: time.sleep(60)\n"  # so that it is killed in the middle, however fast the machine
        "train(TrainConfig.from_dict(json.loads(sys.argv[1])), report=report)"
    )
    # Step 8 is reported before it is saved: it sleeps there with 4 steps on disk, and 4 are lost.
    kill_after_writing([sys.executable, "-c", code, json.dumps(settings.to_dict())], tmp_path / "last.pt")
    assert 0 < state(tmp_path)["step"] < 12
    with pytest.raises(ConfigError, match="holds a run; add --resume to go on with it, or choose another"):
        train(settings)
    path = train(settings, resume=True)
    assert state(tmp_path)["step"] == 12
    assert same_weights(state(tmp_path), state(unbroken))
    again, whole = (load_checkpoint(out / path.name)[0].state_dict() for out in (tmp_path, unbroken))
    assert all(torch.equal(tensor, whole[name]) for name, tensor in again.items())
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".writing") and p.suffix != ".pt"]


def test_a_finished_run_resumes_to_nothing(camus: Path, unbroken: Path) -> None:
    """It reads no cine again, and so leaves the folder of decoded frames out."""
    before, messages = (unbroken / "last.pt").read_bytes(), list[str]()
    again = config(camus, unbroken, **{"data.cache": str(unbroken / "not made")})
    train(again, resume=True, report=lambda step, steps, text: messages.append(text))
    assert (unbroken / "last.pt").read_bytes() == before
    assert messages[1:] == ["the run has ended; ask for more optim.steps to go on"]
    assert not (unbroken / "not made").exists()


def test_resuming_with_another_network_is_refused(camus: Path, unbroken: Path) -> None:
    other = {"model.overrides": {"widths": [8, 8], "encoder_time": [False, True], "decoder_time": [False]}}
    with pytest.raises(ConfigError, match=r"model\.overrides was .* now; resume with the same settings"):
        train(config(camus, unbroken, **other), resume=True)


def test_a_run_from_before_there_was_a_setting_resumes(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    shutil.copytree(unbroken, tmp_path / "run")
    known = json.loads((tmp_path / "run" / "config.json").read_text())
    del known["clips"]["reshape"], known["model"]["widen"]
    (tmp_path / "run" / "config.json").write_text(json.dumps(known))
    train(config(camus, tmp_path / "run"), resume=True)
    with pytest.raises(ConfigError, match=r"clips\.reshape was 0\.0 and is 0\.5 now"):
        train(config(camus, tmp_path / "run", **{"clips.reshape": 0.5}), resume=True)


def test_unreadable_items_are_reported_and_left_out(tmp_path: Path) -> None:
    root = write_camus(tmp_path / "data", training=3, validation=1)
    (root / "database_nifti" / "patient0002" / "patient0002_4CH_ES_gt.nii.gz").unlink()
    messages: list[str] = []
    small = {"data.held_out": 1, "optim.steps": 1, "clips.per_step": 1, "clips.frames": 1}
    train(config(root, tmp_path / "run", **small), report=lambda step, steps, text: messages.append(text))
    assert [text for text in messages if "left out: patient0002_4CH_ES_gt.nii.gz: missing" in text]

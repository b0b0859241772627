"""Training on a tiny drawn data set: accuracy, equal weights after kill -9, and refused settings."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from edgeecho.errors import ConfigError, DataError, ModelFileError  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn import build, new_spec  # noqa: E402
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from edgeecho.train.average import average_checkpoints  # noqa: E402
from edgeecho.train.config import LossConfig, TrainConfig  # noqa: E402
from edgeecho.train.loop import train  # noqa: E402
from edgeecho.train.losses import Counts, Target, total_loss  # noqa: E402
from edgeecho.train.net2wider import net2wider  # noqa: E402
from tests.helpers import write_camus  # noqa: E402


def config(camus: Path, out: Path, **settings: object) -> TrainConfig:
    """Settings of a run of a network of two levels on one thread."""
    values = {
        "model.overrides": {
            "widths": [8, 16],
            "encoder_time": [False, True],
            "decoder_time": [False],
        },
        "data.source": f"camus:{camus}",
        "data.held_out": 2,
        "optim.steps": 12,
        "clips.per_step": 2,
        "clips.frames": 2,
        "clips.phantom": 0,
        "run.out": str(out),
        "run.threads": 1,
        "run.workers": 0,
        "run.save_every": 4,
        "run.device": "cpu",
        "run.precision": "fp32",
        **settings,
    }
    made = TrainConfig()
    for key, value in values.items():
        made = made.with_value(key, value)
    return made


def state(out: Path) -> dict[str, object]:
    return torch.load(out / "last.pt", weights_only=True)


def same_weights(a: dict[str, object], b: dict[str, object]) -> bool:
    return all(
        torch.equal(tensor, b[part][name]) for part in ("network", "averaged") for name, tensor in a[part].items()
    )


ABSENT = "cuda" if torch.backends.mps.is_available() else "mps"
"""Device that no machine has beside the other."""

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


@pytest.fixture(scope="module")
def unbroken(camus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 12 steps without a break."""
    out = tmp_path_factory.mktemp("unbroken")
    train(config(camus, out))
    return out


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
    process = subprocess.Popen([sys.executable, "-c", code, json.dumps(settings.to_dict())], start_new_session=True)
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "last.pt").exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
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


def test_starting_from_a_checkpoint(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    path = train(
        config(camus, tmp_path, **{"optim.steps": 1, "optim.learning_rate": 1e-12, "optim.weight_decay": 0}),
        init=unbroken / "cl_unet_edge.safetensors",
    )
    before, after = (load_checkpoint(p)[0].head.weight for p in (unbroken / path.name, path))
    torch.testing.assert_close(after, before, atol=1e-6, rtol=0)
    with pytest.raises(ModelFileError, match=r"none\.safetensors"):
        train(config(camus, tmp_path / "other"), init=tmp_path / "none.safetensors")
    with pytest.raises(ConfigError, match=r"of family cl_unet_edge, not unet2d: leave model\.family out"):
        train(config(camus, tmp_path / "other", **{"model.family": "unet2d"}), init=path)


def test_a_checkpoint_goes_on_at_another_size(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    larger = config(camus, tmp_path, **{"model.size_px": 64, "optim.steps": 1})
    path = train(larger, init=unbroken / "cl_unet_edge.safetensors")
    assert load_checkpoint(path)[1].size_px == 64


def test_a_wider_network_starts_with_the_predictions_of_the_first(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    network, spec = load_checkpoint(unbroken / "cl_unet_edge.safetensors")
    wide, its = net2wider(network, spec, 3, seed=1)
    assert its.config["widths"] == (24, 48)
    assert its.params == sum(p.numel() for p in wide.parameters())
    clip = torch.rand(1, 1, 5, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(wide.eval()(clip), network(clip), atol=1e-4, rtol=1e-4)
    copies = wide.head.weight.reshape(4, 3, 8)
    assert not torch.allclose(copies[:, 0], copies[:, 1])  # or they would learn the same for ever
    path = train(
        config(camus, tmp_path, **{"model.widen": 2, "optim.steps": 1}), init=unbroken / "cl_unet_edge.safetensors"
    )
    assert load_checkpoint(path)[0].config.widths == (16, 32)
    banded = new_spec("cl_unet", widths=(8, 16), encoder_time=(True, True), decoder_time=(True,), repeats=1)
    with pytest.raises(ConfigError, match="only dense CL-UNets can be widened, got cl_unet"):
        net2wider(build(banded), banded, 2, seed=1)
    with pytest.raises(ConfigError, match="add --init CHECKPOINT"):
        train(config(camus, tmp_path / "none", **{"model.widen": 2}))


def test_the_mean_of_two_runs(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    first = unbroken / "cl_unet_edge.safetensors"
    second = train(config(camus, tmp_path / "second", **{"optim.steps": 4}), init=first)
    average_checkpoints([first, second], tmp_path / "mean.safetensors")
    networks = [load_checkpoint(path) for path in (first, second, tmp_path / "mean.safetensors")]
    a, b, mean = (network.head.weight for network, _ in networks)
    torch.testing.assert_close(mean, (a + b) / 2)
    assert not torch.equal(a, b)
    assert networks[2][1].trained_on == f"the mean of runs on {networks[0][1].trained_on}"
    assert networks[2][1].licence == networks[0][1].licence
    other = train(config(camus, tmp_path / "wide", **{"model.widen": 2, "optim.steps": 1}), init=first)
    with pytest.raises(ConfigError, match="is another network than"):
        average_checkpoints([first, other], tmp_path / "none.safetensors")
    with pytest.raises(ConfigError, match="two or more checkpoints, got 1"):
        average_checkpoints([first], tmp_path / "none.safetensors")
    assert not (tmp_path / "none.safetensors").exists()


@pytest.mark.slow
def test_a_student_learns_the_predictions_of_its_teacher(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    """The predictions are nearer to the teacher's than without it; the teacher's licence and data are kept."""
    first = tmp_path / "first.safetensors"
    network, spec = load_checkpoint(unbroken / "cl_unet_edge.safetensors")
    save_checkpoint(first, network, replace(spec, licence="LicenseRef-First", trained_on="other hearts"))
    settings = {"data.teacher": str(first), "optim.steps": 30, "optim.learning_rate": 1e-2, "run.save_every": 30}
    last = []
    for weight in (1e-6, 10.0):
        run = config(camus, tmp_path / str(weight), **settings, **{"loss.teacher": weight})
        path = train(run, report=lambda *call: None)
        last.append(json.loads((tmp_path / str(weight) / "log.jsonl").read_text().splitlines()[-1])["loss"]["teacher"])
    assert last[1] < last[0] - 0.05
    learnt = read_verified(path).spec
    assert learnt.licence == "LicenseRef-First AND CC-BY-NC-SA-4.0"
    assert learnt.trained_on.startswith("other hearts; then camus training list")
    assert learnt.trained_on.endswith(", and the answers of cl_unet_edge")
    with pytest.raises(ConfigError, match=r"teacher and model\.size_px must agree, got 112 and 64 pixels"):
        train(config(camus, tmp_path / "small", **settings, **{"model.size_px": 64}))
    with pytest.raises(ModelFileError, match="no model 'nobody'"):
        train(config(camus, tmp_path / "none", **{"data.teacher": "nobody"}))


@pytest.mark.parametrize(
    ("key", "value", "error", "message"),
    [
        ("data.source", "", ConfigError, "data must be KIND:DIR"),
        ("data.source", "videos:here", ConfigError, "unknown data kind 'videos'"),
        ("data.source", "camus:/nowhere/at/all", DataError, "no CAMUS data set here"),
        ("data.held_out", 6, ConfigError, "data.held_out must be at most 5, got 6"),
        ("data.choose_on", "test", ConfigError, "data.choose_on must be one of held_out, val, got 'test'"),
        ("run.device", "tpu", ConfigError, "run.device must be one of auto, cpu, cuda, mps, got 'tpu'"),
        ("run.device", ABSENT, ConfigError, f"run.device: {ABSENT} is not there, found .*cpu"),
        ("run.precision", "fp16", ConfigError, "fp16 is for cuda, the device is cpu"),
        ("optim.accumulate", 3, ConfigError, "clips.per_step must be a multiple of optim.accumulate"),
        ("model.family", "resnet", ConfigError, "resnet"),
        ("model.overrides", {"colour": 1}, ConfigError, "colour"),
        ("model.overrides", {"widths": [7, 7]}, ConfigError, "widths"),
        ("optim.steps", 0, ConfigError, "steps"),
        ("clips.per_step", 0, ConfigError, "clips"),
        ("clips.frames", 0, ConfigError, "frames"),
        ("run.threads", 0, ConfigError, "threads"),
        ("run.save_every", 0, ConfigError, "save_every"),
    ],
)
def test_a_run_that_cannot_start(
    camus: Path, tmp_path: Path, key: str, value: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        train(config(camus, tmp_path / "run", **{key: value}))
    assert not (tmp_path / "run" / "last.pt").exists()


def test_a_network_that_goes_on_from_another_keeps_its_terms(camus: Path, unbroken: Path, tmp_path: Path) -> None:
    before = read_verified(unbroken / "cl_unet_edge.safetensors").spec
    first = tmp_path / "first.safetensors"
    network, _ = load_checkpoint(unbroken / "cl_unet_edge.safetensors")
    save_checkpoint(first, network, replace(before, licence="LicenseRef-First", trained_on="other hearts"))
    settings = config(camus, tmp_path / "run", **{"optim.steps": 2})
    train(settings, init=first)
    for path in (tmp_path / "run" / "cl_unet_edge.safetensors", train(settings, resume=True)):
        spec = read_verified(path).spec
        assert spec.licence == "LicenseRef-First AND CC-BY-NC-SA-4.0"
        assert spec.trained_on.startswith("other hearts; then camus training list")


def test_unreadable_items_are_reported_and_left_out(tmp_path: Path) -> None:
    root = write_camus(tmp_path / "data", training=3, validation=1)
    (root / "database_nifti" / "patient0002" / "patient0002_4CH_ES_gt.nii.gz").unlink()
    messages: list[str] = []
    small = {"data.held_out": 1, "optim.steps": 1, "clips.per_step": 1, "clips.frames": 1}
    train(config(root, tmp_path / "run", **small), report=lambda step, steps, text: messages.append(text))
    assert [text for text in messages if "left out: patient0002_4CH_ES_gt.nii.gz: missing" in text]

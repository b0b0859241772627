"""Start of a run: from a checkpoint, widened, under a teacher, from a mean; and settings that are refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from edgeecho.errors import ConfigError, DataError, ModelFileError  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn import build, new_spec  # noqa: E402
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from edgeecho.train.average import average_checkpoints  # noqa: E402
from edgeecho.train.loop import train  # noqa: E402
from edgeecho.train.net2wider import net2wider  # noqa: E402
from tests.train.tiny_run import config  # noqa: E402

ABSENT = "cuda" if torch.backends.mps.is_available() else "mps"
"""Device that no machine has beside the other."""


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

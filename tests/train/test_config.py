"""Settings of a training run, from a file and from the command line."""

from pathlib import Path

import pytest

from edgeecho.errors import ConfigError
from edgeecho.train.config import TrainConfig, load_config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[optim]\nsteps = 5\nspeed = 3", r"unknown setting 'optim\.speed'; known: .*optim\.steps"),
        ("[colour]\nred = 1", r"unknown setting 'colour\.red'"),
        ("steps = 5", r"expected a section \[steps\], got 5"),
        ("[optim]\nsteps = '5'", "optim.steps must be int, got '5'"),
        ("[optim]\nsteps = 5.0", r"optim\.steps must be int, got 5\.0"),
        ("[optim]\nsteps = true", "optim.steps must be int, got True"),
        ("[run]\ntensorboard = 1", "run.tensorboard must be bool, got 1"),
        ("[optim]\nsteps = -5", "optim.steps must not be negative, got -5"),
        ("[optim\nsteps = 5", "no valid TOML"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "run.toml")


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no valid TOML"):
        load_config(tmp_path / "binary.toml")


def test_settings_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[optim]\nsteps = 5\nlearning_rate = 1\n")
    given = ["optim.steps=7", "run.out=runs/other", "run.tensorboard=true", "model.overrides={widths = [8, 8]}"]
    made = load_config(tmp_path / "run.toml", given)
    assert (made.optim.steps, made.optim.learning_rate) == (7, 1.0)
    assert (made.run.out, made.run.tensorboard) == ("runs/other", True)
    assert made.model.overrides == {"widths": [8, 8]}
    assert TrainConfig.from_dict(made.to_dict()) == made
    assert made.data == TrainConfig().data
    for bad, message in [
        ("optim.steps", "--set takes key=value"),
        ("optim.steps=x", "must be int, got 'x'"),
        ("=3", "''"),
    ]:
        with pytest.raises(ConfigError, match=message):
            load_config(tmp_path / "run.toml", [bad])

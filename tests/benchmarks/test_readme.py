"""The README's speed table and picture equal those of the JSON."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgeecho.benchmarks.render.readme import BEGIN, END, main, outdated, render_region, with_region
from edgeecho.errors import ConfigError
from tests.benchmarks.made_results import made_result

ROOT = Path(__file__).parents[2]
NEEDED = ("README.md", "docs/bench-cpu.json", "docs/img/bench.svg")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy of the files that are read and written."""
    for name in NEEDED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(
        ROOT / "models",
        tmp_path / "models",
        ignore=lambda _, names: [n for n in names if "." in n and n != "README.md"],
    )
    return tmp_path


def test_the_readme_says_what_the_json_says() -> None:
    assert outdated(ROOT, write=False) == [], "run: python -m edgeecho.benchmarks.render.readme"


def test_check_finds_a_changed_figure_and_writing_mends_it(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--root", str(copy)]) == 0
    readme = copy / "README.md"
    before = readme.read_text()
    readme.write_text(before.replace("0.97 M", "0.79 M", 1))
    assert main(["--check", "--root", str(copy)]) == 1
    assert "README.md: not what docs/bench-cpu.json says" in capsys.readouterr().err
    assert "0.79 M" in readme.read_text()  # a check writes nothing
    assert main(["--root", str(copy)]) == 0
    assert readme.read_text() == before


def test_another_result_changes_table_and_picture_alone(copy: Path) -> None:
    before = (copy / "README.md").read_text()
    (copy / "docs/bench-cpu.json").write_text(made_result().to_json())
    assert outdated(copy, write=True) == ["README.md", "docs/img/bench.svg"]
    after = (copy / "README.md").read_text()
    assert before.split(BEGIN)[0] == after.split(BEGIN)[0]
    assert before.split(END)[1] == after.split(END)[1]
    region = after.split(BEGIN)[1].split(END)[0]
    for words in (
        "Dice ED / ES",
        "0.946 / 0.922",
        "| stream |",
        "[`cl_unet_nano`](models/cl_unet_nano/README.md)",
        "camus val",
    ):
        assert words in region
    svg = ElementTree.parse(copy / "docs/img/bench.svg").getroot()
    assert svg.get("role") == "img"
    assert "prefers-color-scheme: dark" in "".join(svg.itertext())


def test_rows_that_failed_or_bear_odd_names_do_no_harm(tmp_path: Path) -> None:
    result = made_result()
    result.rows[0].model = "<img src=x>|y"
    region = render_region(result, tmp_path)
    assert r"\<img src=x\>\|y" in region
    assert " <img" not in region
    assert "fp16" not in region  # that row failed


def test_what_is_missing_is_one_line(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match=r"README\.md: expected one '<!-- bench"):
        with_region(f"{END} {BEGIN}", "x")
    (copy / "docs/bench-cpu.json").unlink()
    assert main(["--root", str(copy)]) == 1
    err = capsys.readouterr().err
    assert err == "error: cannot read bench-cpu.json: No such file or directory\n"

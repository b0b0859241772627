"""Contents and sizes of the sdist and the wheel, and the integrity of the wheel's models."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import edgeecho
from edgeecho.model.integrity import verify_model
from edgeecho.model.registry import packaged_models
from tests.helpers import MakeOnce
from tests.repository.test_boundaries import ROOT, is_link, sources

MODELS = ("cl_unet_edge", "cl_unet_nano")
MAX_WHEEL_BYTES = 10_000_000
MAX_SDIST_BYTES = 12_200_000


@pytest.fixture(scope="module")
def sdist(make_once: MakeOnce) -> Path:
    """An sdist built from a copy, so that nothing is left in the tree."""
    (path,) = make_once("sdist", build_sdist).glob("*.tar.gz")
    return path


def build_sdist(out: Path) -> None:
    """Build the sdist in a folder."""
    source = out / "edgeecho"
    made = ("build", "dist", "runs", "site", "demo-out", "node_modules")
    skipped = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", *made)
    shutil.copytree(ROOT, source, symlinks=True, ignore=skipped)
    code = f"import setuptools.build_meta as backend; backend.build_sdist({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True, timeout=120)
    shutil.rmtree(source)


@pytest.fixture(scope="module")
def wheel(sdist: Path, make_once: MakeOnce) -> zipfile.ZipFile:
    """The wheel that pip builds from the sdist."""
    (path,) = make_once("wheel", lambda out: build_wheel(sdist, out)).glob("*.whl")
    return zipfile.ZipFile(path)


def build_wheel(sdist: Path, out: Path) -> None:
    """Build the wheel in a folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(out, filter="data")
    (folder,) = out.iterdir()
    arguments = ["--no-deps", "--no-build-isolation", "--no-index", "-w", out, folder]
    command = [sys.executable, "-m", "pip", "wheel", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]


def test_sizes(sdist: Path, wheel: zipfile.ZipFile) -> None:
    assert sdist.stat().st_size <= MAX_SDIST_BYTES
    assert wheel.filename
    assert Path(wheel.filename).stat().st_size <= MAX_WHEEL_BYTES


def test_the_sdist_holds_what_is_developed(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {path.relative_to(ROOT).as_posix() for path in sources()} <= names
    assert {
        "Makefile",
        "constraints.txt",
        "docs/architecture.md",
        "device/CMakeLists.txt",
        "tests/conftest.py",
    } <= names
    assert not [name for name in names if name.startswith(("edgeecho/export", "edgeecho/models", "edgeecho/bench"))]


def test_the_wheel_installs_nothing_but_edgeecho(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {
        "edgeecho",
        f"edgeecho-{edgeecho.__version__}.dist-info",
    }


def test_the_wheel_holds_all_parts(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    pages = [path for folder in ("edgeecho", "benchmarks") for path in (ROOT / folder).rglob("*.*")]
    pages = [path for path in pages if path.suffix in (".html", ".css", ".js") and not is_link(path)]
    assert pages
    for path in [*sources(), *pages]:
        place = path.relative_to(ROOT).as_posix()
        assert (place if place.startswith("edgeecho/") else f"edgeecho/{place}") in names
    assert "edgeecho/py.typed" in names
    assert not [name for name in names if name.endswith((".pyc", ".pt", ".log", ".safetensors", ".toml", ".jsonl"))]


def test_the_wheel_has_two_models_that_are_whole_and_ready(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    models = tmp_path / "edgeecho" / "models"
    assert {path.name for path in models.iterdir() if path.is_dir()} == set(MODELS)
    ready = [f"{form}.int8.{suffix}" for form in ("clip", "stream") for suffix in ("onnx", "xml", "bin")]
    for name in MODELS:
        held = {path.name for path in (models / name).iterdir()}
        assert {*ready, "clip.fp32.onnx", "LICENSE", "README.md", "CARD.md", "bundle.json"} == held
        report = verify_model(str(models / name))
        assert report.errors == []
        assert set(report.index["files"]) == held - {"bundle.json", "LICENSE", "README.md"}
        assert {row["file"] for row in report.index["gate"]["figures"]} == {"clip.int8.onnx", "clip.int8.xml"}
        assert "](card.png)" not in (models / name / "CARD.md").read_text()


def test_the_wheel_names_both_licences(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"edgeecho-{edgeecho.__version__}.dist-info/METADATA").decode()
    headers = Parser().parsestr(metadata)
    weights = {json.loads(wheel.read(f"edgeecho/models/{name}/bundle.json"))["licence"] for name in MODELS}
    assert set(headers["License-Expression"].split(" AND ")) == {"Apache-2.0", *weights}
    assert set(headers.get_all("License-File")) == {"LICENSE", *(f"models/{name}/LICENSE" for name in MODELS)}


def test_no_model_file_is_stored_twice() -> None:
    """A device file would repeat an ONNX graph; `edgeecho export` writes it."""
    stored = {path: path.read_bytes() for folder in packaged_models() for path in folder.iterdir() if path.is_file()}
    weights = {path: data for path, data in stored.items() if len(data) > 100_000}
    assert len(set(weights.values())) == len(weights)
    assert not [path.name for path in stored if path.suffix in (".edgeecho", ".ort")]
    for data in weights.values():
        assert not [path for path, other in weights.items() if data is not other and data in other]

"""Rules of imports, of printing and of the public names, and the time of `edgeecho --help`."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgeecho
from edgeecho.model.registry import packaged_models

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "openvino", "onnx", "matplotlib")
SEGMENT = """
import numpy as np
result = edgeecho.load(threads=1).segment(np.tile(np.arange(64, dtype=np.uint8), (3, 64, 1)))
assert result.mask.shape == (3, 64, 64)
"""


def loaded(code: str) -> set[str]:
    """Return the modules that are loaded after some lines in a fresh interpreter."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


# Imports


@pytest.mark.parametrize(
    "code",
    [
        "import edgeecho",
        "import edgeecho.runtime, edgeecho.cli, edgeecho.batch",
        "import edgeecho" + SEGMENT,
    ],
    ids=["package", "command line", "segmenting"],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    modules = loaded(code)
    assert "edgeecho" in modules
    assert not modules & set(HEAVY)


def test_the_check_above_can_fail() -> None:
    assert set(HEAVY) & loaded("import edgeecho, onnx") == {"onnx"}


def test_importing_the_package_does_not_wait_for_numpy() -> None:
    assert not loaded("import edgeecho, edgeecho.cli") & {"numpy", "cv2", "onnxruntime", "scipy"}


def test_public_names() -> None:
    assert edgeecho.__all__ == sorted(edgeecho.__all__)
    for name in edgeecho.__all__:
        assert getattr(edgeecho, name).__name__ == name
        assert name in dir(edgeecho)
    with pytest.raises(AttributeError, match="no attribute 'segmnet'"):
        edgeecho.segmnet  # noqa: B018


@pytest.mark.parametrize("name", ["nn", "data", "train", "measure", "runtime", "report", "evaluate", "dicom"])
def test_public_names_of_parts(name: str) -> None:
    if name in ("nn", "train"):
        pytest.importorskip("torch")
    module = importlib.import_module(f"edgeecho.{name}")
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), public


def is_link(path: Path) -> bool:
    """Whether a file is seen through one of the links that show the whole package to static tools."""
    return any(folder.is_symlink() for folder in path.parents)


def sources() -> Iterator[Path]:
    for folder in ("edgeecho", "export", "benchmarks", "models"):
        yield from sorted(path for path in (ROOT / folder).rglob("*.py") if not is_link(path))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module that a file imports, and whether the import runs when the file is imported."""
    tree = ast.parse(path.read_text())
    at_top = {
        node for statement in tree.body for node in ast.walk(statement) if not isinstance(statement, ast.FunctionDef)
    }
    inside = {node for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in at_top - inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node in at_top - inside


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_of_each_file(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    torch_may = place.startswith(("edgeecho/nn/", "edgeecho/train/", "export/", "benchmarks/"))
    torch_may = torch_may or place == "edgeecho/runtime/engines/torch_engine.py"
    for module, at_top in imports(path):
        package = module.partition(".")[0]
        assert package not in ("export", "benchmarks", "models"), f"import edgeecho.{package}, not {package}"
        assert torch_may or package not in ("torch", "torchvision"), "torch has no place here"
        if place.startswith("edgeecho/") and not torch_may:
            assert not (at_top and package in HEAVY), f"{module} at the top of a file"
        if place.startswith("edgeecho/train/"):
            assert not module.startswith("edgeecho.runtime"), "training does not know the runtimes"
        if place.startswith("edgeecho/runtime/"):
            assert not module.startswith("edgeecho.train"), "the runtimes do not know training"
        if place.startswith("edgeecho/nn/"):
            assert not module.startswith(("edgeecho.train", "edgeecho.runtime", "edgeecho.cli")), "downward only"


FLOORS = (
    ("errors", "leftovers"),
    ("files", "frame_times", "memory", "names", "reasons", "revision"),
    ("cine", "file_group", "model", "measure", "metrics"),
    ("preprocess", "nn", "synthetic"),
    ("runtime",),
    ("report",),
    ("dicom",),
    ("data", "batch"),
    ("train", "evaluate", "export", "correction", "licences", "live", "serve"),
    ("benchmarks",),
    ("cli",),
)
"""Rooms from the ground up; each imports from floors below its own alone (docs/architecture.md)."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(path: Path) -> str:
    """Return the room of a file: the folder of the package that contains it."""
    top, *rest = path.relative_to(ROOT).parts
    return rest[0].removesuffix(".py") if top == "edgeecho" else top


def climbs(path: Path, room: str) -> list[str]:
    """Return the rooms that a file imports from its own floor, except its own room, and from higher floors."""
    parts = [module.split(".") for module, _ in imports(path) if module.startswith("edgeecho.")]
    rooms = {names[1] for names in parts if names[1] in FLOOR and names[1] != room}
    return sorted(other for other in rooms if FLOOR[other] >= FLOOR[room])


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in sources()} - {"__init__", "__main__", "models"} == set(FLOOR)


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    if room in FLOOR:
        assert climbs(path, room) == []


def test_the_floor_rule_can_fail(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("from edgeecho.runtime import load\nfrom edgeecho.errors import ConfigError\n")
    assert climbs(tmp_path / "x.py", "measure") == ["runtime"]
    assert climbs(tmp_path / "x.py", "report") == []


MAY_PRINT = {
    "benchmarks/render/readme.py": "a command of developers, `python -m edgeecho.benchmarks.render.readme`",
    "benchmarks/run/worker.py": "a process that is started by the benchmark, whose replies are lines of its output",
}
"""Files outside `edgeecho/cli` that write to a standard stream, with the reason."""


def prints(path: Path) -> list[str]:
    """Return the calls in a file that print: `print`, `echo`, a console's `print`, and `write` on a standard stream."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = [ast.unparse(call) for call in calls if isinstance(call, ast.Name | ast.Attribute)]
    return [name for name in names if re.search(r"(^|\.)(print|print_json|echo|secho)$|\bstd(out|err)\.write", name)]


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_prints(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    if not place.startswith("edgeecho/cli/"):
        assert bool(prints(path)) is (place in MAY_PRINT), prints(path)


def test_the_print_rule_can_fail(tmp_path: Path) -> None:
    lines = ("print(1)", "typer.echo('x')", "console.print('x')", "Console().print('x')", "sys.stderr.write('x')")
    (tmp_path / "x.py").write_text("\n".join((*lines, "logger.info('x')", "print_all()", "file.write('x')")))
    assert len(prints(tmp_path / "x.py")) == len(lines)


def test_the_scan_sees_every_form_of_import(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import a.b as c\nfrom d.e import f\ndef g():\n    import h\nif 1:\n    import i\n")
    found = dict(imports(tmp_path / "x.py"))
    assert found == {"a.b": True, "d.e": True, "h": False, "i": True}


def test_ruff_holds_the_same_rules() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert set(lint["flake8-tidy-imports"]["banned-api"]) >= {"torch", "export", "benchmarks", "models"}
    assert "TID" in lint["select"]


# The command


def test_help_is_fast() -> None:
    """Help loads no package that takes long: of those that EdgeEcho requires, only those of the command line itself."""
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    code += "from edgeecho.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    assert "segment" in run.stdout
    loaded = {name.partition(".")[0] for name in run.stderr.split()}
    assert "typer" in loaded
    slow = "numpy cv2 onnx onnxruntime openvino torch pydicom scipy PIL matplotlib"
    assert not loaded & set(slow.split())


def test_cards_are_complete() -> None:
    for folder in packaged_models():
        card = (folder / "README.md").read_text()
        assert not re.findall(r"\b[A-Z]+_(?:DICE|TABLE|PARAMS)\b", card)  # a figure that was to come
        assert all((folder / name).is_file() for name in re.findall(r"`([\w/]+\.jsonl)`", card))
    assert not re.findall(r"\b[A-Z]+_(?:DICE|TABLE|DATE)\b", (ROOT / "README.md").read_text())


def test_the_package_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == edgeecho.__version__


def test_onnxruntime_keeps_nothing_of_its_own(tmp_path: Path) -> None:
    code = f"import edgeecho; edgeecho.load({str(ROOT / 'models' / 'cl_unet_edge' / 'clip.int8.onnx')!r})"
    clean = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    subprocess.run([sys.executable, "-c", code], check=True, env={**clean, "HOME": str(tmp_path)}, capture_output=True)
    assert list(tmp_path.iterdir()) == []

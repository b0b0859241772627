"""Sizes of functions: at most 60 lines and 8 parameters, except the functions that are listed here with a reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("edgeecho", "export", "benchmarks", "release", "studies")
MAX_LINES, MAX_PARAMETERS = 60, 8
EXCEPTIONS = {
    "benchmarks/profile/profile.py: profile_model": "a third of it is the docstring",
    "benchmarks/run/bench.py: run_bench": "its parameters are the options of the benchmark, one for each flag",
    "edgeecho/measure/beat_meter.py: measure": "its parameters are the arrays and the settings of `BeatMeter`",
    "edgeecho/cli/bench.py: bench": "half of it declares the 18 flags of the command",
    "edgeecho/cli/segment.py: segment": "two thirds of it declare the flags of the command",
}
"""Functions that may be larger, by file and name, each with the reason. An entry that is not needed fails the test."""


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, number of lines and number of parameters, without `self` and `cls`, of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            parameters += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
            count = sum(parameter.arg not in ("self", "cls") for parameter in parameters)
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1, count


def too_large(folder: Path) -> dict[str, str]:
    """Functions of a folder that are over a limit, by file and name, with their sizes.

    The parameters of a command are its flags, so those of `edgeecho/cli` are not limited.
    """
    found = {}
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder).as_posix()
        if place.partition("/")[0] not in FOLDERS or any(parent.is_symlink() for parent in path.parents):
            continue
        for name, lines, parameters in functions(path):
            is_command = place.startswith("edgeecho/cli/")
            if lines > MAX_LINES or (parameters > MAX_PARAMETERS and not is_command):
                found[f"{place}: {name}"] = f"{lines} lines, {parameters} parameters"
    return found


def test_functions_are_small() -> None:
    found = too_large(ROOT)
    assert {name: size for name, size in found.items() if name not in EXCEPTIONS} == {}
    assert sorted(EXCEPTIONS) == sorted(name for name in found if name in EXCEPTIONS), "an exception is not needed"


@pytest.mark.parametrize(("place", "large"), [("export/x.py", {"export/x.py: f"}), ("edgeecho/cli/x.py", set())])
def test_the_rule_sees_parameters(tmp_path: Path, place: str, large: set[str]) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(
        "def f(a, b, c, d, e, f, g, *h, i):\n    pass\n\n\ndef g(self, a, b, c, d, e, f, g, *, h):\n    pass\n"
    )
    assert set(too_large(tmp_path)) == large


def test_the_rule_sees_lines(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    for name, lines in (("small", MAX_LINES), ("large", MAX_LINES + 1)):
        text = f"class A:\n    async def {name}(self):\n" + "        pass\n" * (lines - 1)
        (tmp_path / "studies" / f"{name}.py").write_text(text)
    assert too_large(tmp_path) == {"studies/large.py: large": f"{MAX_LINES + 1} lines, 0 parameters"}

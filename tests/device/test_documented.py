"""The commands of docs/device.md and docs/device-update.md, run one after another as a reader types them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.device.building import ROOT

BLOCK = re.compile(r"^```(console|cmake)\n(.*?)^```$", re.M | re.S)
FETCH = "python3 device/fetch_onnxruntime.py ort"
CMAKE_FILE = "my_program/CMakeLists.txt"
"""File that the page's CMake block is."""
TIME_S = 600
END = "\x1e"
"""Character between the outputs of two commands."""


def commands_of(page: Path) -> list[tuple[str, list[str]]]:
    """Return the commands of a page, each with the lines that it prints there; none if the page shows no output."""
    found: list[tuple[str, list[str]]] = []
    for kind, text in BLOCK.findall(page.read_text()):
        if kind == "cmake":
            found.append((f"cat > {CMAKE_FILE} <<'END'\n{text}END", []))
            continue
        for line in text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def without_numbers(lines: list[str]) -> list[str]:
    """Put # for each number, which other models and machines change; stdout and stderr may come in either order."""
    return sorted(re.sub(r"\d+(\.\d+)?", "#", line) for line in lines)


def differences(commands: list[tuple[str, list[str]]], output: str) -> Iterator[str]:
    """Yield what commands printed other than their page shows."""
    printed = output.split(END)
    for (command, shown), text in zip_longest(commands, printed[:-1], fillvalue=("?", [])):
        if shown and without_numbers(str(text).splitlines()) != without_numbers(shown):
            yield f"$ {command}\n{text}shown: {shown}"


def run_commands(commands: list[tuple[str, list[str]]], folder: Path) -> str:
    """Run commands in one shell, which stops at the first that fails, and return what they print."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "edgeecho").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgeecho "$@"\n')
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    lines = [f"{command}\nprintf '{END}'" for command, _ in commands]
    script = "\n".join(["set -e -o pipefail", *lines])
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=TIME_S,
    )  # fmt: skip
    count = done.stdout.count(END)
    assert done.returncode == 0, f"$ {commands[count][0]}\n{done.stdout.split(END)[-1][-2000:]}"
    return done.stdout


def require(*tools: str) -> None:
    """Skip, with the reason, where a tool is missing."""
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"the documented commands are not run: no {', '.join(missing)} here")


@pytest.fixture(scope="module")
def followed(onnxruntime_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Folder in which docs/device.md was followed to its end, and what was printed other than it shows."""
    pytest.importorskip("pydicom")
    require("bash", "pkg-config", "c++")
    folder = tmp_path_factory.mktemp("followed")
    for name in ("device", "examples"):
        (folder / name).symlink_to(ROOT / name)
    commands = commands_of(ROOT / "docs" / "device.md")
    assert [command for command, _ in commands].count(FETCH) == 1
    # The registries are asked once in a test run.
    typed = [(f"ln -s '{onnxruntime_root}' ort" if command == FETCH else command, out) for command, out in commands]
    return folder, list(differences(typed, run_commands(typed, folder)))


def test_from_a_packaged_model_to_running_programs(followed: tuple[Path, list[str]]) -> None:
    folder, differing = followed
    assert differing == []
    assert (folder / "masks.pgm").stat().st_size == 30 * (len("P5\n320 240\n1\n") + 320 * 240)
    needed = subprocess.run(["ldd", folder / "static"], capture_output=True, text=True, check=True).stdout
    assert "libedgeecho" not in needed


def test_a_signed_model_in_two_slots(followed: tuple[Path, list[str]]) -> None:
    require("openssl")
    has_headers = subprocess.run(["pkg-config", "--exists", "libcrypto >= 1.1.1"], check=False).returncode == 0
    if not has_headers:
        pytest.skip("the signed example is not built: no headers of OpenSSL here")
    folder, _ = followed
    commands = commands_of(ROOT / "docs" / "device-update.md")
    assert list(differences(commands, run_commands(commands, folder))) == []
    program = [folder / "build-examples" / "open_signed", folder / "public.pem"]
    for slot, says in (("slot_c", "cannot be read"), ("stream.int8.edgeecho", None), ("ort", "cannot be read")):
        done = subprocess.run([*program, folder / slot], capture_output=True, text=True, timeout=TIME_S)
        assert done.returncode == bool(says)
        assert done.stderr == (f"open_signed: {folder / slot}: {says}\n" if says else "")
    (folder / "slot_b.sig").write_bytes(bytes(64))
    done = subprocess.run([*program, folder / "slot_b"], capture_output=True, text=True, timeout=TIME_S)
    assert done.stderr.endswith("slot_b: the signature is not of this key and this file\n")
    (folder / "slot_b.sig").unlink()
    done = subprocess.run([*program, folder / "slot_b"], capture_output=True, text=True, timeout=TIME_S)
    assert done.stderr.endswith("slot_b: has no signature\n")


def test_a_page_that_shows_other_output_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo 3 ms\n5 ms\n$ echo a\nb\n$ true\n```\n```\n$ not a command\n```\n")
    commands = commands_of(page)
    assert [command for command, _ in commands] == ["echo 3 ms", "echo a", "true"]
    (differing,) = differences(commands, run_commands(commands, tmp_path))
    assert differing == "$ echo a\na\nshown: ['b']"
    page.write_text("```console\n$ echo a\n$ false\n$ echo b\n```\n")
    with pytest.raises(AssertionError, match=r"^\$ false\n"):
        run_commands(commands_of(page), tmp_path)

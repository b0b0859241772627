"""Short forms of the robustness programs; `python -m tests.robustness` runs them whole."""

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeecho.errors import EdgeEchoError
from tests.robustness.calls import make_calls
from tests.robustness.child import HANG_SECONDS, clean_environment, edgeecho_command, run
from tests.robustness.faults import odd_folder
from tests.robustness.models import flip_files, forge_graphs
from tests.robustness.readers import fuzz_readers
from tests.robustness.seeds import native_model
from tests.robustness.silence import watch
from tests.robustness.threads import run_threads

pytestmark = pytest.mark.slow
OPENED = """
import edgeecho, numpy as np, sys
for runtime in ("ort", "openvino"):
    edgeecho.load("cl_unet_nano", runtime=runtime, threads=1)
from edgeecho.evaluate.matplotlib_figure import figure_class
figure_class()
"""


def test_damaged_cines_are_read_or_refused() -> None:
    pytest.importorskip("pydicom")
    found = fuzz_readers(280, seed=7)
    assert (found["inputs"], found["faults"]) == (280, [])


def test_damaged_and_forged_models_are_refused() -> None:
    flipped = flip_files(25, seed=3)
    assert flipped == {"flips": 25, "taken_as_sound": 0, "faults": []}
    assert forge_graphs(12, seed=3)["faults"] == []


def test_wild_calls(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogger("edgeecho").level
    try:
        with native_model() as native:
            assert make_calls(120, seed=5, native=native)["faults"] == []
    finally:
        logging.getLogger("edgeecho").setLevel(before)


def test_threads_get_their_own_answers() -> None:
    pytest.importorskip("openvino")
    with native_model() as native:
        assert run_threads(3, ("openvino",), native)["faults"] == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_engines_and_plots_report_to_nobody(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    pytest.importorskip("matplotlib")
    assert watch([sys.executable, "-c", OPENED], tmp_path) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_watch_sees_a_packet_and_a_file(tmp_path: Path) -> None:
    code = "import socket, pathlib; socket.socket(2, 2).connect(('192.0.2.1', 9)); (pathlib.Path.home() / 'a').touch()"
    faults = watch([sys.executable, "-c", code], tmp_path)
    assert len(faults) == 2
    assert "192.0.2.1" in faults[0]
    assert faults[1] == "writes a in the home directory"


def test_a_folder_of_odd_files(tmp_path: Path) -> None:
    from edgeecho.cine import find_cines, read_cine

    sound = tmp_path / "a.png"
    sound.write_bytes(b"no cine")
    folder = odd_folder(tmp_path / "odd", sound)
    found = find_cines([folder])
    assert len(found) > 8
    for path in found:
        with pytest.raises(EdgeEchoError):
            read_cine(path)


@pytest.mark.parametrize("streams", ["1>&- 2>&-", "0<&- 1>&- 2>&-", "2>/dev/full"])
def test_commands_without_streams(tmp_path: Path, streams: str) -> None:
    argv = " ".join(edgeecho_command("info", "cl_unet_nano", "--json", tmp_path / "info.json"))
    ended = run(["sh", "-c", f"exec {argv} {streams}"], timeout_s=HANG_SECONDS)
    assert ended.code == 0
    assert (tmp_path / "info.json").stat().st_size > 1000


def test_output_that_is_lost_is_an_error() -> None:
    with open("/dev/full", "wb") as full:
        ended = run(edgeecho_command("models"), stdout=full.fileno(), timeout_s=60)
    assert ended.code == 1
    assert ended.stderr.splitlines() == [
        "error: cannot write to standard output: No space left on device; direct it to a place with room"
    ]


def test_a_program_without_streams() -> None:
    code = "import sys; sys.stdin = sys.stdout = sys.stderr = None; from edgeecho.cli import main; main()"
    assert subprocess.run([sys.executable, "-c", code, "models"], env=clean_environment(), check=False).returncode == 0

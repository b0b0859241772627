"""The examples in C, C++ and Python over the C library."""

import ast
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.device.building import ROOT, as_pgm, drawn_cine, run


def test_the_smallest_example(built: Path, stream_model: Path) -> None:
    printed = run(built / "examples" / "measure_ef", stream_model)
    found = re.fullmatch(r"EF (\d+)%, the median of (\d+) beats\n", printed)
    assert found
    assert abs(int(found[1]) - 100 * (1 - 0.8**3)) < 10  # its axes shrink to 0.8
    assert found[2] == "6"


def test_python_over_the_c_library(library: Path, stream_model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "cine.npy", drawn_cine(4, 120, 160).frames)
    example = ROOT / "examples" / "python" / "edgeecho_ctypes.py"
    areas, beats = run(sys.executable, example, library, stream_model, tmp_path / "cine.npy").splitlines()
    assert len(ast.literal_eval(areas)) == 90
    assert len(ast.literal_eval(beats)) > 1


def test_the_c_example(built: Path, stream_model: Path, tmp_path: Path) -> None:
    frames = drawn_cine(4, 120, 160).frames
    masks = tmp_path / "masks.pgm"
    program = built / "examples" / "push_frames"
    options = ["fps=30", "spacing=0.5,0.4", "roi=10,0,140,120"]
    lines = run(program, stream_model, *options, f"masks={masks}", stdin=as_pgm(frames)).splitlines()
    rows = [json.loads(line) for line in lines]
    found = [row for row in rows if "frame" in row]
    assert [row["frame"] for row in found] == list(range(len(frames)))
    pixels = masks.read_bytes().split(b"P5\n160 120\n1\n")[1:]
    assert [len(p) for p in pixels] == [160 * 120] * len(frames)
    assert [sum(p) for p in pixels] == [row["area_px"] for row in found]
    beats = [row for row in rows if "ed_frame" in row]
    assert rows[-1]["beats"] == len(beats) > 1
    used = [beat["ef_percent"] for beat in beats if beat["is_used"]]
    assert rows[-1]["ef_percent"] == pytest.approx(np.median(used), rel=1e-5)
    assert (rows[-1]["verdict"], rows[0]["reasons"]) == ("report", ["too_short"])
    raw = run(program, stream_model, *options, "size=160x120", stdin=frames.tobytes()).splitlines()
    assert [row.get("area_px") for row in map(json.loads, raw)] == [row.get("area_px") for row in rows]
    searched = run(program, stream_model, *options[:2], "search", "size=160x120", stdin=frames.tobytes()).splitlines()
    first = json.loads(searched[0])
    assert (first["view_fixed"], first["roi"], first["reasons"]) == (0, [0, -4, 160, 128], ["region_unsure"])


def test_the_cpp_example(built: Path, stream_model: Path) -> None:
    program = built / "examples" / "push_frames_cpp"
    if not program.exists():
        pytest.skip("no C++ compiler here")
    frames = drawn_cine(4, 120, 160).frames
    lines = run(program, stream_model, 30, 160, 120, stdin=frames.tobytes()).splitlines()
    assert run(program, stream_model, 30, stdin=as_pgm(frames)).splitlines() == lines
    assert len([line for line in lines if line.startswith("frame ")]) == len(frames)
    assert any(line.startswith("beat: ED ") for line in lines)

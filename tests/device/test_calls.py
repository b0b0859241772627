"""The calls of the device library beside push and read: errors, memory, resets, outlines, times, older programs."""

import ctypes
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeecho.model.device_copy import write_device_file
from edgeecho.model.device_file import SUFFIX
from edgeecho.synthetic.phantom import draw_cine
from tests.device.building import DEVICE, MODEL, ROOT, load, run


def test_the_programs_of_its_own(built: Path, small: Path, tmp_path: Path) -> None:
    write_device_file(MODEL / "clip.int8.onnx", clip := tmp_path / f"clip.int8{SUFFIX}")
    run(built / "tests" / "test_stream", small, clip)
    run(built / "tests" / "test_answer", small)


def test_an_older_program_gets_the_same(built: Path, small: Path) -> None:
    older, present = (run(built / "tests" / name, small) for name in ("client_0_1_0", "client"))
    assert older == present
    assert older.count("\n") > 200
    assert older.count("beat ") > 1


def test_fields_are_added_at_the_end() -> None:
    """Sizes of the structs of 0.1.0, which `struct_size.h` takes from the first field that came later."""
    first = {"edgeecho_open_options": 16, "edgeecho_info": 96, "edgeecho_stream_options": 40, "edgeecho_frame": 48}
    first |= {"edgeecho_result": 96, "edgeecho_beat": 56}
    sizes = dict(re.findall(r"^(edgeecho_\w+) (\d+)$", (DEVICE / "abi.txt").read_text(), re.MULTILINE))
    for name, size in first.items():
        block = re.search(rf"^{name} \d+\n((?:  .*\n)+)", (DEVICE / "abi.txt").read_text(), re.MULTILINE)
        assert block is not None
        ends = [int(at) + int(width) for _, at, width in re.findall(r"  (\w+) (\d+) (\d+)", block[1])]
        starts = [int(at) for _, at, _ in re.findall(r"  (\w+) (\d+) (\d+)", block[1])]
        assert size in (*starts, int(sizes[name])), f"{name}: no field begins behind version 0.1.0"
        assert ends == sorted(ends)


def test_structs_in_python_are_those_of_the_header() -> None:
    structs = load(ROOT / "examples" / "python" / "edgeecho_structs.py")
    sizes = dict(re.findall(r"^(edgeecho_\w+) (\d+)$", (DEVICE / "abi.txt").read_text(), re.MULTILINE))
    for name in ("OpenOptions", "Info", "StreamOptions", "Frame", "Result", "Beat", "SelftestResult", "Versions"):
        c_name = "edgeecho" + re.sub("([A-Z])", r"_\1", name).lower()
        assert ctypes.sizeof(getattr(structs, name)) == int(sizes[c_name]), name


def test_the_stack_is_small(built: Path, small: Path) -> None:
    printed = run(built / "tests" / "stack", small)  # it checks its limit
    assert len(re.findall(r"push and flush +\d+ bytes", printed)) == 2


@pytest.mark.parametrize("fps", [30.0, None])
def test_times_are_pythons(
    comparing: ModuleType, library: Path, small: Path, tmp_path: Path, fps: float | None
) -> None:
    """Frames that are dropped, and a pause: the rate is that of the times, in C as in Python."""
    once = draw_cine((5, 2)).frames
    rng, frames = np.random.default_rng(1), np.concatenate([once] * 3)
    kept = rng.random(len(frames)) > 0.15
    times = np.arange(len(frames)) / 30
    times[len(times) // 2 :] += 2.0
    cine = replace(draw_cine((5, 2)), frames=frames[kept], times_s=times[kept], fps=fps)
    device, graph = comparing.Device(str(library), str(small)), comparing.graph_of(small, tmp_path)
    run_c = partial(comparing.by_library, device)
    found = comparing.compare(run_c, graph, cine, roi=None, flip="auto")
    assert found.is_within(0), found
    assert found.beats[0] > 2
    result = run_c(cine, None, "auto")
    lost = int(np.count_nonzero(~kept[np.flatnonzero(kept)[0] : np.flatnonzero(kept)[-1]]))
    assert result.frames_dropped == (lost + 60 if fps else 0)
    assert all(beat["ed_time_s"] in times for beat in result.beats)
    device.close()


def test_a_reset_with_options_in_python(comparing: ModuleType, library: Path, small: Path) -> None:
    frames = draw_cine((5, 2)).frames
    height, width = frames.shape[1:]
    messages: list[str] = []
    device = comparing.Device(str(library), str(small), log=lambda level, text: messages.append(f"{level} {text}"))
    largest = device.size_of(width, height, 60.0, (0.3, 0.3), search=3)
    device.start(width, height, 30.0, memory_bytes=largest)
    first = [a.mask for a in map(device.push, frames) if a]
    device.reset(width, height, 60.0, (0.3, 0.3), search=3)
    assert device.push(frames[0]) is None
    device.reset(width, height, 30.0)
    again = [a.mask for a in map(device.push, frames) if a]
    assert np.array_equal(first, again)
    with pytest.raises(RuntimeError, match="these options need"):
        device.reset(4096, 4096, 30.0)
    assert messages[-1].startswith("3 these options need")
    assert device.versions()["engine"].startswith("ONNX Runtime 1.")
    device.close()

"""What the C and C++ examples read from standard input: whole frames, or one line that tells what is wrong."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.device.building import TIME_S

WHOLE, COMMENTED = bytes(4 * 48 * 64), b"P5 # drawn\n64# columns\n # rows\n48\n255\n"
IMAGE = COMMENTED + WHOLE[: 48 * 64]


@pytest.mark.parametrize("program", ["push_frames", "push_frames_cpp"])
@pytest.mark.parametrize(
    ("size", "data", "frames", "says"),
    [
        ((), IMAGE * 2, 2, None),
        ((), IMAGE + IMAGE[:-1], 1, "frame 1 has 3071 bytes of 3072 (64x48): cut off, or frames of another size"),
        ((), IMAGE + b"P5 32 48 255 ", 1, "image 1 is 32x48, those before are 64x48; one size is read"),
        ((), IMAGE + b"P6", 1, 'image 1 is no binary PGM image ("P5 width height 255"); give the size of raw frames'),
        ((), b"P5 64 48 65535 ", 0, "image 0 has 65535 grey levels or no white space behind them; 255 are read"),
        ((), b"", 0, "there is no image to read"),
        ((64, 48), b"", 0, "there is no frame to read"),
        ((64, 48), WHOLE, 4, None),
        (
            (64, 47),
            WHOLE,
            0,
            "12288 bytes are no multiple of a frame of 64x47 (4 and a rest of 256); give the size of ",
        ),
    ],
)
def test_input_of_the_examples(
    built: Path, small: Path, tmp_path: Path, program: str, size: tuple[int, ...], data: bytes, frames: int, says: str
) -> None:
    """Whole frames are read; anything else is one line and no success, and a file of another size gives no frame."""
    if not (built / "examples" / program).exists():
        pytest.skip("no C++ compiler here")
    options = (
        ["30", *map(str, size)] if program == "push_frames_cpp" else [f"size={w}x{h}" for w, h in filter(None, [size])]
    )
    (tmp_path / "frames").write_bytes(data)
    command = [built / "examples" / program, small, *options]
    with (tmp_path / "frames").open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=TIME_S)
    assert done.returncode == bool(says)
    assert done.stderr.startswith(f"{program}: stdin: {says}" if says else "")
    assert done.stderr.count("\n") == bool(says)
    assert len(re.findall(r'^(?:\{"frame":|frame )', done.stdout, re.M)) == frames


def test_a_pipe_that_ends_within_a_frame(built: Path, small: Path) -> None:
    command = [built / "examples" / "push_frames", small, "size=64x47"]
    done = subprocess.run(command, input=WHOLE, capture_output=True, timeout=TIME_S)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "push_frames: stdin: frame 4 has 256 bytes of 3008 (64x47): cut off, or frames of another size\n"
    )

"""Names of files that are not UTF-8: as text, and for OpenCV and FFmpeg."""

import json
import os
from pathlib import Path

from edgeecho.names import name_for_ffmpeg, printable


def test_printable() -> None:
    assert printable("café 心.avi") == "café 心.avi"
    assert printable(os.fsdecode(b"caf\xe9.avi")) == r"caf\xe9.avi"
    assert printable(Path(os.fsdecode(b"a/\xff"))) == r"a/\xff"
    assert printable("half \ud83d") == r"half \ud83d"
    assert printable("a\x1b[2Jb\tc\n") == "a\\x1b[2Jb\tc\n"
    assert printable("café 心", "latin-1") == "café \\u5fc3"
    json.dumps(printable(os.fsdecode(b"\xe9")), ensure_ascii=False).encode("utf-8")


def test_a_name_that_ffmpeg_opens(tmp_path: Path) -> None:
    plain = tmp_path / "café.avi"
    with name_for_ffmpeg(plain) as name:
        assert name == str(plain)
    odd = tmp_path / os.fsdecode(b"caf\xe9.avi")
    with name_for_ffmpeg(odd) as name:
        assert name.encode("utf-8").endswith(b"cine.avi")
        Path(name).write_bytes(b"written through the link")
    assert odd.read_bytes() == b"written through the link"
    assert not Path(name).parent.exists()

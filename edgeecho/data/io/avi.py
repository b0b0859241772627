"""Headers and indices of AVI files, read without decoding frames."""

from pathlib import Path

from edgeecho.cine.times import FPS_RANGE
from edgeecho.files import open_regular

_INDEX_TAIL_BYTES = 1 << 20
"""Bytes at the end of a file that are searched for idx1, its last chunk: 16 bytes a frame, so enough for 65,000."""


def avi_header(path: Path) -> dict[str, float]:
    """Read `frames` and `fps` from the header; empty if it is no AVI or cannot be read."""
    try:
        with open_regular(path) as file:
            head = file.read(4096)
    except OSError:
        return {}
    at = head.find(b"strh")
    if head[:4] != b"RIFF" or at < 0 or head[at + 8 : at + 12] != b"vids" or len(head) < at + 44:
        return {}
    scale, rate, _, frames = (int.from_bytes(head[at + 28 + 4 * i : at + 32 + 4 * i], "little") for i in range(4))
    fps = rate / scale if scale else 0.0
    return {"frames": frames} | ({"fps": fps} if FPS_RANGE[0] <= fps <= FPS_RANGE[1] else {})


def lost_frames(path: Path, decoded: int) -> int:
    """Count the frames that a damaged AVI lost inside, so that those after them have moved up; 0 if none or no AVI.

    The header's count may be rounded; if it is larger than the decoded count, the index decides: a frame that it lists
    and the decoder did not return was damaged.
    """
    stated = avi_header(path).get("frames", 0)
    if stated <= decoded:
        return 0
    with open_regular(path) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _INDEX_TAIL_BYTES))
        tail = file.read()
    at = tail.rfind(b"idx1")
    if at < 0:
        return int(stated) - decoded
    entries = tail[at + 8 :]
    count = int.from_bytes(tail[at + 4 : at + 8], "little") // 16
    count = min(count, len(entries) // 16)  # a damaged file may contain any number
    kinds = [entries[16 * i : 16 * i + 4] for i in range(count)]
    sizes = [int.from_bytes(entries[16 * i + 12 : 16 * i + 16], "little") for i in range(count)]
    listed = sum(kind[2:] in (b"dc", b"db") and length > 0 for kind, length in zip(kinds, sizes, strict=True))
    return max(0, listed - decoded)

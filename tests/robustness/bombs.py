"""Bombs: small files that state pictures or arrays of many GB.

    python -m tests.robustness.bombs

Each is read in a process of its own with a budget of 256 MB. Faults are those of `tests.robustness.readers`.
"""

import gzip
import json
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.robustness.child import HANG_SECONDS, clean_environment, run
from tests.robustness.readers import BESIDE_MB, BUDGET_BYTES
from tests.robustness.seeds import write_seeds

_READ = "import sys; from edgeecho.cine import read_cine; print(read_cine(sys.argv[1]).frames.shape)"
_SIDES = (8192, 16384, 60000, 65535)


def write_bombs(folder: Path) -> list[Path]:
    """Write every bomb, and return their paths."""
    seeds = folder / "seeds"
    write_seeds(seeds)
    bombs = folder / "bombs"
    bombs.mkdir(parents=True, exist_ok=True)
    for number, (suffix, data) in enumerate(_bombs(seeds)):
        (bombs / f"{number:02d}{suffix}").write_bytes(data)
    return sorted(bombs.iterdir())


def _bombs(seeds: Path) -> Iterator[tuple[str, bytes]]:
    yield from _arrays()
    yield from _nifti()
    yield from _png()
    jpeg = (seeds / "still.jpg").read_bytes()
    for side in _SIDES:
        yield ".jpg", _with_size(jpeg, side)
        yield ".gif", _gif(side, 40)
    avi = (seeds / "motion_jpeg.avi").read_bytes()
    for side in _SIDES[:3]:
        yield ".avi", avi.replace(jpeg_size_of(avi), struct.pack(">HH", side, side))
        yield ".avi", _with_number(avi, b"strf", 12, struct.pack("<ii", side, side))
    yield ".avi", _with_number(avi, b"avih", 24, struct.pack("<I", 2**31 - 1))
    for name in ("jpeg.dcm", "native.dcm", "run_length.dcm"):
        path = seeds / name
        if path.is_file():
            yield from _dicom(path)
    yield ".npz", _zip_of_zeros(3 << 30)


def _arrays() -> Iterator[tuple[str, bytes]]:
    for shape in ((10**6, 1000, 1000), (4000, 900, 900), (2000, 700, 700, 3), (2**40, 16, 16)):
        for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield ".npz", _npz(shape, kind)


def _npz(shape: tuple[int, ...], kind: int) -> bytes:
    import io

    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", kind) as archive, archive.open("frames.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stored.getvalue()


def _zip_of_zeros(size: int) -> bytes:
    """An NPZ whose frames are really there, packed a thousandfold."""
    import io

    stored, frames = io.BytesIO(), size // (1000 * 1000)
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("frames.npy", "w") as member:
        header = {"descr": "|u1", "fortran_order": False, "shape": (frames, 1000, 1000)}
        np.lib.format.write_array_header_1_0(member, header)
        for _ in range(min(frames, 300)):
            member.write(bytes(1000 * 1000))
    return stored.getvalue()


def _nifti() -> Iterator[tuple[str, bytes]]:
    for code, bits in ((2, 8), (16, 32), (64, 64), (1792, 128)):
        for side, count in ((8192, 32), (1000, 900), (32767, 32767)):
            header = bytearray(352)
            struct.pack_into("<i", header, 0, 348)
            struct.pack_into("<8h", header, 40, 3, side, side, count, 1, 1, 1, 1)
            struct.pack_into("<2h", header, 70, code, bits)
            struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
            struct.pack_into("<2f", header, 108, 352, 1)
            header[344:348] = b"n+1\0"
            yield ".nii.gz", gzip.compress(bytes(header), mtime=0)
            yield ".nii", bytes(header)


def _png() -> Iterator[tuple[str, bytes]]:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    for side in _SIDES:
        header = struct.pack(">II5B", side, side, 8, 6, 0, 0, 0)
        packed = zlib.compress(bytes(1 << 20), 9)
        yield ".png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def jpeg_size_of(data: bytes) -> bytes:
    """Return the four bytes with height and width in the first start of frame."""
    at = data.index(b"\xff\xc0") + 5
    return data[at : at + 4]


def _with_size(jpeg: bytes, side: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", side, side) + jpeg[at + 4 :]


def _gif(side: int, frames: int) -> bytes:
    """A GIF of a large screen and frames of a few bytes."""
    head = b"GIF89a" + struct.pack("<HH", min(side, 65535), min(side, 65535)) + b"\xf0\0\0" + bytes(6)
    frame = b"\x21\xf9\x04\x00\x04\0\0\0" + b"\x2c" + bytes(4) + struct.pack("<HH", 16, 16) + b"\0\x02\x02\x4c\x01\0"
    return head + frame * frames + b"\x3b"


def _with_number(data: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    at = data.index(mark) + offset
    return data[:at] + value + data[at + len(value) :]


def _dicom(path: Path) -> Iterator[tuple[str, bytes]]:
    import pydicom

    data = path.read_bytes()
    if path.name == "jpeg.dcm":
        for side in _SIDES:
            yield ".dcm", data.replace(jpeg_size_of(data), struct.pack(">HH", side, side))
        size = jpeg_size_of(data)
        yield ".dcm", data.replace(b"\xff\xc0", b"\0\xff\xc0").replace(size, struct.pack(">HH", 60000, 60000))
    for changes in ({"NumberOfFrames": 10**8}, {"Rows": 8192, "Columns": 8192, "NumberOfFrames": 500}):
        yield ".dcm", _changed(pydicom, path, changes)
    yield ".dcm", _changed(pydicom, path, {"SamplesPerPixel": 60000, "Rows": 8000, "Columns": 8000})


def _changed(pydicom: object, path: Path, values: dict[str, int]) -> bytes:
    import io

    data = pydicom.dcmread(path)  # type: ignore[attr-defined]
    for name, value in values.items():
        setattr(data, name, value)
    stored = io.BytesIO()
    data.save_as(stored, enforce_file_format=True)
    return stored.getvalue()


def try_bombs(say: Callable[[str], None] = lambda text: None) -> dict[str, object]:
    """Read every bomb, and return the figures."""
    faults, peak_mb, slowest_s = [], 0.0, 0.0
    with tempfile.TemporaryDirectory(prefix="bombs-") as folder:
        paths = write_bombs(Path(folder))
        for path in paths:
            env = clean_environment(EDGEECHO_MAX_MEMORY=str(BUDGET_BYTES))
            ended = run([sys.executable, "-c", _READ, str(path)], timeout_s=HANG_SECONDS, env=env)
            peak_mb, slowest_s = max(peak_mb, ended.peak_mb), max(slowest_s, ended.seconds)
            last = (ended.stderr.strip().splitlines() or [""])[-1]
            fault = "" if last.startswith("edgeecho.errors.") else ended.fault or (last if ended.code else "")
            if ended.peak_mb > BESIDE_MB + BUDGET_BYTES / (1 << 20):
                fault = f"{fault} {ended.peak_mb:.0f} MB".strip()
            say(f"{path.name}: {ended.peak_mb:.0f} MB, {ended.seconds:.1f} s, {last[:150]}")
            if fault:
                faults.append(f"{path.name}: {fault}")
    return {"bombs": len(paths), "peak_mb": round(peak_mb), "slowest_s": round(slowest_s, 1), "faults": faults}


if __name__ == "__main__":
    print(json.dumps(try_bombs(lambda text: print(text, file=sys.stderr)), indent=1))

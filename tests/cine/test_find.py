"""Finding the cines of a folder."""

from pathlib import Path

import numpy as np

from edgeecho.cine import find_cines


def test_find_cines(tmp_path: Path, frames: np.ndarray) -> None:
    deep = tmp_path / "sub" / "png frames"
    deep.mkdir(parents=True)
    for name in (
        "10.avi",
        "2.avi",
        "mask_gt.nii.gz",
        "x.nii.gz",
        "beside.png",
        "notes.txt",
        ".hidden.avi",
        "1.2.840.7",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (deep / "0.png").write_bytes(b"x")
    (tmp_path / "sub" / "broken.npz").write_bytes(b"x")
    np.savez(tmp_path / "sub" / "result.npz", mask=frames)
    np.savez(tmp_path / "sub" / "cine.npz", frames=frames)
    expected = ["2.avi", "10.avi", "IM0001", "sub/broken.npz", "sub/cine.npz", "sub/png frames", "x.nii.gz"]
    assert [str(p.relative_to(tmp_path)) for p in find_cines([tmp_path])] == expected
    given = [tmp_path / "missing.avi", tmp_path / "2.avi", tmp_path / "sub", tmp_path / "sub" / "cine.npz", deep]
    assert find_cines(given) == [*given[:2], *(tmp_path / name for name in expected[3:6])]
    (tmp_path / "empty").mkdir()
    assert find_cines([tmp_path / "empty"]) == [tmp_path / "empty"]

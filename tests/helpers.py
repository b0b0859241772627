"""Functions that several test files import: drawn hearts, a drawn data set, exports, and the one line of an error."""

import gzip
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MakeOnce = Callable[[str, Callable[[Path], object]], Path]
"""Type of the fixture `make_once`: from the name of a folder, and a function that fills it, to the filled folder."""
TINY_SIZE_PX = 48
TINY_WIDTHS = (8, 8, 16, 16)


def draw_heart(
    rng: np.random.Generator,
    frames: int = 1,
    height: int = 128,
    width: int = 128,
    period: float = 20,
    depth: float = 0.2,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a bright sector of speckle, apex up, with a dark ellipse that beats in it.

    Returns:
        Frames uint8 (T, H, W) and masks uint8 {0, 1} of the same shape. The first frame is end-diastole; the ellipse's
        axes shrink by `depth` until `period` / 2 frames later.
    """
    y, x = np.mgrid[0:height, 0:width]
    y, x = (y + 0.5) / height, (x + 0.5) / width
    sector = (np.abs(x - 0.5) < 0.08 + 0.45 * y) & (np.hypot(x - 0.5, y) < 0.97)
    size = 1 - depth * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / period))[:, None, None]
    centre_x, centre_y = 0.5 + rng.uniform(-0.03, 0.03), 0.52 + rng.uniform(-0.03, 0.03)
    axis_x, axis_y = size * rng.uniform(0.14, 0.18), size * rng.uniform(0.24, 0.3)
    masks = ((x - centre_x) / axis_x) ** 2 + ((y - centre_y) / axis_y) ** 2 < 1
    level = np.where(masks, 22, 150) * sector
    speckle = 1 + 0.25 * rng.standard_normal((frames, height, width))
    return np.clip(np.rint(level * speckle), 0, 255).astype(np.uint8), masks.astype(np.uint8)


def write_nifti(path: Path, image: np.ndarray, spacing_mm: tuple[float, float]) -> None:
    """Write a NIfTI-1 file without a library: uint8 (H, W), stored (x, y) as CAMUS does."""
    height, width = image.shape
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 2, width, height, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)  # uint8, 8 bits
    struct.pack_into("<8f", header, 76, 1, spacing_mm[1], spacing_mm[0], 1, 1, 1, 1, 1)
    struct.pack_into("<2f", header, 108, 352, 1)  # where the values begin, and their slope
    header[123] = 2  # millimetres
    header[344:348] = b"n+1\0"
    path.write_bytes(gzip.compress(bytes(header) + image.tobytes(), mtime=0))


def write_camus(root: Path, training: int = 6, validation: int = 2) -> Path:
    """Write a data set with the files of CAMUS: 4CH ED and ES frames of drawn hearts, their masks, and the lists."""
    patients = [f"patient{n:04d}" for n in range(1, training + validation + 1)]
    for number, patient in enumerate(patients):
        rng = np.random.default_rng(number)
        frames, masks = draw_heart(rng, frames=2, height=144, width=120, period=2, depth=rng.uniform(0.1, 0.25))
        folder = root / "database_nifti" / patient
        folder.mkdir(parents=True)
        for phase, frame, mask in zip(("ED", "ES"), frames, masks, strict=True):
            write_nifti(folder / f"{patient}_4CH_{phase}.nii.gz", frame, (0.5, 0.6))
            write_nifti(folder / f"{patient}_4CH_{phase}_gt.nii.gz", mask, (0.5, 0.6))
    lists = root / "official_split"
    lists.mkdir()
    (lists / "subgroup_training.txt").write_text("\n".join(patients[:training]) + "\n")
    (lists / "subgroup_validation.txt").write_text("\n".join(patients[training:]) + "\n")
    return root


def network_frames(frames: int, seed: int = 5) -> np.ndarray:
    """Draw a heart at the tiny network's size, uint8 (T, 48, 48)."""
    from edgeecho.preprocess import find_roi, to_network

    drawn = draw_heart(np.random.default_rng(seed), frames=frames)[0]
    return to_network(drawn, find_roi(drawn), TINY_SIZE_PX)


def export(model: str, out: Path, **asked: object) -> Any:
    """Call `edgeecho.export.bundle.export` with options by name."""
    from edgeecho.export.bundle import export
    from edgeecho.export.options import Options

    return export(model, out, Options(**asked))


def of_dead_process(kind: str) -> str:
    """Return the name of a temporary of a process that has ended."""
    from edgeecho.leftovers import temporary_prefix

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    tag, _, _ = temporary_prefix("").partition("-")
    return f"{kind}{tag}-{ended.pid}-abc"


def tampered(model: Any, factor: float, which: int = -1) -> Any:
    """Return a graph whose weights of one convolution are multiplied."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    node = [node for node in copy.graph.node if node.op_type == "Conv"][which]
    tensor = next(t for t in copy.graph.initializer if t.name == node.input[1])
    tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) * np.float32(factor), tensor.name))
    return copy


def the_error(result: tuple[int, str, str], out: Path) -> str:
    """Return the one line of an error, after checking that it is one, the exit code, and that nothing was left."""
    code, stdout, stderr = result
    assert code in (1, 2), stderr
    assert "Traceback" not in stderr
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, stderr
    said = [line for line in stderr.splitlines() if line and not line.startswith("error: ")]
    assert all("Research software" in line for line in said), said  # the model's licence, and no other message
    assert stdout == ""
    assert not out.exists() or out.is_file() or list(out.iterdir()) == []
    return lines[0]

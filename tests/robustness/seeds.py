"""Sound files of every format, small, from which attacks are made."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.cine.files import write_gif, write_timed, write_video
from tests.helpers import draw_heart, write_nifti

FRAMES, HEIGHT, WIDTH = 6, 48, 64


def write_seeds(folder: Path) -> list[Path]:
    """Write a sound cine of each format that this machine can write, and return their paths."""
    import cv2

    frames = draw_heart(np.random.default_rng(0), frames=FRAMES, height=HEIGHT, width=WIDTH)[0]
    folder.mkdir(parents=True, exist_ok=True)
    write_video(folder / "motion_jpeg.avi", frames)
    write_video(folder / "mpeg4.mp4", frames, "mp4v")
    write_video(folder / "motion_jpeg.mkv", frames)
    write_gif(folder / "animated.gif", frames, [4] * FRAMES)
    cv2.imwrite(str(folder / "still.png"), frames[0])
    cv2.imwrite(str(folder / "still.jpg"), frames[0])
    np.savez(folder / "arrays.npz", frames=frames, fps=25.0, spacing_mm=np.array([0.5, 0.5]))
    np.savez_compressed(folder / "packed.npz", frames=frames)
    write_nifti(folder / "plane.nii.gz", frames[0], (0.5, 0.5))
    _write_dicoms(folder, frames)
    _write_av(folder, frames)
    return sorted(folder.iterdir())


@contextmanager
def native_model() -> Iterator[Path | None]:
    """Yield the native device file of the packaged nano; None where the native engine or `onnx` is missing."""
    from edgeecho.runtime.engines.native_engine import is_built

    try:
        from edgeecho.export.write.native_device_file import write_native_device_file
    except ImportError:
        yield None
        return
    if not is_built():
        yield None
        return
    source = Path(__file__).parents[2] / "models" / "cl_unet_nano" / "stream.int8.onnx"
    with tempfile.TemporaryDirectory(prefix="native-") as folder:
        path = Path(folder, "stream.int8.native.edgeecho")
        write_native_device_file(source, path)
        yield path


def _write_dicoms(folder: Path, frames: np.ndarray) -> None:
    try:
        import pydicom  # noqa: F401

        from tests.cine.dicom_files import write
    except ImportError:
        return
    write(folder / "native.dcm", frames)
    _write_compressed(folder, frames)


def _write_compressed(folder: Path, frames: np.ndarray) -> None:
    import cv2
    import pydicom
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit, RLELossless

    pictures = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]
    data = pydicom.dcmread(folder / "native.dcm")
    data.PixelData = encapsulate(pictures)
    data["PixelData"].is_undefined_length = True
    data["PixelData"].VR = "OB"
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.save_as(folder / "jpeg.dcm", enforce_file_format=True)
    data = pydicom.dcmread(folder / "native.dcm")
    data.compress(RLELossless)
    data.save_as(folder / "run_length.dcm", enforce_file_format=True)


def _write_av(folder: Path, frames: np.ndarray) -> None:
    try:
        import av  # noqa: F401
    except ImportError:
        return
    times_ms = np.arange(FRAMES) * 40
    write_timed(folder / "vp8.webm", frames, times_ms, "libvpx")
    write_timed(folder / "h264.mp4", frames, times_ms)

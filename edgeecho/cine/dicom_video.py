"""Video streams inside DICOM files (MPEG-2, H.264, HEVC), decoded from memory by OpenCV through FFmpeg."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from edgeecho.cine.grey import check_size
from edgeecho.cine.model import aspect_of
from edgeecho.cine.times import TimeBase, from_times
from edgeecho.cine.video import quiet_cv2
from edgeecho.errors import VideoError

_CODECS = {"100": "MPEG-2", "101": "MPEG-2", "107": "HEVC", "108": "HEVC"} | {f"10{n}": "H.264" for n in range(2, 7)}
_PREFIX = "1.2.840.10008.1.2.4."
_START_CODE = b"\0\0\1"
"""First bytes of a stream without a container, after any number of zeros."""


def video_codec(transfer_syntax: str) -> str | None:
    """Return the name of the codec of a transfer syntax; None if its pixels are no video stream."""
    return _CODECS.get(transfer_syntax.removeprefix(_PREFIX).removesuffix(".1")) if transfer_syntax else None


class DicomVideo:
    """Frames of a video stream, and what it states of them."""

    def __init__(self, path: Path, data: bytes, codec: str) -> None:
        """
        Args:
            path: The DICOM file, for messages.
            data: The stream, with or without a container.
            codec: Name of the codec.

        Raises:
            VideoError: If the bytes are no video.
        """
        import cv2

        self.path, self.codec = path, codec
        self.times_s: list[float] = []
        self._has_times = _has_container(data)  # those of a bare stream are made up by FFmpeg
        # FFmpeg finds the format itself. Bytes that begin as no video does, such as a playlist, are not given to it.
        if not self._has_times and not data[:8].lstrip(b"\0").startswith(_START_CODE.lstrip(b"\0")):
            raise self._undecodable("no video stream in it")
        self._data: Any = io.BytesIO(data)  # FFmpeg reads from it as long as the capture is open
        with quiet_cv2():
            try:
                self._input: Any = cv2.VideoCapture(cast(Any, self._data), cv2.CAP_FFMPEG, [])
            except cv2.error as error:
                raise self._undecodable("FFmpeg does not open it") from error
        if not self._input.isOpened():
            raise self._undecodable("FFmpeg does not open it")
        height, width = (round(self._get(p)) for p in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH))
        check_size(path, 1, height, width)
        self.aspect = aspect_of(self._get(cv2.CAP_PROP_SAR_DEN), self._get(cv2.CAP_PROP_SAR_NUM))
        """Height over width of a pixel, 1 if the stream does not state it."""
        rate = self._get(cv2.CAP_PROP_FPS)
        self._rate = rate if rate > 0 else None

    @property
    def time_base(self) -> TimeBase | None:
        """Time base of the frames that were decoded; None if the stream has no times."""
        if not self._has_times or len(self.times_s) < 2:
            return None
        return from_times(np.array(self.times_s), self._rate)

    def frames(self) -> Iterator[np.ndarray]:
        """Decode the frames, uint8 (H, W, 3), RGB.

        Raises:
            VideoError: If the stream is damaged, or contains no frame.
        """
        import cv2

        try:
            while True:
                with quiet_cv2():
                    ok, frame = self._input.read()
                if not ok:
                    break
                self.times_s.append(self._get(cv2.CAP_PROP_POS_MSEC) / 1000)
                yield frame[..., ::-1]  # OpenCV's order is blue, green, red
        except cv2.error as error:
            raise self._undecodable("OpenCV refuses a frame") from error
        finally:
            self._input.release()
        if not self.times_s:
            raise self._undecodable("no frame in it")

    def _get(self, attribute: int) -> float:
        return float(self._input.get(attribute))

    def _undecodable(self, reason: str) -> VideoError:
        return VideoError(f"{self.path}: its {self.codec} video cannot be decoded: {reason}; export it again")


def _has_container(data: bytes) -> bool:
    """Whether bytes begin as an MP4, an MPEG transport stream or an MPEG programme stream does."""
    is_transport = data[:1] == b"\x47" and data[188:189] in (b"\x47", b"")
    return data[4:8] == b"ftyp" or is_transport or data[:4] == b"\0\0\1\xba"

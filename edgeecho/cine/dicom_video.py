"""Video streams inside DICOM files (MPEG-2, H.264, HEVC), decoded through PyAV where that is installed."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.arrays import one_line
from edgeecho.cine.grey import MAX_SIDE_PX
from edgeecho.cine.model import aspect_of
from edgeecho.cine.times import TimeBase, from_times
from edgeecho.errors import MissingExtraError, VideoError

_CODECS = {"100": "MPEG-2", "101": "MPEG-2", "107": "HEVC", "108": "HEVC"} | {f"10{n}": "H.264" for n in range(2, 7)}
_STREAMS = {"MPEG-2": "mpegvideo", "H.264": "h264", "HEVC": "hevc"}
_BOUNDS = {"max_pixels": str(MAX_SIDE_PX * MAX_SIDE_PX)}
"""Options of FFmpeg's decoders: pictures that are larger are refused before memory is taken."""
_OF_STREAMS: Any = [_BOUNDS] * 64
_PREFIX = "1.2.840.10008.1.2.4."


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
            MissingExtraError: If PyAV is not installed.
            VideoError: If the bytes are no video.
        """
        try:
            import av
        except ImportError as error:
            text = f"{path}: its pixels are {codec} video, which PyAV decodes: pip install 'edgeecho[report]'"
            raise MissingExtraError(text, file=path) from error
        self.path, self.codec = path, codec
        self.times_s: list[float] = []
        self._format = _container(data)
        self._has_times = self._format is not None  # those of a bare stream are made up by FFmpeg
        try:
            # The format is given, so that no playlist or script is followed.
            self._input: Any = av.open(
                io.BytesIO(data), format=self._format or _STREAMS[codec], stream_options=_OF_STREAMS
            )
            self._stream = self._input.streams.video[0]
            self._stream.codec_context.options = _BOUNDS
            # Read now: a closed stream is freed memory.
            ratio = self._stream.sample_aspect_ratio
            rate = self._stream.average_rate
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise self._undecodable(error) from error
        self.aspect = aspect_of(ratio.denominator, ratio.numerator) if ratio else 1.0
        """Height over width of a pixel, 1 if the stream does not state it."""
        self._rate = float(rate) if rate else None

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
        import av

        try:
            frame: Any
            for frame in self._input.decode(self._stream):
                self.times_s.append(float(frame.time) if frame.time is not None else float("nan"))
                yield np.asarray(frame.to_ndarray(format="rgb24"))
        except (av.FFmpegError, ValueError) as error:
            raise self._undecodable(error) from error
        finally:
            self._input.close()
        if not self.times_s:
            raise self._undecodable("no frame in it")

    def _undecodable(self, error: Exception | str) -> VideoError:
        reason = error if isinstance(error, str) else one_line(error)
        return VideoError(f"{self.path}: its {self.codec} video cannot be decoded: {reason}; export it again")


def _container(data: bytes) -> str | None:
    """Return FFmpeg's name of the container that bytes begin with; None for a bare stream."""
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:1] == b"\x47" and data[188:189] in (b"\x47", b""):
        return "mpegts"
    return "mpeg" if data[:4] == b"\0\0\1\xba" else None

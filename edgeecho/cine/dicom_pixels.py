"""Pixels of a DICOM cine: what is checked before they are decoded, and the decoded frames of every kind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.arrays import one_line
from edgeecho.cine.dicom_decoder import decoder_of, use_pillow_for_lossless_jpeg
from edgeecho.cine.dicom_fragments import first_frame, is_cut, joined, longest, pictures, require_stated_size
from edgeecho.cine.dicom_video import DicomVideo, video_codec
from edgeecho.cine.grey import check_size
from edgeecho.cine.jpeg import jpeg_colour
from edgeecho.cine.picture import is_closed_early
from edgeecho.errors import VideoError

_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")  # pydicom returns all of them as RGB
_GREY = ("MONOCHROME1", "MONOCHROME2")
_LOSSY_JPEG = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
"""Transfer syntaxes of baseline and extended JPEG, whose colour space decoders tell from the JPEG."""
_BLOCK_PX, _GREY_LEVELS = 8, 8
"""Side of a JPEG's block, and how far from 128 its pixels may be where the block is missing."""
_RUN_LENGTH, _MAX_RUN = "1.2.840.10008.1.2.5", 64
"""Transfer syntax of run lengths, and the number of bytes that one of them can stand for (PS3.5 G.3.1)."""
_NO_DECODER = ("missing dependencies", "is not supported", "does not support")
"""Parts of pydicom's errors where no installed decoder knows the kind of picture."""
_UNIDENTIFIED = "cannot identify image file"
"""Part of Pillow's error about a picture of more than 8 bits, which it does not know, and about one that is damaged."""
MAX_MISSING_FRACTION = 0.1
"""A video inside is refused if a larger part of the frames is missing that the file states."""


@dataclass(frozen=True)
class Header:
    """Attributes of a file, and where its pixels are."""

    data: Any
    """The data set without pixels."""
    syntax: str
    """UID of the transfer syntax, empty if there is none."""
    pixels_at: int
    """Position of the pixel data element in the file."""

    @property
    def promised(self) -> int:
        """Number of frames that the file states."""
        return int(self.data.get("NumberOfFrames") or 1)

    @property
    def codec(self) -> str | None:
        """Codec of the video stream inside; None if there is none."""
        return video_codec(self.syntax)


def read_header(path: Path, pydicom: Any) -> Header:
    """Read and check the attributes before the pixels.

    Raises:
        VideoError: If the file has no pixels, pixels that are not read, or is cut within them.
    """
    meta = pydicom.filereader.read_file_meta_info(path)
    syntax = str(meta.get("TransferSyntaxUID") or "")
    if syntax == pydicom.uid.DeflatedExplicitVRLittleEndian:
        # It would be inflated whole, to any size, before the first attribute can be read.
        raise VideoError(f"{path}: deflated DICOM is not read; convert it, for example with dcmconv +te")
    with path.open("rb") as file:
        data = pydicom.dcmread(file, stop_before_pixels=True)
        header = Header(data, syntax, file.tell())
        is_encapsulated = bool(syntax and meta.TransferSyntaxUID.is_encapsulated)
        cut = is_encapsulated and is_cut(file, header.pixels_at)
        run_length = _MAX_RUN * longest(file, header.pixels_at) if syntax == _RUN_LENGTH else 0
    rows, columns, bits = (data.get(k) for k in ("Rows", "Columns", "BitsStored"))
    if not (rows and columns and bits):
        raise VideoError(
            f"{path}: this DICOM file holds no pixels or is cut before them ({_kind(data)}); pass an image or a cine"
        )
    count = data.get("NumberOfFrames", 1)
    frames = 1 if count is None or count == "" else int(count)
    check_size(path, frames, int(rows), int(columns), stored_bytes=run_length)
    if is_encapsulated and not header.codec:
        with path.open("rb") as file:
            require_stated_size(path, file, header.pixels_at, int(rows), int(columns))
    photometric = data.get("PhotometricInterpretation")
    if photometric not in (*_GREY, *_COLOUR, "PALETTE COLOR") and not header.codec:
        raise VideoError(f"{path}: pixels of kind {photometric!r} are not read; convert it to MONOCHROME2 or RGB")
    if not 1 <= int(bits) <= 16:
        raise VideoError(f"{path}: {bits} bits a pixel are not read; convert it to 8")
    if cut:
        size = path.stat().st_size
        raise VideoError(f"{path}: cut short: its compressed pixels go on after its {size} bytes; export it again")
    return header


def open_video(path: Path, header: Header) -> DicomVideo | None:
    """Open the video stream of a file; None if its frames are single pictures.

    Raises:
        VideoError: If it is no video.
    """
    if not header.codec:
        return None
    with path.open("rb") as file:
        return DicomVideo(path, joined(file, header.pixels_at), header.codec)


def decoded_frames(path: Path, header: Header, video: DicomVideo | None, pydicom: Any) -> Iterator[np.ndarray]:
    """Decode the frames, uint8 (H, W) or (H, W, 3) in RGB, one in memory at a time.

    Raises:
        VideoError: If frames are missing or damaged, or nothing decodes them.
    """
    promised, count = header.promised, 0
    try:
        for frame in video.frames() if video else _pictures(path, header, pydicom):
            yield frame
            count += 1
    except VideoError:
        raise
    except Exception as error:  # a damaged file raises many kinds of error
        reason, bits = one_line(error), int(header.data.BitsStored)
        if "no 'Pixel Data'" in reason:
            kind = _kind(header.data)
            text = f"this DICOM file holds no pixels or is cut before them ({kind}); pass an image or a cine"
        elif any(part in reason for part in _NO_DECODER) or (_UNIDENTIFIED in reason and bits > 8):
            name = pydicom.uid.UID(header.syntax).name if header.syntax else "its pixels"
            text = (
                f"nothing installed decodes {name} of {bits} bits: install edgeecho[dicom], which "
                "decodes 8 bits, or edgeecho[dicom-gpl], or convert it to Explicit VR Little Endian"
            )
        else:
            reason = "this frame has no header" if _UNIDENTIFIED in reason else reason
            text = f"cut short or damaged: {count} of {promised} frames could be read: {reason}; export it again"
        raise VideoError(f"{path}: {text}") from error
    if count < promised - (max(1, MAX_MISSING_FRACTION * promised) if video else 0):
        raise VideoError(f"{path}: cut short: {count} of {promised} frames could be read; export it again")


def _pictures(path: Path, header: Header, pydicom: Any) -> Iterator[np.ndarray]:
    data = header.data
    if data.PhotometricInterpretation == "YBR_FULL_422" and not pydicom.uid.UID(header.syntax).is_encapsulated:
        # `iter_pixels` takes the frames after the first at the places of YBR_FULL, which is larger.
        with path.open("rb") as file:
            for index in range(header.promised):
                yield _eight_bits(pydicom.pixels.pixel_array(file, index=index), data, pydicom)
        return
    # From the file, not from a data set: so one frame is in memory at a time.
    use_pillow_for_lossless_jpeg(pydicom)
    decoder = decoder_of(header.syntax, int(data.BitsStored))
    decoded = pydicom.pixels.iter_pixels(path, decoding_plugin=decoder, **_colour_space(path, header))
    if header.syntax in _LOSSY_JPEG:
        decoded = _complete(path, header, decoded)
    for frame in decoded:
        yield _eight_bits(frame, data, pydicom)


def _complete(path: Path, header: Header, decoded: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the decoded frames of JPEGs again.

    Raises:
        VideoError: If a JPEG ends before its pixels, which is seen where each frame is one fragment of the file.
    """
    places: list[tuple[int, int]] = []
    with path.open("rb") as file:
        for index, frame in enumerate(decoded):
            if _ends_grey(frame):
                places = places or list(pictures(file, header.pixels_at))
                if len(places) == header.promised:
                    start, length = places[index]
                    file.seek(start)
                    if is_closed_early(file.read(length)):
                        text = f"damaged: frame {index} ends before its pixels are complete; export it again"
                        raise VideoError(f"{path}: {text}")
            yield frame


def _ends_grey(frame: np.ndarray) -> bool:
    """Whether the last corner is as grey as decoders leave the pixels that are missing."""
    return bool(np.all(np.abs(frame[-_BLOCK_PX:, -_BLOCK_PX:].astype(int) - 128) <= _GREY_LEVELS))


def _colour_space(path: Path, header: Header) -> dict[str, str]:
    """Return the colour space of JPEG frames as an option of pydicom, where the JPEG tells it; else none."""
    if header.syntax not in _LOSSY_JPEG or header.data.get("SamplesPerPixel") != 3:
        return {}
    with path.open("rb") as file:
        colour = jpeg_colour(first_frame(file, header.pixels_at))
    stated = str(header.data.PhotometricInterpretation)
    if colour == "YBR" and not stated.startswith("YBR"):
        return {"photometric_interpretation": "YBR_FULL_422"}
    return {"photometric_interpretation": "RGB"} if colour == "RGB" and stated != "RGB" else {}


def _eight_bits(frame: np.ndarray, data: Any, pydicom: Any) -> np.ndarray:
    """Convert a frame to grey or RGB, uint8 (H, W) or (H, W, 3)."""
    photometric = data.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        colour: np.ndarray = pydicom.pixels.apply_color_lut(frame, data)[..., :3]
        # Tables of 16 bits hold v * 257 or v * 256; the upper byte is v in both.
        return colour if colour.dtype == np.uint8 else (colour >> 8).astype(np.uint8)
    bits = int(data.BitsStored)
    if bits == 8 and frame.dtype == np.uint8:
        grey = frame
    else:
        most = (1 << bits) - 1
        values = frame.astype(np.int64) + ((1 << bits - 1) if data.get("PixelRepresentation") else 0)
        grey = ((np.clip(values, 0, most) * 255 + most // 2) // most).astype(np.uint8)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _kind(data: Any) -> str:
    uid = data.get("SOPClassUID")
    return str(uid.name) if uid else "of unknown kind"

"""The choice of the decoder for compressed pictures of a DICOM file: the same one, whatever else is installed.

pydicom takes the first decoder that it finds, and lossy JPEG differs by a few grey levels between them. So the decoder
is chosen here, among packages under permissive licences (docs/licences.md has the measurement): Pillow for JPEG and
JPEG 2000 of 8 bits, pyjpegls for JPEG-LS. RLE has one result whichever decoder unpacks it, and other depths, which echo
machines do not write, are left to what is installed.

The module is a plugin of pydicom too. Pillow decodes lossless JPEG of 8 bits through libjpeg-turbo 3, which pydicom
does not yet know; `use_pillow_for_lossless_jpeg` tells it.
"""

from io import BytesIO
from typing import Any

from edgeecho.cine.jpeg import without_application_data

_JPEG = "1.2.840.10008.1.2.4."
_LOSSLESS_JPEG = (f"{_JPEG}57", f"{_JPEG}70")
"""JPEG process 14: with any predictor, and with the first."""
_BY_SYNTAX = {
    f"{_JPEG}50": "pillow",
    f"{_JPEG}51": "pillow",
    **dict.fromkeys(_LOSSLESS_JPEG, "edgeecho"),
    f"{_JPEG}80": "pyjpegls",
    f"{_JPEG}81": "pyjpegls",
    f"{_JPEG}90": "pillow",
    f"{_JPEG}91": "pillow",
}
"""pydicom's name of the decoder by transfer syntax."""
_EIGHT_BITS_ONLY = ("edgeecho", "pillow")
DECODER_DEPENDENCIES = dict.fromkeys(_LOSSLESS_JPEG, ("pillow>=11.0",))
"""Packages that pydicom, which reads this name, lists as missing where Pillow was built without libjpeg-turbo 3."""


def decoder_of(syntax: str, bits: int) -> str:
    """Return pydicom's name of the decoder for a transfer syntax; empty if pydicom shall take any that is installed.

    Args:
        syntax: UID of the transfer syntax.
        bits: Bits stored of a sample.
    """
    name = _BY_SYNTAX.get(syntax, "")
    return "" if name in _EIGHT_BITS_ONLY and bits > 8 else name


def use_pillow_for_lossless_jpeg(pydicom: Any) -> None:
    """Add this module to pydicom's decoders of lossless JPEG, unless it is there."""
    for syntax in _LOSSLESS_JPEG:
        decoder = pydicom.pixels.get_decoder(syntax)
        if "edgeecho" not in decoder.available_plugins and "edgeecho" not in decoder._unavailable:
            decoder.add_plugin("edgeecho", (__name__, "decode_lossless_jpeg"))


def is_available(uid: str) -> bool:
    """Whether Pillow decodes a transfer syntax; pydicom calls this of every plugin."""
    from PIL import features

    version = features.version("libjpeg_turbo") or "0"
    return uid in _LOSSLESS_JPEG and int(version.partition(".")[0]) >= 3


def decode_lossless_jpeg(data: bytes, runner: Any) -> bytes:
    """Decode a lossless JPEG of 8 bits into its stored samples, without any conversion of colours.

    Args:
        data: The JPEG.
        runner: Options of pydicom, of which those of the picture are read.

    Returns:
        Samples (H, W) or (H, W, 3) row by row.

    Raises:
        ValueError: If a sample has more than 8 bits, or the picture is not of the kind that the file states.
    """
    from PIL import Image

    # A JFIF or Adobe marker names a colour space, from which libjpeg would have to convert; lossless JPEG has no
    # conversion, so it would refuse. Without markers it returns the samples as they are.
    with Image.open(BytesIO(without_application_data(data)), formats=("JPEG",)) as picture:
        mode = {1: "L", 3: "RGB"}.get(runner.samples_per_pixel)
        if picture.mode != mode or picture.size != (runner.columns, runner.rows):
            raise ValueError(f"a JPEG of {picture.size} and mode {picture.mode} in a file of another size or colour")
        runner.set_option("planar_configuration", 0)
        runner.set_option("bits_allocated", 8)
        return picture.tobytes()

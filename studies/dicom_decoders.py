"""Which decoder for DICOM pictures: what does each unpack, how fast, and are the pixels the same?

    python -m studies.dicom_decoders

Needs python-gdcm, which packs the pictures (Pillow those of JPEG), and times whichever of pyjpegls, pylibjpeg-libjpeg,
pylibjpeg-openjpeg and pylibjpeg-rle is installed beside Pillow and pydicom. A drawn heart of 600x800 is packed in
each transfer syntax that echo machines write, in grey and in colour, and in those of deeper pictures. The figures are
in docs/licences.md.
"""

import io
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.cine.dicom_decoder import use_pillow_for_lossless_jpeg
from edgeecho.errors import require
from edgeecho.synthetic.phantom import draw_cine

SIZE = (600, 800)
RUNS = 7
SYNTAXES = {
    "JPEG baseline": ("", 8),
    "JPEG lossless": ("JPEGLosslessProcess14", 8),
    "JPEG lossless SV1": ("JPEGLosslessProcess14_1", 8),
    "JPEG lossless SV1, 16 bits": ("JPEGLosslessProcess14_1", 16),
    "JPEG-LS": ("JPEGLSLossless", 8),
    "JPEG-LS, 16 bits": ("JPEGLSLossless", 16),
    "JPEG 2000 lossless": ("JPEG2000Lossless", 8),
    "JPEG 2000 lossless, 16 bits": ("JPEG2000Lossless", 16),
    "RLE": ("RLELossless", 8),
}
"""gdcm's name of each transfer syntax, empty for what Pillow packs, and the bits of a sample."""
PLUGINS = ("pillow", "edgeecho", "pyjpegls", "pydicom", "gdcm", "pylibjpeg")


def picture(bits: int, *, colour: bool) -> np.ndarray:
    """Draw a frame, uint8 or uint16 of so many bits, (600, 800) or (600, 800, 3)."""
    frame = cv2.resize(draw_cine(5).frames[10], SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    if bits > 8:
        return np.asarray(frame.astype(np.uint16) << (bits - 8) | 5)
    if not colour:
        return np.asarray(frame)
    coloured = np.stack([frame, frame, frame], axis=-1)
    coloured[200:300, 300:420] = [[[200, 60, 20]]]  # colour Doppler
    return coloured


def write_native(path: Path, pixels: np.ndarray, bits: int) -> None:
    """Write an uncompressed DICOM file."""
    pydicom = require("pydicom", "dicom")
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    data.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 8 * pixels.itemsize, bits, bits - 1
    data.PixelRepresentation = 0
    data.PixelData = pixels.tobytes()
    data.save_as(path, enforce_file_format=True)


def pack(native: Path, packed: Path, syntax: str) -> None:
    """Pack a native file in a transfer syntax by gdcm."""
    gdcm = __import__("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(native))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(packed))
    if not reader.Read():
        raise SystemExit(f"{native}: gdcm cannot read it")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise SystemExit(f"gdcm cannot pack {syntax}")
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise SystemExit(f"{packed}: gdcm cannot write it")


def pack_jpeg(native: Path, packed: Path) -> None:
    """Pack a native file as baseline JPEG of quality 95, colour with half the chroma, as echo machines do."""
    pydicom = require("pydicom", "dicom")
    from PIL import Image

    data = pydicom.dcmread(native)
    stored = io.BytesIO()
    Image.fromarray(data.pixel_array).save(stored, "JPEG", quality=95, subsampling="4:2:2")
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    data.PixelData = pydicom.encaps.encapsulate([stored.getvalue()])
    data["PixelData"].is_undefined_length = True
    if data.SamplesPerPixel == 3:
        data.PhotometricInterpretation = "YBR_FULL_422"
    data.save_as(packed)


def decode(path: Path, plugin: str) -> tuple[np.ndarray, float] | str:
    """Decode with one plugin: pixels and the median milliseconds a frame, or why it does not."""
    pydicom: Any = require("pydicom", "dicom")
    times = []
    try:
        for _ in range(RUNS):
            start = time.perf_counter()
            pixels = pydicom.pixels.pixel_array(path, decoding_plugin=plugin)
            times.append(time.perf_counter() - start)
    except Exception as error:  # every kind: the table says which decoder fails
        return str(error).strip().splitlines()[-1][:60]
    return pixels, 1000 * float(np.median(times))


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    pydicom: Any = require("pydicom", "dicom")
    __import__("logging").getLogger("pydicom").setLevel(100)
    use_pillow_for_lossless_jpeg(pydicom)
    table = Table("transfer syntax", "picture", "decoder", "ms a frame", "pixels")
    with tempfile.TemporaryDirectory() as folder:
        native, packed = Path(folder) / "native.dcm", Path(folder) / "packed.dcm"
        for name, (syntax, bits) in SYNTAXES.items():
            for colour in (False, True) if bits == 8 else (False,):
                pixels = picture(bits, colour=colour)
                write_native(native, pixels, bits)
                if syntax:
                    pack(native, packed, syntax)
                else:
                    pack_jpeg(native, packed)
                decoder = pydicom.pixels.get_decoder(pydicom.dcmread(packed).file_meta.TransferSyntaxUID)
                for plugin in (plugin for plugin in PLUGINS if plugin in decoder.available_plugins):
                    found = decode(packed, plugin)
                    row = [name, "colour" if colour else "grey", plugin]
                    if isinstance(found, str):
                        table.add_row(*row, "", f"refused: {found}")
                        continue
                    off = np.abs(found[0].astype(int) - pixels)
                    same = "the same" if not off.max() else f"off by {off.max()}, mean {off.mean():.3f}"
                    table.add_row(*row, f"{found[1]:.1f}", same)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

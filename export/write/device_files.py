"""Device files beside the ONNX graphs of a bundle."""

from pathlib import Path

from edgeecho.files import atomic
from edgeecho.model.device_file import SUFFIX, pack
from edgeecho.model.sealed_file import read_verified


def write_device_files(folder: Path) -> None:
    """Write a device file for each ONNX graph of a folder."""
    for path in sorted(folder.glob("*.onnx")):
        checked = read_verified(path)
        with atomic(path.with_suffix(SUFFIX)) as temporary:
            temporary.write_bytes(pack(checked.data, checked.spec, checked.selftest))

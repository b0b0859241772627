"""Device file of a model's sealed graph: the same graph behind the header that C reads."""

from pathlib import Path

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.files import atomic
from edgeecho.model.device_file import PRECISIONS, name_of, pack
from edgeecho.model.registry import locate
from edgeecho.model.sealed_file import ONNX_VERSION, read_verified, seal
from edgeecho.model.spec import ModelSpec

FORMATS = {"onnx": ".onnx", "ort": ".ort"}
"""Formats of the graph in a device file, to the suffix of its file."""


def find_stream(model: str, precision: str | None = None) -> Path:
    """Find the stream graph of a model in ONNX or ORT format.

    Args:
        model: A packaged model's name, a folder that `edgeecho export` wrote, or a graph (`.onnx`, `.ort`).
        precision: `int8` or `fp32`; None means int8 for a name or folder, and whatever a file has.

    Raises:
        ConfigError: If the precision is unknown or not that of the file.
        ModelFileError: If there is no such graph, or it is no stream.
    """
    if precision is not None and precision not in PRECISIONS:
        raise ConfigError(f"a device file has no precision {precision!r}; known: {', '.join(sorted(PRECISIONS))}")
    path = locate(model, precision=precision, form="stream").path
    if path.suffix not in FORMATS.values():
        raise ModelFileError(f"{path.name}: no graph of which a device file is made; give an .onnx or .ort stream")
    spec = read_verified(path).spec
    if spec.form != "stream":
        raise ModelFileError(f"{path.name}: holds a {spec.form}, and the C library runs streams; give a stream graph")
    if precision not in (None, spec.precision):
        raise ConfigError(f"{path.name}: its precision is {spec.precision}, not {precision}")
    return path


def write_device_file(graph: Path, out: Path) -> ModelSpec:
    """Write the device file of a sealed graph; the same graph gives the same bytes.

    Args:
        graph: Sealed `.onnx` or `.ort` file.
        out: The device file.

    Returns:
        The graph's specification.

    Raises:
        ModelFileError: If the graph is damaged or no model.
        ConfigError: If a header cannot hold its specification.
        OutputError: If it cannot be written.
    """
    checked = read_verified(graph)
    packed = pack(with_old_container(checked.data), checked.spec, checked.selftest)
    with atomic(out) as temporary:
        temporary.write_bytes(packed)
    return checked.spec


def with_old_container(graph: bytes) -> bytes:
    """Lower the version of the ONNX container to `ONNX_VERSION` in a sealed file that an earlier export wrote.

    The version is the first field of the file: key 8, then the number.
    """
    is_newer = graph[0] == 8 and ONNX_VERSION < graph[1] < 128
    return seal(bytes([8, ONNX_VERSION]) + graph[2:]) if is_newer else graph


def write_device_files(folder: Path) -> list[Path]:
    """Write a device file for each ONNX and ORT graph of a folder, and return their paths."""
    graphs = sorted(path for path in folder.iterdir() if path.suffix in FORMATS.values())
    files = [folder / name_of(path) for path in graphs]
    for path, file in zip(graphs, files, strict=True):
        write_device_file(path, file)
    return files

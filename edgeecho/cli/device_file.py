"""`edgeecho device-file`: the file of a model that the C library opens."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import say
from edgeecho.errors import ConfigError, require
from edgeecho.model import native_file


def device_file(
    model: Annotated[
        str, typer.Argument(help="Packaged model's name, folder, or stream graph (.onnx, .ort).")
    ] = "default",
    precision: Annotated[str | None, typer.Option(help="int8 (the default of a name or folder) or fp32.")] = None,
    graph_format: Annotated[
        str | None,
        typer.Option("--format", help="onnx, ort for small ONNX Runtimes, or native for none; as it is if not given."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File or folder to write; the current folder if not given.")] = None,
) -> None:
    """Write the device file of a packaged or exported stream, for the C library."""
    from edgeecho.data.datasets.licences import terms_of
    from edgeecho.model.device_copy import FORMATS, find_stream, write_device_file
    from edgeecho.model.device_file import name_of

    formats = {**FORMATS, "native": native_file.SUFFIX}
    if graph_format not in (None, *formats):
        raise ConfigError(f"unknown format {graph_format!r} of a device file; known: {', '.join(formats)}")
    graph = find_stream(model, precision)
    suffix = formats[graph_format] if graph_format else graph.suffix
    if graph.suffix == ".ort" and suffix != ".ort":
        raise ConfigError(f"{graph.name}: an .ort graph does not become {graph_format}; give the .onnx stream")
    place = out or Path()
    path = place / name_of(graph.with_suffix(suffix)) if place.is_dir() else place
    if suffix == graph.suffix:
        spec = write_device_file(graph, path)
    elif suffix == native_file.SUFFIX:
        require("onnx", "export")
        from edgeecho.export.write.native_device_file import write_native_device_file

        spec = write_native_device_file(graph, path)
    else:
        require("onnx", "export")
        from edgeecho.export.write.ort_device_file import write_ort_device_file

        spec = write_ort_device_file(graph, path)
    typer.echo(f"{path}: {path.stat().st_size} bytes, {spec.name}, {spec.form}, {spec.precision}, from {graph.name}")
    say(f"Licence of the weights, {spec.licence}: {' '.join(terms_of(spec.licence)) or 'see the model card'}")

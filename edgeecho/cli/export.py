"""`edgeecho export` and `edgeecho verify`: proven files of a model, and their proof on another machine."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.cli.common import JsonFile, MaxMemory, say, write_json
from edgeecho.cli.console import show, table_console
from edgeecho.errors import ConfigError


def export(
    model: Annotated[str, typer.Argument(help="Packaged model's name, folder, checkpoint or fp32 ONNX.")] = "default",
    int8: Annotated[bool, typer.Option("--int8", help="Quantized files beside fp32 (the default).")] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help="OpenVINO files of 16 bits beside fp32.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="fp32 files alone.")] = False,
    formats: Annotated[
        str, typer.Option("--format", help="Of onnx, openvino and ort, for small ONNX Runtimes.")
    ] = "onnx,openvino",
    forms: Annotated[str, typer.Option("--form", help="clip (T frames a run), stream (one a run).")] = "clip,stream",
    target: Annotated[str, typer.Option(help="x86 or arm.")] = "x86",
    lower: Annotated[str, typer.Option(help="auto, none (native 3D convolutions) or 2d.")] = "auto",
    frames: Annotated[int | None, typer.Option(help="Fixed T of the clip graphs; free if not given.")] = None,
    calib: Annotated[str | None, typer.Option(help="KIND:DIR to calibrate on; else drawn hearts.")] = None,
    method: Annotated[str, typer.Option(help="Ranges for int8: minmax or percentile.")] = "minmax",
    weight_bits: Annotated[int, typer.Option(help="Of int8: 7, the same answer everywhere, or 8.")] = 7,
    reduce_range: Annotated[bool, typer.Option("--reduce-range", hidden=True, help="As --weight-bits 7.")] = False,
    gate: Annotated[
        str, typer.Option(help="enforce, or report: write files that the acceptance test refuses.")
    ] = "enforce",
    gate_seed: Annotated[int, typer.Option(help="Chooses the cines of the acceptance test.")] = 0,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", help="NAME=VALUE of the acceptance test; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("exported"),
    max_memory: MaxMemory = None,
) -> None:
    """Checkpoint to ONNX and OpenVINO, compared with PyTorch; refused if they differ."""
    if int8 + fp16 + fp32 > 1:
        raise ConfigError("--int8, --fp16 and --fp32 exclude each other: each writes fp32 files too")
    if reduce_range and weight_bits != 7:
        raise ConfigError(f"--reduce-range means --weight-bits 7, got --weight-bits {weight_bits} beside it")
    from edgeecho.errors import require

    require("onnx", "export")
    from edgeecho.export.bundle import export as run
    from edgeecho.export.check.figures import Limits
    from edgeecho.export.options import Options
    from edgeecho.export.write.table import render_bundle

    kinds, graphs = (tuple(part.strip() for part in text.split(",")) for text in (formats, forms))
    options = Options(
        precision="fp32" if fp32 else "fp16" if fp16 else "int8",
        formats=kinds,
        forms=graphs,
        target=target,
        lower=lower,
        frames=frames,
        calib=calib,
        method=method,
        weight_bits=weight_bits,
        gate=gate,
        gate_seed=gate_seed,
        limits=Limits.parse(limits or ()),
    )
    show(render_bundle(run(model, out, options, progress=say)), table_console())


def verify(
    model: Annotated[str, typer.Argument(help="Packaged model's name, or a folder of `edgeecho export`.")] = "default",
    calib: Annotated[str | None, typer.Option(help="KIND:DIR that int8 was calibrated on; else drawn hearts.")] = None,
    gate_seed: Annotated[int, typer.Option(help="Chooses the cines of the acceptance test.")] = 0,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", help="NAME=VALUE of the acceptance test; may be repeated.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Prove an exported bundle again on this machine, and repeat its acceptance test."""
    from edgeecho.errors import require

    require("onnx", "export")
    from edgeecho.export.check.figures import Limits
    from edgeecho.export.check.verification import verify_bundle
    from edgeecho.export.write.table import render_verification

    found = verify_bundle(model, calib, gate_seed, Limits.parse(limits or ()), say)
    show(render_verification(found), table_console())
    write_json(json_file, found.to_dict())
    for error in found.errors:
        say(f"error: {error}")
    if found.errors:
        raise typer.Exit(1)

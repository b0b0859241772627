"""Graphs in ONNX Runtime's own format, which its minimal builds read, and the list of operators to build them with.

The file is the ONNX graph after the optimizations of ONNX Runtime, except those that depend on the processor, such as
the blocked layout for AVX. Its results are those of the `.onnx` file.
"""

import logging
from pathlib import Path
from typing import Any

import flatbuffers
import onnx
import onnxruntime as ort
from onnxruntime.tools.ort_format_model import create_config_from_models

from edgeecho.errors import ExportError
from edgeecho.export.quiet import quiet
from edgeecho.export.write.sealed import NO_STAMP, Stamp, stamped
from edgeecho.files import atomic, scratch_folder
from edgeecho.model.sealed_file import seal
from edgeecho.model.spec import ModelSpec

OPERATORS = "required_operators.config"
PROCESSOR_OPTIMIZERS = ["NchwcTransformer"]
"""Names of optimizations whose result runs on some processors only."""
IDENTIFIER = b"ORTM"
ALIGNMENT_BYTES = 64
"""Alignment of the model in bytes, at least that of any tensor in a file."""


def write_ort(path: Path, model: onnx.ModelProto, spec: ModelSpec, stamp: Stamp = NO_STAMP) -> None:
    """Write a sealed `.ort` file; the same arguments give the same bytes."""
    with scratch_folder() as folder:
        converted = folder / "model.ort"
        options = ort.SessionOptions()
        options.optimized_model_filepath = str(converted)
        options.add_session_config_entry("session.save_model_format", "ORT")
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            data = stamped(model, spec, stamp)
            ort.InferenceSession(
                data, options, providers=["CPUExecutionProvider"], disabled_optimizers=PROCESSOR_OPTIMIZERS
            )
        except Exception as error:  # onnxruntime raises many kinds; most likely the disk is full
            raise ExportError(f"{path.name}: ONNX Runtime cannot write it: {str(error).splitlines()[0]}") from error
        data = seal(with_sorted_operators(converted.read_bytes()))
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def with_sorted_operators(data: bytes) -> bytes:
    """Sort the list of operators of a file, which ONNX Runtime writes in the random order of a hash table.

    The list stands before the model, and nothing in the model points to it. So root and list are written again, and the
    bytes of the model follow unchanged.
    """
    from ort_flatbuffers_py.fbs.InferenceSession import (
        InferenceSession,  # importable once onnxruntime.tools is imported
    )

    session = InferenceSession.GetRootAs(data)
    builder = flatbuffers.Builder(1024)
    version = builder.CreateString(session.OrtVersion())
    operators = _table(builder, _operators(builder, session.KernelTypeStrResolver()))
    root = _table(builder, version, _table(builder), None, operators)  # the second, empty one stands for the model
    builder.Finish(root, IDENTIFIER)
    head = builder.Output()
    table = session.Model()._tab
    begin = min(table.Pos, table.Pos - int.from_bytes(data[table.Pos : table.Pos + 4], "little", signed=True))
    head += bytes((begin - len(head)) % ALIGNMENT_BYTES)
    place = InferenceSession.GetRootAs(head)._tab
    at = place.Pos + place.Offset(6)
    head[at : at + 4] = (table.Pos - begin + len(head) - at).to_bytes(4, "little")
    return bytes(head + data[begin:])


def _operators(builder: flatbuffers.Builder, resolver: Any) -> int:
    """Write for each operator the names of its types, and for each name the arguments (kind, index) of this type."""
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for operator in _each(resolver.OpKernelTypeStrArgs, resolver.OpKernelTypeStrArgsLength()):
        types = _each(operator.KernelTypeStrArgs, operator.KernelTypeStrArgsLength())
        found[operator.OpId()] = {
            n.KernelTypeStr(): [(a.ArgType(), a.Index()) for a in _each(n.Args, n.ArgsLength())] for n in types
        }
    entries = []
    for operator, names in sorted(found.items()):
        rows = []
        for name, arguments in sorted(names.items()):
            row = _vector(builder, [_argument(builder, *argument) for argument in arguments])
            rows.append(_table(builder, builder.CreateString(name), row))
        entries.append(_table(builder, builder.CreateString(operator), _vector(builder, rows)))
    return _vector(builder, entries)


def _each(item: Any, count: int) -> list[Any]:
    return [item(i) for i in range(count)]


def _argument(builder: flatbuffers.Builder, kind: int, index: int) -> int:
    builder.StartObject(2)
    builder.PrependInt8Slot(0, kind, 0)
    builder.PrependUint32Slot(1, index, 0)
    return int(builder.EndObject())


def _table(builder: flatbuffers.Builder, *fields: int | None) -> int:
    """Write a table of references; None leaves a field out."""
    builder.StartObject(len(fields))
    for slot, field in enumerate(fields):
        if field is not None:
            builder.PrependUOffsetTRelativeSlot(slot, field, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, items: list[int]) -> int:
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    return int(builder.EndVector())


def write_operators(folder: Path) -> None:
    """Write `required_operators.config`: what all `.ort` files of a folder need, operators and their types.

    It goes to `--include_ops_by_config` of ONNX Runtime's build, and the types to
    `--enable_reduced_operator_type_support`.
    """
    files = sorted(folder.glob("*.ort"))
    with scratch_folder() as scratch, quiet("ort_format_model.utils", level=logging.WARNING):
        config = Path(scratch) / OPERATORS
        create_config_from_models(files, config, enable_type_reduction=True)
        lines = [line for line in config.read_text().splitlines() if not line.startswith("#")]
    named = f"# For {', '.join(path.name for path in files)}; made by onnxruntime {ort.__version__}"
    with atomic(folder / OPERATORS) as temporary:
        temporary.write_text("\n".join([named, *lines]) + "\n")

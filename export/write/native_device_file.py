"""Native device file, made of an int8 ONNX stream that exists: a plan of its steps, proven to give the same bytes."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx

from edgeecho.errors import ExportError
from edgeecho.export.check.proof import CheckResult, compare_levels, compare_selftest, require_all, run_stream
from edgeecho.export.check.proving_clips import moving_cine, noise_like
from edgeecho.export.graph.native_steps import native_steps
from edgeecho.export.write.native_plan import make_plan
from edgeecho.export.write.sealed import Stamp
from edgeecho.files import atomic
from edgeecho.model.device_file import pack
from edgeecho.model.registry import NATIVE_SUFFIX
from edgeecho.model.sealed_file import VerifiedFile, read_verified, seal
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.engines.native_engine import NativeEngine, usable_kernels
from edgeecho.runtime.frame_stream import FrameStream


def write_native_device_file(graph: Path, out: Path) -> ModelSpec:
    """Write the native device file of a stream graph once it is proven.

    It is proven on a drawn cine and noise, with every kind of kernel that this processor runs: `prob` must equal that
    of the ONNX graph in ONNX Runtime to the bit. Its self-test proves it again on the board.

    Args:
        graph: Sealed `.onnx` stream, int8.
        out: The device file.

    Returns:
        The specification in the file, whose state is that of the plan.

    Raises:
        ModelFileError: If the graph is damaged or no model.
        ExportError: If the native engine has no kernel for an operator, or the result differs from the ONNX graph.
        MissingExtraError: If the native engine, with which it is proven, is not built.
        OutputError: If it cannot be written.
    """
    made = make_native_device_file(graph)
    require_all(made.proof)
    with atomic(out) as temporary:
        temporary.write_bytes(made.data)
    return made.spec


class NativeDeviceFile(NamedTuple):
    """A native device file that is still to be written."""

    spec: ModelSpec
    data: bytes
    proof: list[CheckResult]


def make_native_device_file(graph: Path) -> NativeDeviceFile:
    """Make and prove a native device file; whether its proof holds is for the caller to require.

    Args:
        graph: Sealed `.onnx` stream, int8.

    Raises:
        ModelFileError: If the graph is damaged or no model.
        ExportError: If the native engine has no kernel for an operator.
        MissingExtraError: If the native engine is not built.
    """
    checked = read_verified(graph)
    if checked.spec.precision != "int8":
        raise ExportError(f"{graph.name}: its precision is {checked.spec.precision}, the native engine runs int8")
    data, spec = native_bytes(checked)
    packed = pack(data, spec, checked.selftest)
    cine = moving_cine(checked.spec.size_px)
    clips = [cine, noise_like(cine)]
    reference = run_stream(graph, clips)
    with tempfile.TemporaryDirectory() as folder:
        device_file = Path(folder) / f"stream.int8{NATIVE_SUFFIX}"
        device_file.write_bytes(packed)
        file = read_verified(device_file)
        proof = [_compare_kernels(file, name, clips, reference, graph.name) for name in usable_kernels()]
        proof += [compare_selftest(device_file)] if checked.selftest else []
    return NativeDeviceFile(spec, packed, proof)


def native_bytes(checked: VerifiedFile) -> tuple[bytes, ModelSpec]:
    """Return the sealed plan of a stream graph, and its specification.

    Args:
        checked: Contents of the `.onnx` stream.

    Raises:
        ExportError: If the native engine has no kernel for an operator.
    """
    plan = make_plan(native_steps(onnx.load_from_string(checked.data)))
    spec = replace(checked.spec, state=plan.state)
    texts = Stamp(checked.selftest, checked.refusal).metadata(spec)
    return seal(plan.data + json.dumps(texts, separators=(",", ":")).encode()), spec


def _compare_kernels(
    file: VerifiedFile, kernels: str, clips: list[np.ndarray], reference: list[np.ndarray], against: str
) -> CheckResult:
    stream = FrameStream(NativeEngine(file, "the plan", kernels), file.spec)
    found = [stream.whole(clip) for clip in clips]
    return compare_levels(f"the native engine with kernels {kernels}", against, found, reference, 0)

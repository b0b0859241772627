"""Device file in ONNX Runtime's own format, made of an ONNX graph that exists: the packaged graph keeps its results."""

from pathlib import Path

import onnx

from edgeecho.export.check.proof import allowed_levels, compare_levels, compare_selftest, require_all, run_stream
from edgeecho.export.check.proving_clips import moving_cine, noise_like
from edgeecho.export.write.ort_format import write_ort
from edgeecho.export.write.sealed import Stamp
from edgeecho.files import atomic, scratch_folder
from edgeecho.model.device_copy import write_device_file
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.spec import ModelSpec


def write_ort_device_file(graph: Path, out: Path) -> ModelSpec:
    """Convert a stream graph, and write the device file of the result once it is proven.

    It is proven on a drawn cine and noise, on which int8 must equal the ONNX graph to the bit, and by its self-test.

    Args:
        graph: Sealed `.onnx` stream.
        out: The device file.

    Returns:
        The graph's specification.

    Raises:
        ModelFileError: If the graph is damaged or no model.
        ExportError: If ONNX Runtime cannot convert it, or the result differs from the ONNX graph.
        OutputError: If it cannot be written.
    """
    checked = read_verified(graph)
    cine = moving_cine(checked.spec.size_px)
    clips = [cine, noise_like(cine)]
    with scratch_folder() as folder:
        converted, device_file = folder / f"{graph.stem}.ort", folder / out.name
        write_ort(
            converted, onnx.load_from_string(checked.data), checked.spec, Stamp(checked.selftest, checked.refusal)
        )
        write_device_file(converted, device_file)
        limit = allowed_levels(checked.spec.precision)
        found, wanted = run_stream(device_file, clips), run_stream(graph, clips)
        proof = [compare_levels(device_file.name, graph.name, found, wanted, limit)]
        require_all([*proof, *([compare_selftest(device_file)] if checked.selftest else [])])
        with atomic(out) as temporary:
            temporary.write_bytes(device_file.read_bytes())
    return checked.spec

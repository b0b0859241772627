"""Verification of an existing bundle, on this machine and with its engines: `edgeecho verify`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edgeecho.errors import ModelFileError
from edgeecho.export.check.acceptance import assess, make_reference
from edgeecho.export.check.acceptance_cines import acceptance_cines
from edgeecho.export.check.figures import Figure, Limits
from edgeecho.export.check.proof import (
    CheckResult,
    allowed_levels,
    compare_levels,
    compare_selftest,
    compare_windows,
    open_file,
    run_file,
)
from edgeecho.export.check.proving_clips import REAL_CLIPS, moving_cine, noise_clips, noise_like
from edgeecho.export.int8.calibrate import gather
from edgeecho.export.int8.parameters import bits_of, check_parameters, check_sums
from edgeecho.export.int8.search import refusals_of
from edgeecho.export.write.clip_files import SUFFIX, WINDOWED_FORMATS
from edgeecho.export.write.index import plain_rows
from edgeecho.export.write.stream_files import compare_stream
from edgeecho.model.integrity import verify_model
from edgeecho.model.registry import model_folder
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.spec import ModelSpec

REFERENCE = "clip.fp32.onnx"


@dataclass(frozen=True)
class Verification:
    """Result of a verification."""

    folder: Path
    spec: ModelSpec
    proof: list[CheckResult] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    """Figures of the acceptance test."""
    cines: int = 0
    """Number of cines of the acceptance test."""
    broken: list[str] = field(default_factory=list)
    """Files whose checksum does not hold, with the reason."""

    @property
    def errors(self) -> list[str]:
        """Everything that does not hold, one sentence each."""
        failed = [
            f"{v.file} differs from {v.against}: {v.figure} {v.value:.5g}, limit {v.limit:g}"
            for v in self.proof
            if not v.holds
        ]
        refused = (f"the acceptance test refuses: {text}" for text in refusals_of(self.figures))
        return [*self.broken, *failed, *refused]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        rows = {"proof": plain_rows(self.proof), "acceptance": plain_rows(self.figures)}
        return {"name": self.spec.name, "holds": not self.errors, "errors": self.errors, "cines": self.cines, **rows}


def verify_bundle(
    model: str,
    calib: str | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Verification:
    """Prove the graphs of a bundle against its fp32 clip graph, and run the acceptance test on the quantized ones.

    Args:
        model: A packaged model's name, or a folder that `edgeecho export` wrote.
        calib: `KIND:DIR` whose held-out patients join the acceptance cines; the data that int8 was calibrated on.
        seed: Seed that chooses the acceptance cines.
        limits: Limits of the acceptance test.
        progress: Function that is called with what is being done.

    Raises:
        ModelFileError: If the model is no bundle with an fp32 clip graph.
        DataError: If there is no usable frame in the data.
    """
    folder = model_folder(model)
    if folder is None or not (folder / REFERENCE).is_file():
        raise ModelFileError(
            f"{model}: verification needs a bundle with {REFERENCE}; give a packaged model or an exported folder"
        )
    source = read_verified(folder / REFERENCE)
    broken = verify_model(str(folder)).errors
    graphs = [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIX.values()]
    sound = [path for path in graphs if not any(text.startswith(f"{path.name}:") for text in broken)]
    others = [path for path in sound if _network(read_verified(path).spec) != _network(source.spec)]
    broken += [f"{path.name}: of another network than {REFERENCE}; export the model again" for path in others]
    sound = [path for path in sound if path not in others]
    result = Verification(folder, source.spec, broken=broken)
    frames = gather(calib, source.spec.size_px)
    noise = noise_clips(source.spec.size_px)
    proving = [*frames.held_out, *noise]
    reference = run_file(folder / REFERENCE, proving)
    clips = [path for path in sound if path.name.startswith("clip.")]
    for path in clips:
        progress(f"proving {path.name}")
        result.proof.extend(_prove_clip(path, folder, proving, reference))
    cine = moving_cine(source.spec.size_px)
    for path in (path for path in sound if path.name.startswith("stream.")):
        progress(f"proving {path.name}")
        beside = next((clip for clip in clips if clip.name == path.name.replace("stream.", "clip.", 1)), None)
        result.proof.extend(_prove_stream(path, beside, [cine, *frames.held_out[:REAL_CLIPS]], noise))
    quantized = [path for path in clips if read_verified(path).spec.precision != "fp32"]
    if not quantized:
        return result
    cines = acceptance_cines(calib, frames.held_out_groups, source.spec.size_px, seed)
    progress(f"fp32 answers {len(cines)} cines, plain and under noise")
    fp32 = make_reference(open_file(folder / REFERENCE).probabilities, cines, source.spec.threshold)
    for path in quantized:
        progress(f"testing {path.name}")
        result.figures.extend(assess(path.name, open_file(path).probabilities, fp32, limits or Limits()))
    return Verification(folder, result.spec, result.proof, result.figures, len(cines), broken)


def _network(spec: ModelSpec) -> ModelSpec:
    """Return the part of a specification that all graphs of one network share."""
    return replace(spec, form="checkpoint", frames=None, precision="fp32", lowering="2d", state=())


def _prove_clip(path: Path, folder: Path, proving: list[np.ndarray], reference: list[np.ndarray]) -> list[CheckResult]:
    """Run the checks of a clip file that its precision and its format allow."""
    checked = read_verified(path)
    precision = checked.spec.precision
    proof = [compare_selftest(path)] if checked.selftest else []
    if precision == "fp32" and path.name != REFERENCE:
        proof.append(compare_levels(path.name, REFERENCE, run_file(path, proving), reference))
    if precision == "int8" and path.suffix == ".onnx" and checked.spec.lowering == "2d":
        int8, fp32 = onnx.load_from_string(checked.data), onnx.load_from_string(read_verified(folder / REFERENCE).data)
        proof += [check_parameters(int8, fp32, bits_of(int8), None), check_sums(int8)]
    if path.suffix in (SUFFIX[kind] for kind in WINDOWED_FORMATS):
        cine = moving_cine(checked.spec.size_px)
        proof.append(compare_windows(path, [cine, noise_like(cine)], allowed_levels(precision)))
    return proof


def _prove_stream(
    path: Path, beside: Path | None, real: list[np.ndarray], noise: list[np.ndarray]
) -> list[CheckResult]:
    """Run the self-test of a stream file, and compare it with the sound clip file beside it, if there is one."""
    checked = read_verified(path)
    proof = [compare_selftest(path)] if checked.selftest else []
    if beside is None:
        return proof
    return [*proof, compare_stream(path, beside, checked.spec, real, noise)]

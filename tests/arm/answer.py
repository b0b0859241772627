"""What model files answer on this processor, written as arrays: run on the board and on the machine beside it.

Usage: answer.py CINES OUT FILE...
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import edgeecho
from edgeecho.cine import Cine

FP32_CINES = ("phantom",)
"""Emulated, fp32 takes several times as long as int8."""


def answer(file: Path, cines: dict[str, Cine]) -> dict[str, Any]:
    """Of each cine prob uint8 (T, S, S), mask uint8 {0, 1} (T, H, W) and EF in percent, NaN without one.

    And `kernels`, which ones run OpenVINO's convolutions.
    """
    predictor = (edgeecho.stream if file.name.startswith("stream") else edgeecho.load)(file, threads=1)
    run, kept = predictor.probabilities, []

    def run_and_keep(frames: np.ndarray, progress: Any = None) -> np.ndarray:
        kept.append(run(frames))
        return kept[-1]

    predictor.probabilities = run_and_keep
    answers: dict[str, Any] = {}
    for name in FP32_CINES if ".fp32." in file.name else cines:
        cine = cines[name]
        result = predictor.segment(cine)
        ef = np.nan if result.ef_percent is None else result.ef_percent
        answers |= {f"{name}.prob": kept[-1], f"{name}.mask": result.mask, f"{name}.ef": ef}
    return answers | {"kernels": _kernels(predictor._engine)}


def _kernels(engine: Any) -> str:
    if engine.runtime != "openvino":
        return ""
    infos = [op.get_rt_info() for op in engine._compiled.get_runtime_model().get_ops()]
    names = [i["primitiveType"].astype(str) for i in infos if i["layerType"].astype(str) == "Convolution"]
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())


def _cine(frames: np.ndarray, fps: np.ndarray, spacing_mm: np.ndarray) -> Cine:
    """NaN stands for unknown."""
    known = None if np.isnan(spacing_mm).any() else (float(spacing_mm[0]), float(spacing_mm[1]))
    return Cine(frames, None if np.isnan(fps) else float(fps), known)


def main() -> None:
    source, out, *files = map(Path, sys.argv[1:])
    with np.load(source) as data:
        names = sorted({key.partition(".")[0] for key in data.files})
        cines = {name: _cine(*(data[f"{name}.{key}"] for key in ("frames", "fps", "spacing_mm"))) for name in names}
    for file in files:
        try:
            answers = answer(file, cines)
        except edgeecho.EdgeEchoError as error:
            answers = {"error": str(error)}
        np.savez(out / f"{file.name}.npz", **answers)


if __name__ == "__main__":
    main()

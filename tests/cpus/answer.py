"""Run model files on this processor and write their answers as arrays; started once on each processor.

Usage: answer.py CINES TASKS, where TASKS is a JSON list of objects: `file`, `cines` (names) and `out` (the .npz file).
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from cines import read_cines

import edgeecho
from edgeecho.cine import Cine
from edgeecho.measure import BeatMeasurement


def answer(file: Path, cines: dict[str, Cine]) -> dict[str, Any]:
    """Run a file on cines.

    Returns:
        For each cine `NAME.prob` uint8 (T, S, S), `NAME.mask` uint8 {0, 1} (T, H, W), `NAME.area_px` float32 (T,),
        `NAME.ed_frames` and `NAME.es_frames` int64, `NAME.beats` float64 (N, 7), numbers of a `BeatMeasurement`, and
        `NAME.ef` in percent; NaN stands for None. And `kernels`, those of OpenVINO's convolutions.
    """
    predictor = (edgeecho.stream if file.name.startswith("stream") else edgeecho.load)(file, threads=1)
    run, kept = predictor.probabilities, []

    def run_and_keep(frames: np.ndarray, progress: Any = None) -> np.ndarray:
        kept.append(run(frames))
        return kept[-1]

    predictor.probabilities = run_and_keep
    answers: dict[str, Any] = {}
    for name, cine in cines.items():
        result = predictor.segment(cine)
        found = {
            "prob": kept[-1],
            "mask": result.mask,
            "area_px": result.area_px,
            "ed_frames": np.array(result.ed_frames, np.int64),
            "es_frames": np.array(result.es_frames, np.int64),
            "beats": np.array([numbers(beat) for beat in result.beats], np.float64),
            "ef": np.float64(_number(result.ef_percent)),
        }
        answers |= {f"{name}.{key}": value for key, value in found.items()}
    return answers | {"kernels": _kernels(predictor.engine)}


def numbers(beat: BeatMeasurement) -> list[float]:
    """Return the fields of a beat without its findings; NaN stands for None."""
    return [_number(value) for name, value in vars(beat).items() if name != "findings"]


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _kernels(engine: Any) -> str:
    if engine.runtime != "openvino":
        return ""
    infos = [op.get_rt_info() for op in engine.executed_operations()]
    names = [i["primitiveType"].astype(str) for i in infos if i["layerType"].astype(str) == "Convolution"]
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())


def main() -> None:
    cines = read_cines(Path(sys.argv[1]))
    for task in json.loads(Path(sys.argv[2]).read_text()):
        try:
            answers = answer(Path(task["file"]), {name: cines[name] for name in task["cines"]})
        except edgeecho.EdgeEchoError as error:
            answers = {"error": str(error)}
        np.savez(task["out"], **answers)


if __name__ == "__main__":
    main()

"""Where the time of a network goes, layer by layer, and how near each layer comes to what the engine can do.

    python -m edgeecho.benchmarks.profile MODEL [--runtime ort] [--precision int8] [--form clip] [--threads 1]
                                          [--runs 20] [--estimate rpi4,rpi5]

MODEL is a packaged model, a folder that `edgeecho export` wrote, or a model file. `--estimate` says what the roofline
model expects of named boards: estimates, not measurements (docs/profile.md).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.benchmarks.ceiling import FILE_PRECISION, ceiling_gmac_per_s
from edgeecho.benchmarks.kernels import Feed, Inputs, run_kernels
from edgeecho.benchmarks.matching import assign, onnx_multipliers, openvino_multipliers
from edgeecho.errors import ConfigError, EdgeEchoError, ModelFileError, ShapeError
from edgeecho.spec import ModelSpec

RUNS = 20


def profile_model(
    data: bytes,
    weights: bytes,
    runtime: str,
    precision: str,
    frames: np.ndarray,
    threads: int,
    runs: int = RUNS,
    spec: ModelSpec | None = None,
    inputs: Inputs | None = None,
) -> dict[str, Any]:
    """Profile a network in this process, with the options that it is timed with.

    Args:
        data: The model file's bytes.
        weights: Of OpenVINO's .bin; empty elsewhere.
        runtime: `ort` or `openvino`.
        precision: That the file states: `int8`, `fp32` or `fp16`; `bf16` is asked for as `fp16` is.
        frames: uint8 (T, 1, S, S): a clip graph's input; a stream takes one after the other.
        threads: Of the engine.
        runs: Profiled runs, after a warm-up; 3 or more of a network that is slow.
        spec: Of the file; only a stream needs it, for its state.
        inputs: What a graph that is not ours is given in each run, by name; `frames` does not count then.

    Returns:
        As `Row.profile` says. Milliseconds are medians over the runs, `macs` of one run. `of_ceiling` of a layer is its
        rate over that of the ceiling in the precision it ran in, of the whole the time at the ceiling over `total_ms`.
        Further: `ceilings` by precision, `run_ms` (the whole run, profiler on), `macs` and `runs`.

    Raises:
        ConfigError: If the runtime has no profile.
        ShapeError: If `frames` is no clip.
        ModelFileError: If the engine refuses the model.
        ExportError: If its layers cannot be told.
        MissingExtraError: If onnx or OpenVINO is not installed.
    """
    if runtime not in ("ort", "openvino"):
        raise ConfigError(f"no profile of {runtime!r}; known: ort, openvino")
    if runs < 1 or threads < 1:
        raise ConfigError(f"runs and threads must be at least 1, got {runs} and {threads}")
    if frames.ndim != 4 or frames.dtype != np.uint8:
        raise ShapeError(f"expected frames uint8 (T, 1, S, S), got {frames.dtype} {frames.shape}")
    feed = _stream(frames, spec) if spec is not None and spec.form == "stream" else _again(inputs or {"frames": frames})
    ran = run_kernels(data, weights, runtime, FILE_PRECISION.get(precision, precision), feed, threads, runs)
    shapes = {name: value.shape for name, value in feed({}).items()}
    if runtime == "openvino":
        multipliers = openvino_multipliers(data, weights, shapes)
    else:
        multipliers = onnx_multipliers(data, shapes)
    held = assign(multipliers, ran.kernels)
    precisions = {k.precision for k, inside in zip(ran.kernels, held, strict=True) if inside and k.precision}
    ceilings = {name: ceiling_gmac_per_s(runtime, name, threads) for name in sorted(precisions)}
    layers = []
    for kernel, inside in zip(ran.kernels, held, strict=True):
        macs = sum(multiplier.macs for multiplier in inside)
        rate = macs / kernel.ms / 1e6 if macs and kernel.ms else None
        ceiling = ceilings.get(kernel.precision or "")
        name = " + ".join(multiplier.name for multiplier in inside)
        layers.append(
            {
                "name": name or next(filter(None, kernel.originals), kernel.name),
                "op": kernel.op,
                "precision": kernel.precision,
                "macs": macs,
                "ms": round(kernel.ms, 4),
                "gmac_per_s": rate and round(rate, 2),
                "of_ceiling": round(rate / ceiling, 4) if rate and ceiling else None,
            }
        )
    return _summary(layers, ceilings) | {"run_ms": round(ran.run_ms, 4), "runs": ran.runs}


def _summary(layers: list[dict[str, Any]], ceilings: dict[str, float]) -> dict[str, Any]:
    total_ms = sum(layer["ms"] for layer in layers)
    at_ceiling_ms = sum(
        layer["macs"] / ceilings[layer["precision"]] / 1e6 for layer in layers if layer["precision"] in ceilings
    )
    macs = {name: sum(layer["macs"] for layer in layers if layer["precision"] == name) for name in ceilings}
    most = max(macs, key=lambda name: macs[name], default=None)
    return {
        "layers": layers,
        "ceiling_gmac_per_s": round(ceilings[most], 2) if most else None,
        "total_ms": round(total_ms, 4),
        "conv_ms": round(sum(layer["ms"] for layer in layers if layer["macs"]), 4),
        "of_ceiling": round(at_ceiling_ms / total_ms, 4) if total_ms and ceilings else None,
        "ceilings": {name: round(rate, 2) for name, rate in ceilings.items()},
        "macs": sum(layer["macs"] for layer in layers),
    }


def _again(inputs: Inputs) -> Feed:
    return lambda last: inputs


def _stream(frames: np.ndarray, spec: ModelSpec) -> Feed:
    """Frame by frame, round and round, with the state that the last run returned."""
    begun = {t.name: np.full(t.shape, t.zero_point, t.dtype) for t in spec.state}
    count = 0

    def feed(last: Inputs) -> Inputs:
        nonlocal count
        frame = np.ascontiguousarray(frames[count % len(frames)])[None]
        count += 1
        return {"frame": frame, **({name: last[f"next_{name}"] for name in begun} if last else begun)}

    return feed


def main() -> None:
    """Command line."""
    from edgeecho.benchmarks.boards import find_boards
    from edgeecho.benchmarks.contest import speckle_clip
    from edgeecho.benchmarks.estimate import calibrate, estimate
    from edgeecho.benchmarks.layers import graph_layers
    from edgeecho.benchmarks.profile_table import print_estimates, print_profile
    from edgeecho.catalog import locate
    from edgeecho.modelfile import check
    from edgeecho.report.terminal import table_console

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="Packaged model's name, folder or file.")
    parser.add_argument("--runtime", choices=("ort", "openvino"))
    parser.add_argument("--precision", choices=("int8", "fp32"))
    parser.add_argument("--form", choices=("clip", "stream"), default="clip")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--estimate", default="", help="Boards, with commas between.")
    asked = parser.parse_args()
    try:
        boards = find_boards([name for name in asked.estimate.split(",") if name])
        located = locate(asked.model, asked.runtime, asked.precision, asked.form)
        if boards and located.runtime != "ort":
            raise ConfigError("boards are estimated from ONNX graphs as ONNX Runtime runs them; take --runtime ort")
        data, spec, weights = check(located.path)
        if spec.form != asked.form:
            raise ModelFileError(f"{located.path.name}: holds a {spec.form}; take --form {spec.form}")
        clip = speckle_clip(spec.frames or 32, spec.size_px)
        found = profile_model(data, weights, located.runtime, spec.precision, clip, asked.threads, asked.runs, spec)
        answered = 1 if spec.form == "stream" else len(clip)
        console = table_console()
        title = f"{Path(located.path).stem} of {spec.name}, {located.runtime}, {asked.threads} thread(s)"
        print_profile(found, title, answered, console)
        if boards:
            layers = graph_layers(data, len(clip))
            calibration = calibrate(layers, found["run_ms"], answered, asked.threads, found["ceilings"])
            print_estimates([estimate(layers, b, asked.threads, calibration) for b in boards], calibration, console)
    except EdgeEchoError as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()

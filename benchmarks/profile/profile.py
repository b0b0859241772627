"""Time of a network layer by layer, and the share of the engine's peak throughput that each layer reaches."""

from typing import Any

from edgeecho.benchmarks.profile.kernels import Inputs, run_kernels
from edgeecho.benchmarks.profile.matching import assign, onnx_multipliers, openvino_multipliers
from edgeecho.benchmarks.profile.peak_throughput import FILE_PRECISION, measure_peak_gmac_per_s
from edgeecho.errors import ConfigError

TIMED_RUNS = 20


def profile_model(
    data: bytes,
    weights: bytes,
    runtime: str,
    precision: str,
    inputs: Inputs,
    threads: int,
    runs: int = TIMED_RUNS,
) -> dict[str, Any]:
    """Profile a network in this process, with the options that it is timed with.

    Args:
        data: The model file's bytes.
        weights: Bytes of OpenVINO's .bin; empty for other formats.
        runtime: `ort` or `openvino`.
        precision: Precision that the file states: `int8`, `fp32` or `fp16`; `bf16` is compiled as `fp16`.
        inputs: Inputs of a run, by name. An output `next_` + name, a stream's state, is the input of the next run.
        threads: Threads of the engine.
        runs: Profiled runs, after a warm-up; 3 or more of a network that is slow.

    Returns:
        `Row.profile`. Milliseconds are medians over the runs, `macs` of one run. `of_ceiling` of a layer is its
        rate over that of the ceiling in the precision it ran in, of the whole the time at the ceiling over `total_ms`.
        Further: `ceilings` by precision, `run_ms` (the whole run, profiler on), `macs` and `runs`.

    Raises:
        ConfigError: If the runtime has no profile.
        ModelFileError: If the engine refuses the model.
        ExportError: If its layers cannot be identified.
        MissingExtraError: If onnx or OpenVINO is not installed.
    """
    if runtime not in ("ort", "openvino"):
        raise ConfigError(f"no profile of {runtime!r}; known: ort, openvino")
    if runs < 1 or threads < 1:
        raise ConfigError(f"runs and threads must be at least 1, got {runs} and {threads}")

    def feed(last: Inputs) -> Inputs:
        return {name: last.get(f"next_{name}", value) for name, value in inputs.items()}

    ran = run_kernels(data, weights, runtime, FILE_PRECISION.get(precision, precision), feed, threads, runs)
    shapes = {name: value.shape for name, value in inputs.items()}
    if runtime == "openvino":
        multipliers = openvino_multipliers(data, weights, shapes)
    else:
        multipliers = onnx_multipliers(data, shapes)
    held = assign(multipliers, ran.kernels)
    precisions = {k.precision for k, inside in zip(ran.kernels, held, strict=True) if inside and k.precision}
    peaks = {name: measure_peak_gmac_per_s(runtime, name, threads) for name in sorted(precisions)}
    layers = []
    for kernel, inside in zip(ran.kernels, held, strict=True):
        macs = sum(multiplier.macs for multiplier in inside)
        rate = macs / kernel.ms / 1e6 if macs and kernel.ms else None
        peak = peaks.get(kernel.precision or "")
        name = " + ".join(multiplier.name for multiplier in inside)
        layers.append(
            {
                "name": name or next(filter(None, kernel.originals), kernel.name),
                "op": kernel.op,
                "precision": kernel.precision,
                "macs": macs,
                "ms": round(kernel.ms, 4),
                "gmac_per_s": rate and round(rate, 2),
                "of_ceiling": round(rate / peak, 4) if rate and peak else None,
            }
        )
    return _summary(layers, peaks) | {"run_ms": round(ran.run_ms, 4), "runs": ran.runs}


def _summary(layers: list[dict[str, Any]], peaks: dict[str, float]) -> dict[str, Any]:
    total_ms = sum(layer["ms"] for layer in layers)
    at_peak_ms = sum(layer["macs"] / peaks[layer["precision"]] / 1e6 for layer in layers if layer["precision"] in peaks)
    macs = {name: sum(layer["macs"] for layer in layers if layer["precision"] == name) for name in peaks}
    most = max(macs, key=lambda name: macs[name], default=None)
    return {
        "layers": layers,
        "ceiling_gmac_per_s": round(peaks[most], 2) if most else None,
        "total_ms": round(total_ms, 4),
        "conv_ms": round(sum(layer["ms"] for layer in layers if layer["macs"]), 4),
        "of_ceiling": round(at_peak_ms / total_ms, 4) if total_ms and peaks else None,
        "ceilings": {name: round(rate, 2) for name, rate in peaks.items()},
        "macs": sum(layer["macs"] for layer in layers),
    }

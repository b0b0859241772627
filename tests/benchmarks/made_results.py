"""Synthetic benchmark result with every field of the schema; no figure in it was measured."""

import hashlib
import random
from typing import Any

from edgeecho.benchmarks.run.result import BenchResult, Row

NETWORKS: dict[str, dict[str, Any]] = {
    "cl_unet_edge": {"params": 967516, "macs": 178_338_048, "ms": 3.6, "dice": 0.948, "weights": "trained"},
    "cl_unet_nano": {"params": 245764, "macs": 52_067_008, "ms": 1.3, "dice": 0.938, "weights": "trained"},
    "cl_unet": {"params": 2_711_004, "macs": 610_000_000, "ms": 14.0, "dice": 0.951, "weights": "trained"},
    "unet2d": {"params": 7_760_000, "macs": 3_100_000_000, "ms": 40.0, "dice": 0.944, "weights": "trained"},
    "unet3d": {"params": 19_068_097, "macs": 11_686_191_104, "ms": 213.0, "dice": None, "weights": "random"},
}
GAIN = {("ort", "fp32"): 1.0, ("openvino", "fp32"): 0.7, ("ort", "int8"): 0.3, ("openvino", "int8"): 0.15}
FAILURE = "clip.int8.onnx: checksum does not hold; <b>export</b> it again"


def made_result(seed: int = 0, slower: float = 1.0, noise: float = 0.02, runs: int = 120) -> BenchResult:
    """Make about 25 rows: clips of all networks, streams of three, two that failed.

    Args:
        seed: Seed of the noise in the times.
        slower: Factor of every time, above 1 for a slower machine.
        noise: Standard deviation of a run's time, as a part of the time.
        runs: Number of timed runs of a row that is not slow.
    """
    rng = random.Random(seed)
    rows = []
    for name, about in NETWORKS.items():
        for (runtime, precision), gain in GAIN.items():
            for form in ("clip", "stream"):
                if form == "clip" or (about["dice"] and name != "unet2d"):
                    rows.append(_row(rng, name, about, runtime, precision, form, gain * slower, noise, runs))
    rows[0].profile = _profile(rng)
    rows[2].estimates = [_estimate("Raspberry Pi 5", 2.1), _estimate("Jetson Orin Nano, CPU", 2.9)]
    rows.append(Row(model="cl_unet_edge", runtime="ort", precision_asked="fp16", form="clip", threads=1, error=FAILURE))
    rows.append(Row(model="<b>x</b>&y", runtime="openvino", precision_asked=None, threads=1, error="not | a model"))
    result = BenchResult(machine=_machine(), protocol=_protocol(), rows=rows)
    result.compare()
    return result


def _row(
    rng: random.Random,
    name: str,
    about: dict[str, Any],
    runtime: str,
    precision: str,
    form: str,
    gain: float,
    noise: float,
    runs: int,
) -> Row:
    frames = 32 if form == "clip" else 1
    centre = about["ms"] * gain * frames * (1.3 if form == "stream" else 1)
    n = runs if centre < 500 else 3
    lost = 0.002 if precision == "int8" else 0.0
    convolutions = {"int8": 15, "fp32": 3} if (name, runtime, precision) == ("unet3d", "ort", "int8") else None
    row = Row(
        model=name,
        runtime=runtime,
        precision_asked=precision,
        precision_run="int8 15/18" if convolutions else precision,
        form=form,
        threads=1,
        params=about["params"],
        macs_per_frame=about["macs"],
        file_bytes=about["params"] * (1 if precision == "int8" else 4),
        load_ms=25.5,
        first_ms=round(2 * centre, 3),
        weights=about["weights"],
        frames_per_run=frames,
        start_rss_mb=21.0,
        loaded_rss_mb=60.0,
        peak_rss_mb=round(80 + about["params"] / 1e5, 1),
        cores_used=0.999,
        convolutions_run=convolutions or {precision: 19},
        runtime_version="1.32.0",
        sha256=hashlib.sha256(f"{name} {runtime} {precision} {form}".encode()).hexdigest(),
        times_ms=[round(centre * max(0.5, rng.gauss(1, noise) + (rng.random() < 0.03) * 0.4), 4) for _ in range(n)],
    )
    row.summarise()
    if about["dice"]:
        row.accuracy = {
            **{"data": "camus", "split": "val", "n": 100, "ef_n": 98, "ef_mae": 5.1 + lost * 50},
            **{"dice_ed": about["dice"] - lost, "dice_es": about["dice"] - 0.024 - lost},
        }
    if form == "stream" or name == "unet3d":
        used = row.ms_per_live_frame / 20
        row.live = {
            **{"fps": 50, "frames": 300, "keeps_up": used < 0.9, "used_p50": used, "used_p90": used * 1.15},
            **{"used_p99": used * 1.6, "late_max_ms": max(0.0, used * 32 - 20), "missed": 300 if used > 1 else 0},
            **{"waiting_at_end": 0, "first_ms": used * 40},
        }
    if form == "clip":
        total = {"decode": 21.0, "region": 4.0, "resize": 9.0, "network": centre, "mask": 16.0, "measure": 1.6}
        row.end_to_end = {
            **{
                "input": "AVI (Motion JPEG), 640 x 480",
                "frames": 30,
                "n": 5,
                **{f"{k}_ms": v for k, v in total.items()},
            },
            "total_ms": sum(total.values()) * 1.02,
        }
    return row


def _profile(rng: random.Random) -> dict[str, Any]:
    layers = []
    for i in range(18):
        macs, rate = (40 + 20 * (i % 5)) * 1e6, rng.uniform(15, 105)
        op = "Conv" if i % 3 else "ConvTranspose"
        layers.append(
            {
                **{"name": f"encoder.{i // 4}.block.{i % 4}/{op}", "op": op, "precision": "fp32", "macs": macs},
                **{"ms": macs / rate / 1e6, "gmac_per_s": rate, "of_ceiling": rate / 114},
            }
        )
    rest = {"name": "resize", "op": "Resize", "precision": None, "macs": 0, "ms": 4.2}
    layers.append(rest | {"gmac_per_s": None, "of_ceiling": None})
    ms = sum(layer["ms"] for layer in layers)
    return {
        **{"layers": layers, "ceiling_gmac_per_s": 114.0, "total_ms": ms, "conv_ms": ms - 4.2},
        **{"of_ceiling": 0.52, "ceilings": {"fp32": 114.0}, "macs": sum(layer["macs"] for layer in layers)},
        **{"run_ms": ms * 1.1, "runs": 20},
    }


def _estimate(board: str, ms: float) -> dict[str, Any]:
    return {
        **{"board": board, "ms_per_frame": ms, "low_ms": ms * 0.6, "high_ms": ms * 1.8},
        **{"bound_by": {"compute": 0.8, "memory": 0.2}, "calibration": "this machine's own ceilings"},
        "sources": ["data sheet"],
    }


def _machine() -> dict[str, Any]:
    return {
        **{"cpu": "Made-up CPU", "architecture": "x86_64", "cores": 2, "usable_cores": 2, "flags": ["avx2", "fma"]},
        **{"memory_mb": 24105, "governor": None, "os": "Linux 6.1", "python": "3.11.7", "load_average_at_start": 0.1},
        "versions": {"edgeecho": "0.1.0", "onnxruntime": "1.32.0", "openvino": "2026.4.1", "torch": None},
    }


def _protocol() -> dict[str, Any]:
    return {
        **{"started": "2026-11-25T19:53:46+00:00", "timed": "the network alone: uint8 frames in, uint8 prob out"},
        **{"clip": [32, 1, 112, 112], "frames": "speckle with a beating cavity, seed 0", "threads": 1},
        **{"isolation": "one process a row", "outliers": "none dropped; times_ms holds every run", "min_runs": 20},
        **{"percentiles": {"p90_ms": "null below 10 runs"}, "energy": "not measured"},
    }

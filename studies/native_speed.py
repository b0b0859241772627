"""How fast is the native engine beside ONNX Runtime on three kinds of x86? docs/device-native.md has the figures.

    python -m studies.native_speed MODEL... [--frames N]

MODEL is a packaged model's name, a folder or an int8 `.onnx` stream. ONNX Runtime asks the processor what it can, and
has no setting for it. So its package is copied twice to a temporary folder, and in the copies the instruction that
reads which registers the system saves (`xgetbv`, bytes 0f 01 d0) is replaced by one that sets the low byte of its
answer (`mov al, N; nop`): 7 is a system without AVX-512, 3 one without AVX. The native engine takes its kernels by
name. Both run the same frames in turns, one core each; a time is the least of all frames, as other work on the machine
only adds. The bytes of `prob` that differ are counted on a drawn cine and on noise.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

XGETBV = b"\x0f\x01\xd0"
PROCESSORS = {"AVX512-VNNI": None, "AVX2": 7, "SSE4.1": 3}
"""Kernels of the native engine to the low byte of the answer that ONNX Runtime is given; None leaves it as it is."""


def copy_onnxruntime(folder: Path, answer: int) -> Path:
    """Copy the installed ONNX Runtime, and give it this answer to the question for registers.

    Args:
        folder: Folder for the copy.
        answer: Low byte of the answer.

    Returns:
        The folder to put before others on Python's path.
    """
    import onnxruntime

    package = folder / "onnxruntime"
    shutil.copytree(Path(onnxruntime.__file__).parent, package)
    for path in package.glob("capi/*.so*"):
        path.write_bytes(path.read_bytes().replace(XGETBV, bytes([0xB0, answer, 0x90])))
    return folder


def measure(graph: str, kernels: str, frames: int) -> dict[str, float]:
    """Time both engines on one graph in this process.

    Returns:
        Milliseconds of a frame in ONNX Runtime (`ort`) and in the native engine (`native`), and bytes of `prob` that
        differ (`bytes`).
    """
    from edgeecho.export.check.proving_clips import moving_cine, noise_like
    from edgeecho.export.write.native_device_file import native_bytes
    from edgeecho.model.sealed_file import read_verified
    from edgeecho.runtime.engines.native_engine import NativeEngine
    from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine
    from edgeecho.runtime.frame_stream import FrameStream

    source = read_verified(Path(graph))
    data, spec = native_bytes(source)
    engine = NativeEngine(source._replace(data=data, spec=spec), graph, kernels)
    streams = {
        "ort": FrameStream(OrtEngine(source.data, graph, 1), source.spec),
        "native": FrameStream(engine, spec),
    }
    cine = moving_cine(spec.size_px)
    clips = [cine, noise_like(cine)]
    unequal = sum(int(np.count_nonzero(streams["ort"].whole(c) != streams["native"].whole(c))) for c in clips)
    least = dict.fromkeys(streams, float("inf"))
    for k in range(frames):
        for name, stream in streams.items():
            begun = time.perf_counter()
            stream.push(cine[k % len(cine)])
            least[name] = min(least[name], 1e3 * (time.perf_counter() - begun))
    return {**least, "bytes": unequal}


def main() -> int:
    """Print a line a model and kind of processor; 1 if bytes differ."""
    parser = argparse.ArgumentParser(description="The native engine against ONNX Runtime.")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        sys.stdout.write(json.dumps(measure(options.models[0], options.worker, options.frames)))
        return 0
    from edgeecho.model.device_copy import find_stream

    different = 0.0
    sys.stdout.write(
        "| model | kernels | ONNX Runtime, ms | native, ms | ratio | differing bytes |\n|---|---|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        for kernels, answer in PROCESSORS.items():
            path = os.environ.get("PYTHONPATH", "")
            if answer is not None:
                path = f"{copy_onnxruntime(Path(folder) / kernels, answer)}{os.pathsep}{path}"
            for model in options.models:
                graph = find_stream(model, "int8")
                command = [sys.executable, "-m", "studies.native_speed", str(graph), "--worker", kernels]
                command += ["--frames", str(options.frames)]
                done = subprocess.run(
                    command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, check=True
                )
                found = json.loads(done.stdout)
                different += found["bytes"]
                ratio = found["ort"] / found["native"]
                sys.stdout.write(
                    f"| {Path(model).name} | {kernels} | {found['ort']:.3f} | {found['native']:.3f} | {ratio:.2f} | "
                    f"{found['bytes']} |\n"
                )
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())

"""What does a push cost in one build of the C library, as a ratio to another build?

    python -m studies.push_cost MODEL NEW.so OLD.so --old-client FILE [--size W,H] [--pushes N] [--search]

Frames of a drawn cine are pushed into both libraries in one process, in turns, one thread each, so that other work on
the machine slows both. `--old-client` is `examples/python/edgeecho_ctypes.py` of the older version, whose structs the
older library knows. Prints the median time of a push of each, the ratio, and the part that is not ONNX Runtime's.
docs/device-figures.md has the figures. The first fifth of the pushes is left out: there the view is searched.
"""

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgeecho.synthetic.phantom import draw_cine

CLIENT = Path(__file__).parents[1] / "examples" / "python" / "edgeecho_ctypes.py"
FPS, SPACING_MM = 50.0, (0.3, 0.3)


def load_client(path: Path, name: str) -> Any:
    """Import a client of the library from its file."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.pop("edgeecho_structs", None)  # each version has its own, beside it
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def time_pushes(devices: list[Any], frames: np.ndarray, regions: list[tuple[int, ...]], pushes: int) -> np.ndarray:
    """Push frames in turns and return microseconds, float (pushes, devices, 2): all, and within ONNX Runtime."""
    times: list[list[list[float]]] = [[] for _ in devices]
    for push in range(pushes):
        turns = list(zip(devices, regions, times, strict=True))
        for device, region, its in turns if push % 2 else turns[::-1]:
            device.push(frames[push % len(frames)].copy(), region)
            result = device.read()
            its.append([result["push_ns"] / 1e3, result["engine_ns"] / 1e3])
    return np.array(times).swapaxes(0, 1)[pushes // 5 :]


def find_region(device: Any, frames: np.ndarray, search: int) -> tuple[int, ...]:
    """Let a device search the view, and return its region, so that the other one sees as many pixels."""
    device.start(frames.shape[2], frames.shape[1], FPS, SPACING_MM, search=search)
    for push in range(300):
        device.push(frames[push % len(frames)])
    result = device.read()
    return tuple(result[f"roi_{name}"] for name in ("x", "y", "width", "height"))


def main() -> None:
    """Time both libraries and print their medians."""
    parser = argparse.ArgumentParser(description="Cost of a push in two builds of the C library.")
    parser.add_argument("model")
    parser.add_argument("libraries", nargs=2, metavar="LIBRARY", help="new and old")
    parser.add_argument("--old-client", type=Path, required=True)
    parser.add_argument("--size", default="640,480")
    parser.add_argument("--pushes", type=int, default=1500)
    parser.add_argument("--search", action="store_true", help="the new library searches the view")
    options = parser.parse_args()
    width, height = map(int, options.size.split(","))
    frames = np.stack([cv2.resize(frame, (width, height)) for frame in draw_cine((5, 5)).frames[:60]])
    side = min(width, height)
    region: tuple[int, ...] = ((width - side) // 2, (height - side) // 2, side, side)
    new, old = load_client(CLIENT, "new_client"), load_client(options.old_client, "old_client")
    devices = [new.Device(options.libraries[0], options.model), old.Device(options.libraries[1], options.model)]
    search = new.SEARCH_REGION | new.SEARCH_ORIENTATION if options.search else 0
    if search:
        region = find_region(devices[0], frames, search)
    devices[0].start(width, height, FPS, SPACING_MM, search=search)
    devices[1].start(width, height, FPS, SPACING_MM)
    times = time_pushes(devices, frames, [(0, 0, 0, 0) if search else region, region], options.pushes)
    (whole, engine), (old_whole, old_engine) = np.median(times, axis=0)
    beyond = np.median(times[..., 0] - times[..., 1], axis=0)
    result = devices[0].read()
    sys.stdout.write(
        f"{width}x{height}: push {whole:.0f} us, before {old_whole:.0f} us, ratio {whole / old_whole:.3f}; "
        f"ONNX Runtime {engine:.0f} and {old_engine:.0f} us, the rest {beyond[0]:.0f} and {beyond[1]:.0f} us; "
        f"region {result['roi_width']}x{result['roi_height']}, view fixed {result['view_fixed']}\n"
    )


if __name__ == "__main__":
    main()

"""Description of the machine and the software of a benchmark, without host names and paths.

The files of the Linux kernel are read directly. py-cpuinfo takes 1.3 s in subprocesses where this file takes 15 ms, and
has no name for ARM boards, which the device tree has. psutil has no peak memory of a process on Linux.
"""

import os
import platform
from importlib import util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edgeecho.runtime.engines.engine import usable_cores

FLAGS_X86 = ("sse4_1", "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
FLAGS_ARM = ("asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2")
PACKAGES = ("edgeecho", "onnxruntime", "openvino", "numpy", "onnx", "torch")

ENGINES = {"ort": "onnxruntime", "openvino": "openvino", "torch": "torch", "native": "edgeecho._native"}
"""Runtime to the Python package of its engine."""
ENGINE_NAMES = {"ort": "ONNX Runtime", "openvino": "OpenVINO", "torch": "PyTorch", "native": "EdgeEcho native"}


def runtime_name(runtime: str) -> str:
    """Return the name of a runtime's engine, such as `ONNX Runtime` for `ort`."""
    return ENGINE_NAMES.get(runtime, runtime)


def has_engine(runtime: str) -> bool:
    """Return whether the package of a runtime is installed; it is not imported."""
    try:
        return util.find_spec(ENGINES[runtime]) is not None
    except ValueError:  # imported already, from nowhere
        return True


def describe_machine() -> dict[str, Any]:
    """Return CPU, cores, relevant instruction sets, memory, system, versions, and the load average."""
    cpuinfo = _cpuinfo()
    flags = set((cpuinfo.get("flags") or cpuinfo.get("Features") or "").split())
    return {
        "cpu": cpuinfo.get("model name")
        or _read("/proc/device-tree/model")
        or platform.processor()
        or platform.machine(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "flags": [flag for flag in FLAGS_X86 + FLAGS_ARM if flag in flags],
        "memory_mb": _memory_mb(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "load_average_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip("\0\n ") or None
    except OSError:
        return None


def _cpuinfo() -> dict[str, str]:
    """Return the first processor's lines of /proc/cpuinfo; empty on systems other than Linux."""
    lines = (_read("/proc/cpuinfo") or "").partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def memory_is_short() -> bool:
    """Return whether less than a quarter of the machine's memory is free; False if unknown."""
    lines = (_read("/proc/meminfo") or "").splitlines()
    kilobytes = {parts[0]: int(parts[1]) for line in lines if len(parts := line.split()) > 1}
    available, total = kilobytes.get("MemAvailable:"), kilobytes.get("MemTotal:")
    return bool(available and total and 4 * available < total)


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (AttributeError, ValueError, OSError):
        return None

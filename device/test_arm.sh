#!/bin/sh
# The device runtime on emulated 64-bit ARM: cross-compiled, run by qemu-user, compared with Python on this machine.
#
#     sh device/test_arm.sh [CACHE] [short]
#
# Needs Debian's gcc-aarch64-linux-gnu and libstdc++6-arm64-cross, cmake, and qemu-aarch64 (installed, or in CACHE/qemu).
# Takes some minutes and prints each step with the time since the start. `short` is one processor and one cine, without
# test_api. PHANTOMS is the number of drawn cines, 2 unless set. Emulation shows results, not speed.
set -eu
begun=$(date +%s)
say() { printf '%4d s: %s\n' $(($(date +%s) - begun)) "$*" >&2; }
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-.arm}
python=${PYTHON:-$here/../.venv/bin/python}
cpus="cortex-a72 cortex-a76" phantoms=${PHANTOMS:-2} calls=yes
[ "${2:-}" != short ] || { cpus=cortex-a76 phantoms=0 calls=no; }
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
. "$here/tests/aarch64.sh"
find_qemu "$cache"

for needed in "$(command -v aarch64-linux-gnu-gcc)" "$(command -v cmake)" "$(ls $cross/lib/libstdc++.so.6 2>/dev/null)" "$qemu"; do
  if [ -z "$needed" ]; then
    echo "error: missing for ARM: apt-get install cmake gcc-aarch64-linux-gnu libstdc++6-arm64-cross qemu-user" >&2
    exit 1
  fi
done

runtime=$cache/onnxruntime
[ -f "$runtime/include/onnxruntime_c_api.h" ] || say "downloading ONNX Runtime for aarch64"
[ -f "$runtime/include/onnxruntime_c_api.h" ] || "$python" "$here/fetch_onnxruntime.py" "$runtime" --arch aarch64
say "compiling with $cross (log: $cache/device.log)"
cmake -S "$here" -B "$cache/device" -DCMAKE_TOOLCHAIN_FILE="$here/cmake/aarch64-linux-gnu.cmake" \
  -DONNXRUNTIME_ROOT="$runtime" \
  -DEDGEECHO_BUILD_TESTS=ON -DEDGEECHO_BUILD_EXAMPLES=ON -DEDGEECHO_WERROR=ON >"$cache/device.log"
cmake --build "$cache/device" >>"$cache/device.log"

say "writing device files"
"$python" - "$here/../models" "$cache" <<'END'
import sys
from pathlib import Path

from edgeecho.model.device_copy import write_device_file
from edgeecho.model.device_file import SUFFIX

models, cache = map(Path, sys.argv[1:])
for name in ("cl_unet_edge/stream", "cl_unet_nano/stream", "cl_unet_nano/clip"):
    write_device_file(models / f"{name}.int8.onnx", cache / f"{name.replace('/', '-')}{SUFFIX}")
END

edge=$cache/cl_unet_edge-stream.edgeecho nano=$cache/cl_unet_nano-stream.edgeecho
cine=$("$python" -c 'import pydicom; print(pydicom.examples.get_path("ybr_color"))')
for cpu in $cpus; do
  emulate_as "$cpu" "$cache/prefix" "$runtime/lib:$cache/device"
  say "$cpu: test_sha256, test_resample, test_engine"
  $emulate "$cache/device/tests/test_sha256"
  $emulate "$cache/device/tests/test_resample" "$here/tests/resample.bin"
  $emulate "$cache/device/tests/test_engine" "$nano"
  say "$cpu: self-test of the model"
  $emulate "$cache/device/examples/selftest" "$edge"
  say "$cpu: push_frames against Python on $(uname -m), a line for each cine"
  "$python" "$here/tests/compare.py" "$edge" --limit 0.001 --cine "$cine" --phantoms "$phantoms" \
    --program "$emulate $cache/device/examples/push_frames"
done
if [ $calls = yes ]; then # their results do not depend on the processor
  say "$cpu: test_api, which is silent for two minutes"
  $emulate "$cache/device/tests/test_api" "$nano" "$cache/cl_unet_nano-clip.edgeecho"
fi
say "done"

#!/bin/sh
# The device runtime on emulated 64-bit ARM: cross-compiled, run by qemu-user, compared with Python on this machine.
#
#     sh device/test_arm.sh [CACHE]
#
# Needs Debian's gcc-aarch64-linux-gnu and libstdc++6-arm64-cross, cmake, and qemu-aarch64 (installed, or in CACHE/qemu).
# Takes over 10 minutes and prints each step with the time since the start. Emulation shows results, not speed.
set -eu
begun=$(date +%s)
say() { printf '%4d s: %s\n' $(($(date +%s) - begun)) "$*" >&2; }
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-.arm}
python=${PYTHON:-$here/../.venv/bin/python}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
cross=/usr/aarch64-linux-gnu

qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || ls "$cache"/qemu/usr/bin/qemu-aarch64-static 2>/dev/null || true)
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
"$python" - "$here/../models/cl_unet_edge" "$cache" <<'END'
import sys
from pathlib import Path

from edgeecho.model.device_file import SUFFIX, pack
from edgeecho.model.sealed_file import read_verified

for path in Path(sys.argv[1]).glob("*.int8.onnx"):
    checked = read_verified(path)
    (Path(sys.argv[2]) / (path.stem + SUFFIX)).write_bytes(pack(checked.data, checked.spec, checked.selftest))
END

# ONNX Runtime looks into /proc/cpuinfo: without one of the emulated processor it reads this machine's, and crashes.
root=$cache/prefix
mkdir -p "$root/proc"
ln -sfn $cross/lib "$root/lib"
pretend() { # qemu's name, part, features
  printf 'processor\t: 0\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 3\n\n' \
    "$3" "$2" >"$root/proc/cpuinfo"
  emulate="$qemu -L $root -cpu $1 -E LD_LIBRARY_PATH=$runtime/lib:$cache/device"
}

v8="fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
cine=$("$python" -c 'import pydicom; print(pydicom.examples.get_path("ybr_color"))')
for cpu in "cortex-a72 0xd08" "cortex-a76 0xd0b"; do
  name=${cpu% *}
  features=$v8
  [ "$name" = cortex-a72 ] || features="$v8 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"
  pretend "$name" "${cpu#* }" "$features"
  say "$name: test_sha256"
  $emulate "$cache/device/tests/test_sha256"
  say "$name: test_resample"
  $emulate "$cache/device/tests/test_resample" "$here/tests/resample.bin"
  say "$name: test_api, which is silent for minutes"
  $emulate "$cache/device/tests/test_api" "$cache/stream.int8.edgeecho" "$cache/clip.int8.edgeecho"
  say "$name: push_frames against Python on $(uname -m), a line for each cine"
  "$python" "$here/tests/compare.py" "$cache/stream.int8.edgeecho" --limit 0.001 --cine "$cine" --phantoms "${PHANTOMS:-2}" \
    --program "$emulate $cache/device/examples/push_frames"
done
say "done"

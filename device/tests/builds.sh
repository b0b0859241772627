#!/bin/sh
# The device runtime by each compiler and for each platform that is installed: builds it, runs what can run, and prints a
# table. Some minutes; a line for each step; exit code 1 if one that was tried fails. docs/device-linking.md has what it
# printed.
#
#     sh device/tests/builds.sh MODEL [FOLDER]
#
# MODEL is a stream device file. Debian's packages for all rows: cmake gcc clang musl-tools gcc-aarch64-linux-gnu
# gcc-arm-linux-gnueabihf qemu-user gcc-mingw-w64-x86-64 wine64. ONNX Runtime is fetched by device/fetch_onnxruntime.py.
set -eu
begun=$(date +%s)
say() { printf '%4d s: %s\n' $(($(date +%s) - begun)) "$*" >&2; }
model=$(realpath "$1")
mkdir -p "${2:-build-platforms}"
folder=$(cd "${2:-build-platforms}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$here/../../.venv/bin/python}
wine=$(command -v wine64 || ls /usr/lib/wine/wine64 2>/dev/null || true)
. "$here/aarch64.sh"
find_qemu "$folder"
table=$folder/table.txt
: >"$table"

fetch() { # folder, arguments of the script
  ort=$folder/$1
  shift
  [ -f "$ort/include/onnxruntime_c_api.h" ] && return
  say "fetching ONNX Runtime $*"
  "$python" "$here/../fetch_onnxruntime.py" "$ort" "$@"
}

note() { # platform, compiler, result
  printf '| %s | %s | %s |\n' "$1" "$2" "$3" >>"$table"
  say "$1: $3"
}

compile() { # platform, settings of CMake; sets $out
  out=$folder/$1
  shift
  say "compiling $(basename "$out")"
  cmake -S "$here/.." -B "$out" -DONNXRUNTIME_ROOT="$ort" -DEDGEECHO_BUILD_TESTS=ON -DEDGEECHO_BUILD_EXAMPLES=ON \
    -DEDGEECHO_WERROR=ON "$@" >"$out.log" 2>&1 && cmake --build "$out" >>"$out.log" 2>&1
}

parts() { # how a program is started, suffix: the programs that need no network
  $1 "$out/tests/test_sha256$2" && $1 "$out/tests/test_resample$2" "$here/resample.bin"
}

network() { # how a program is started, suffix
  case $out in *-passed) $1 "$out/tests/passed$2" "$model"; return ;; esac
  $1 "$out/tests/test_engine$2" "$model" && $1 "$out/examples/selftest$2" "$model" | grep -q "gives the proven answers"
}

try() { # platform, compiler, how a program is started, suffix of programs, settings of CMake
  platform=$1 compiler=$2 start=$3 suffix=$4
  shift 4
  command -v "$compiler" >/dev/null || { note "$platform" "$compiler" "not tried: it is not installed"; return; }
  version="$(basename "$compiler") $("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion)"
  if ! compile "$platform" "$@"; then
    note "$platform" "$version" "not compiled: $out.log"
  elif [ "$start" = none ]; then
    note "$platform" "$version" "compiled, not run: nothing here runs it"
  elif ! parts "$start" "$suffix" >>"$out.log" 2>&1; then
    note "$platform" "$version" "compiled; it fails: $out.log"
  elif network "$start" "$suffix" >>"$out.log" 2>&1; then
    note "$platform" "$version" "run: test programs, self-test of the model"
  else
    note "$platform" "$version" "run without a network: $($start "$out/tests/test_engine$suffix" "$model" open 2>&1 | tail -1)"
  fi
}

fetch ort-x86_64 --arch x86_64
for how in dlopen linked; do
  try "x86_64-gcc-$how" gcc env "" -DCMAKE_C_COMPILER=gcc -DEDGEECHO_ONNXRUNTIME=$how
done
try x86_64-gcc-passed gcc env "" -DCMAKE_C_COMPILER=gcc -DEDGEECHO_ONNXRUNTIME=passed
try x86_64-clang clang env "" -DCMAKE_C_COMPILER=clang
try x86_64-musl musl-gcc env "" -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_CXX_COMPILER=

fetch ort-aarch64 --arch aarch64
start=none
if [ -n "$qemu" ]; then
  emulate_as cortex-a76 "$folder/prefix" "$ort/lib"
  start=$emulate
fi
arm=-DCMAKE_TOOLCHAIN_FILE=$here/../cmake/aarch64-linux-gnu.cmake
try aarch64-gcc aarch64-linux-gnu-gcc "$start" "" "$arm"
try aarch64-clang clang "$start" "" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=clang \
  -DCMAKE_C_COMPILER_TARGET=aarch64-linux-gnu -DCMAKE_CXX_COMPILER=

header=$folder/ort-header # ONNX Runtime has no wheel for armv7
mkdir -p "$header" && cp -r "$folder/ort-x86_64/include" "$header"
ort=$header start=none
[ -z "$(command -v qemu-arm)" ] || start="qemu-arm -L /usr/arm-linux-gnueabihf"
try armv7-gcc arm-linux-gnueabihf-gcc "$start" "" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=armv7 \
  -DCMAKE_C_COMPILER=arm-linux-gnueabihf-gcc -DCMAKE_CXX_COMPILER= -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY

fetch ort-windows --system windows
start=none
if [ -n "$wine" ]; then
  libraries=$(printf 'Z:%s;Z:%s' "$folder/x86_64-windows" "$ort/lib" | tr / '\\')
  export WINEPREFIX="$folder/wine" WINEDEBUG=-all WINEPATH="$libraries" # Windows searches libraries in PATH
  start=$wine
fi
try x86_64-windows x86_64-w64-mingw32-gcc "$start" .exe -DCMAKE_TOOLCHAIN_FILE="$here/../cmake/x86_64-w64-mingw32.cmake"

say "done"
echo "| build | compiler | result |"
echo "|---|---|---|"
cat "$table"
! grep -q "not compiled\|it fails" "$table"

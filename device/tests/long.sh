#!/bin/sh
# The tests of the device runtime at length: an hour or two on one core.  docs/device-figures.md has what they printed.
#
#     sh device/tests/long.sh MODEL SMALL_MODEL CLIP_MODEL [BUILD]
#
# MODEL is a stream device file; SMALL_MODEL a smaller one where the model does not matter (any stream device file);
# CLIP_MODEL any device file of a clip graph.
# Needs what tests/device needs, and valgrind.
set -eu
model=$1 small=$2 clip=$3
here=$(cd "$(dirname "$0")" && pwd)
build=${4:-build-device}
python=${PYTHON:-$here/../../.venv/bin/python}
root=${EDGEECHO_ONNXRUNTIME_ROOT:-$build/onnxruntime}

mkdir -p "$build"
[ -f "$root/include/onnxruntime_c_api.h" ] || "$python" "$here/../fetch_onnxruntime.py" "$root"
for kind in plain sanitized; do
  option=OFF
  [ $kind = plain ] || option=ON
  cmake -S "$here/.." -B "$build/$kind" -DONNXRUNTIME_ROOT="$root" -DEDGEECHO_SANITIZE=$option \
    -DEDGEECHO_BUILD_TESTS=ON -DEDGEECHO_BUILD_EXAMPLES=ON -DEDGEECHO_WERROR=ON >"$build/$kind.log"
  cmake --build "$build/$kind" >>"$build/$kind.log"
done
# ThreadSanitizer sees ONNX Runtime's calls of pthread and not its memory: tsan.supp and report_mutex_bugs leave those out.
cmake -S "$here/.." -B "$build/threads" -DONNXRUNTIME_ROOT="$root" -DEDGEECHO_BUILD_TESTS=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_C_FLAGS=-fsanitize=thread -DCMAKE_EXE_LINKER_FLAGS=-fsanitize=thread -DCMAKE_SHARED_LINKER_FLAGS=-fsanitize=thread \
  >"$build/threads.log"
cmake --build "$build/threads" --target test_api test_stream test_selftest >>"$build/threads.log"
plain=$build/plain/tests sanitized=$build/sanitized/tests threads=$build/threads/tests

say() { echo; echo "== $*"; }
export LD_LIBRARY_PATH="$(cd "$root/lib" && pwd)" # dlopen in a sanitizer does not see the program's RUNPATH
export LSAN_OPTIONS="suppressions=$here/leaks.txt:print_suppressions=0"

say "10,000 changed device files"; "$plain/fuzz_file" "$small" 10000 1
say "10,000 sequences of calls"; "$plain/fuzz_calls" "$small" 10000 1
say "the heap"; "$plain/heap" count "$model"; "$plain/heap" ours "$small"
say "the self-test"; "$plain/test_selftest" "$small" "$model"; "$plain/../examples/selftest" "$model" || echo "exit code $?"
say "allocations that fail, ONNX Runtime's too"; "$plain/heap" theirs "$small" 4
say "ASan and UBSan: 2,000 files, 2,000 sequences"; "$sanitized/fuzz_file" "$small" 2000 2; "$sanitized/fuzz_calls" "$small" 2000 2
say "ThreadSanitizer: streams and self-tests in threads"
for test in "test_api $model $clip" "test_stream $small $clip" "test_selftest $small"; do
  # shellcheck disable=SC2086
  TSAN_OPTIONS="suppressions=$here/tsan.supp report_mutex_bugs=0" "$threads"/$test && echo "${test%% *}: no race"
done
say "the stack"; "$plain/stack" "$model"
say "valgrind on the example"
"$python" -c 'import sys; sys.stdout.buffer.write(bytes((x * y + t) % 251 for t in range(12) for y in range(96) for x in range(128)))' >"$build/frames.raw"
valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --suppressions="$here/valgrind.supp" \
  "$build/plain/examples/push_frames" "$small" size=128x96 fps=30 masks="$build/masks.pgm" <"$build/frames.raw" | tail -1
say "C against Python, 200 drawn cines"; "$python" "$here/compare.py" "$model" --library "$build/plain/libedgeecho.so" --phantoms 200 | tail -1
for size in "112 112" "320 240" "640 480" "800 600" "1024 768"; do
  say "soak, frames of $size"
  # shellcheck disable=SC2086
  "$plain/soak" "$model" 5000 $size
done
say "soak, 100,000 frames"; "$plain/soak" "$model" 100000 640 480

"""Builds a mutant of the C library, and runs the tests against it that compare it with Python."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation import forked
from tests.mutation.targets import ROOT, Part

NOT_BUILT = "does not compile"
"""Outcome of a mutant that the compiler refuses; it counts neither way."""
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
"""Those of `studies/device_measure.py`, which imports EdgeEcho and so is left to the processes of the tests."""
COMPARED = ("-m", "", "-k", "upright or phantoms or wrong_views or turned or limits or unknown or judgements")
"""Tests that compare the built library with Python on drawn hearts, which are marked `slow` as they need a build."""


class Judge:
    """Builds the library in a copy of its sources, and runs the tests of a part against it."""

    def __init__(self, part: Part) -> None:
        self.tests = list(part.tests)
        self.is_measure = part.files[0].startswith("device/src/measure")
        self._folder = tempfile.TemporaryDirectory(prefix="edgeecho-c-mutants-")
        self.copy = Path(self._folder.name, "repository")
        for name in ("device", "examples"):
            shutil.copytree(ROOT / name, self.copy / name)
        shutil.copy(ROOT / "LICENSE", self.copy)
        if not self.is_measure:
            self._configure()
        self.limit_s = forked.limit_of(part, self._test)

    def __call__(self, path: Path, source: str) -> str:
        """Return the outcome of a changed file."""
        place = self.copy / path.relative_to(ROOT)
        before = place.read_text()
        place.write_text(source)
        try:
            if not self._compiles(place):
                return NOT_BUILT
            return self._test(self.limit_s)
        finally:
            place.write_text(before)

    def _configure(self) -> None:
        root = os.environ.setdefault("EDGEECHO_ONNXRUNTIME_ROOT", f"{self._folder.name}/onnxruntime")
        if not Path(root).exists():
            subprocess.run([sys.executable, ROOT / "device" / "fetch_onnxruntime.py", root], check=True)
        self.build = Path(self._folder.name, "build")
        settings = ["-DEDGEECHO_BUILD_TESTS=ON", f"-DONNXRUNTIME_ROOT={root}", "-DCMAKE_BUILD_TYPE=Release"]
        command = ["cmake", "-S", self.copy / "device", "-B", self.build, *settings]
        subprocess.run(command, check=True, capture_output=True)
        subprocess.run(["cmake", "--build", self.build], check=True, capture_output=True)

    def _compiles(self, place: Path) -> bool:
        if self.is_measure:
            command = ["cc", *FLAGS, "-fsyntax-only", f"-I{place.parent}", str(place)]
        else:
            command = ["cmake", "--build", str(self.build)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def _test(self, limit_s: float) -> str:
        """Run the C tests that take no engine, then the comparison with Python."""
        os.environ["EDGEECHO_MEASURE_SOURCES"] = str(self.copy / "device" / "src" / "measure")
        if self.is_measure:
            return forked.run_tests(self.tests, ("-m", ""), None, limit_s)
        try:
            done = subprocess.run(
                ["ctest", "--test-dir", str(self.build), "--stop-on-failure", "-E", "soak|fuzz"],
                capture_output=True,
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired:
            return forked.TIMED_OUT
        if done.returncode:
            return forked.KILLED
        os.environ["EDGEECHO_DEVICE_BUILD"] = str(self.build)
        return forked.run_tests(self.tests, COMPARED, None, limit_s)

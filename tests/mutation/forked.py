"""Runs tests against mutants of Python files, each in a process forked from one that has imported the libraries.

A new process for each mutant would spend most of its time on importing NumPy, OpenCV, ONNX and pytest. The parent
imports these, and nothing of EdgeEcho; the child imports EdgeEcho with one module made of the changed source. Tests
that start processes of their own see the code as it is, so they notice no mutant.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from tests.mutation.targets import ROOT, Part

LIBRARIES = ("numpy", "scipy.optimize", "scipy.stats", "cv2", "pytest", "onnx", "onnxruntime", "torch", "pydicom")
"""What the parent imports; a library that is not installed is left to the tests."""
KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "killed by time"
FIRST_LIMIT_S = 1800.0
"""Most seconds of the tests of a part without a mutant."""
LEAST_LIMIT_S, LIMIT_FACTOR = 20.0, 6.0
"""A run of tests may take so many times as long as without a mutant, and at least so many seconds."""


def import_libraries() -> None:
    """Import what all children need."""
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def module_of(path: Path) -> str:
    """Return the name by which a file is imported: `export/int8/ranges.py` is `edgeecho.export.int8.ranges`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "edgeecho" else ("edgeecho", *parts))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds and loads one module from a source that is given."""

    def __init__(self, path: Path, source: str) -> None:
        self.path, self.name, self.source = path, module_of(path), source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_filename(self, name: str) -> str:
        return str(self.path)

    def get_data(self, path: str | bytes) -> bytes:
        return self.source.encode()


def limit_of(part: Part, run: Callable[[float], str]) -> float:
    """Return the seconds that the tests of a part may take with a mutant, from a run without one.

    Args:
        part: The part, for messages.
        run: Runs its tests within so many seconds and returns the outcome.

    Raises:
        SystemExit: If the tests do not pass without a mutant.
    """
    start = time.monotonic()
    if (outcome := run(FIRST_LIMIT_S)) != SURVIVED:
        why = f"take over {FIRST_LIMIT_S:.0f} s" if outcome == TIMED_OUT else "fail"
        raise SystemExit(f"the tests of {part.name} {why} without a mutant: {' '.join(part.tests)}")
    took_s = time.monotonic() - start
    print(f"{part.name}: {took_s:.1f} s without a mutant", file=sys.stderr, flush=True)
    return max(LEAST_LIMIT_S, LIMIT_FACTOR * took_s)


def run_tests(tests: Sequence[str], options: Sequence[str], change: tuple[Path, str] | None, limit_s: float) -> str:
    """Run tests in a child.

    Args:
        tests: Files and folders of tests.
        options: More options of pytest.
        change: A file and its changed source; None runs the code as it is.
        limit_s: Seconds after which the child is ended.

    Returns:
        `KILLED`, `SURVIVED` or `TIMED_OUT`.
    """
    pid = os.fork()
    if not pid:
        _child(tests, options, change)
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return SURVIVED if os.waitstatus_to_exitcode(status) == 0 else KILLED
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return TIMED_OUT


def _child(tests: Sequence[str], options: Sequence[str], change: tuple[Path, str] | None) -> None:
    """Run pytest and end the process with its exit code, which is 0 only if every test passed."""
    import pytest

    code = 3
    try:
        sink = os.open(os.environ.get("EDGEECHO_MUTATION_LOG", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.chdir(ROOT)
        sys.dont_write_bytecode = True
        if change:
            sys.meta_path.insert(0, _Changed(*change))
        with tempfile.TemporaryDirectory(prefix="edgeecho-mutant-") as folder:
            arguments = [
                "-x",
                "-q",
                "--no-header",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                f"--basetemp={folder}/t",
            ]
            code = int(pytest.main([*arguments, "-m", "not slow", *options, *tests]))
    finally:
        os._exit(code)

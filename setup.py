"""The wheel's models: build_py copies the files that pyproject.toml names, and their indexes then list these alone.

With EDGEECHO_NATIVE=1 the wheel also has the native engine of `device/`, compiled as `edgeecho._native`.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))
from edgeecho.model.bundle_subset import keep_files


class BuildModels(build_py):
    """Build the package, with bundles that list what the wheel holds."""

    def run(self) -> None:
        """Copy the package, then trim the copies of the bundles; an editable installation has no copies."""
        super().run()
        if not self.editable_mode:
            for index in Path(self.build_lib, "edgeecho", "models").glob("*/bundle.json"):
                keep_files(index.parent, {path.name for path in index.parent.iterdir()})


def native_engine() -> Extension:
    """Return the native engine, a shared library that Python loads by ctypes."""
    source = Path("device/src")
    shared = [source / f"{name}.c" for name in ("device_file", "engine", "error", "os", "sha256")]
    return Extension(
        "edgeecho._native",
        [str(path) for path in (*sorted((source / "engines/native").glob("*.c")), *shared)],
        depends=[str(path) for path in sorted(Path("device").glob("*/**/*.h"))],
        include_dirs=["device/include", str(source)],
        define_macros=[("EE_ENGINE_NATIVE", "1")],
        extra_compile_args=["-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden"],
    )


setup(
    cmdclass={"build_py": BuildModels},
    ext_modules=[native_engine()] if os.environ.get("EDGEECHO_NATIVE") == "1" else [],
)

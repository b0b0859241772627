"""The wheel's models: build_py copies the files that pyproject.toml names, and their indexes then list these alone."""

import sys
from pathlib import Path

from setuptools import setup
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


setup(cmdclass={"build_py": BuildModels})

"""A program that uses the package: built, linked and run."""

from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class UseOfEdgeEcho(ConanFile):
    """Test of the recipe."""

    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain"

    def requirements(self) -> None:
        """Take the package that was just made."""
        self.requires(self.tested_reference_str)

    def layout(self) -> None:
        """Build outside the sources."""
        cmake_layout(self)

    def build(self) -> None:
        """Build the program."""
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self) -> None:
        """Run the program, where this machine can."""
        if can_run(self):
            program = Path(self.build_folder) / self.cpp.build.bindir / "print_version"
            self.run(str(program), env="conanrun")

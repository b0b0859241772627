"""Conan 2: the C library, shared and static; ONNX Runtime's header is found in the folder that the user names.

conan create device/packaging/conan -c user.edgeecho:onnxruntime_root=$PWD/ort
"""

import re
from pathlib import Path
from typing import ClassVar

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy

ROOT_CONF = "user.edgeecho:onnxruntime_root"


class EdgeEchoDevice(ConanFile):
    """Recipe of the package `edgeecho`."""

    name = "edgeecho"
    license = "Apache-2.0"
    description = "The left ventricle in live echo frames. Research software, not a medical device."
    topics = ("echocardiography", "segmentation", "ejection-fraction")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options: ClassVar = {"shared": [True, False]}
    default_options: ClassVar = {"shared": True}

    @property
    def _device(self) -> Path:
        """Folder of the sources: device/ in the repository, the root of the tarball."""
        return Path(self.recipe_folder).parents[1]

    def set_version(self) -> None:
        """Take the version of the header."""
        header = (self._device / "include" / "edgeecho.h").read_text()
        self.version = ".".join(re.findall(r"^#define EDGEECHO_VERSION_\w+ (\d+)$", header, re.MULTILINE))

    def export_sources(self) -> None:
        """Copy the sources, and the licence, which is beside device/ in the repository."""
        for pattern in ("CMakeLists.txt", "cmake/*", "include/*", "src/*", "NOTICE.md", "LICENSE"):
            copy(self, pattern, str(self._device), self.export_sources_folder)
        copy(self, "LICENSE", str(self._device.parent), self.export_sources_folder)

    def configure(self) -> None:
        """Drop the settings of C++: the library is C."""
        self.settings.rm_safe("compiler.libcxx")
        self.settings.rm_safe("compiler.cppstd")

    def layout(self) -> None:
        """Build outside the sources."""
        cmake_layout(self)

    def validate(self) -> None:
        """Require the folder of ONNX Runtime."""
        if not self.conf.get(ROOT_CONF):
            raise ConanInvalidConfiguration(
                f"give the folder of ONNX Runtime's include/ and lib/: -c {ROOT_CONF}=FOLDER"
            )

    def generate(self) -> None:
        """Write CMake's settings."""
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["ONNXRUNTIME_ROOT"] = str(self.conf.get(ROOT_CONF))
        toolchain.cache_variables["EDGEECHO_INSTALL_ONNXRUNTIME"] = False
        toolchain.generate()

    def build(self) -> None:
        """Build both libraries."""
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self) -> None:
        """Install libraries, header, CMake's and pkg-config's descriptions, licence and notice."""
        CMake(self).install()
        for name in ("LICENSE", "NOTICE.md"):
            copy(self, name, self.source_folder, str(Path(self.package_folder) / "licenses"))

    def package_info(self) -> None:
        """Name CMake's own description, which has edgeecho::edgeecho_shared and edgeecho::edgeecho_static."""
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [str(Path("lib") / "cmake" / "edgeecho")]
        self.cpp_info.libs = ["edgeecho"]
        if self.settings.os == "Linux" and not self.options.shared:
            self.cpp_info.system_libs = ["m", "dl"]

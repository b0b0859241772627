#!/usr/bin/env python3
"""Pack device/, its examples and documents as a source tarball that builds by itself.

    python3 device/dist.py [FOLDER]

Prints the path of FOLDER/edgeecho-device-VERSION.tar.gz. The same sources give the same bytes.
"""

import gzip
import io
import re
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SKIPPED = ("__pycache__", "build")
PAGES = (
    "device",
    "device-api",
    "device-behaviour",
    "device-figures",
    "device-linking",
    "device-native",
    "device-update",
    "model-file",
    "onnxruntime-releases",
    "smaller-runtimes",
    "trust",
    "weights-licence",
)
"""Documents for who has the tarball alone."""
OUTSIDE = {
    "LICENSE": "LICENSE",
    ".clang-format": ".clang-format",
    **{f"docs/{page}.md": f"docs/{page}.md" for page in PAGES},
    "examples/c": "examples",
    "examples/python/edgeecho_ctypes.py": "examples/edgeecho_ctypes.py",
    "examples/python/edgeecho_structs.py": "examples/edgeecho_structs.py",
}
"""Files and folders beside device/ in the repository, and where the tarball contains them."""


def files_in(path: Path) -> list[Path]:
    """Return the files of a folder, or the path itself if it is a file."""
    found = [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
    return [inner for inner in found if not set(inner.relative_to(path).parts) & set(SKIPPED)]


def packed_files() -> dict[Path, Path]:
    """Return the files of the tarball by their paths in it; a tarball that was unpacked contains them all itself."""
    files = {}
    for source, target in OUTSIDE.items():
        outside = ROOT.parent / source
        files.update({Path(target) / path.relative_to(outside): path for path in files_in(outside)})
    files.update({path.relative_to(ROOT): path for path in files_in(ROOT)})
    return files


def main() -> None:
    """Write the tarball and print its path."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    folder.mkdir(parents=True, exist_ok=True)
    header = (ROOT / "include" / "edgeecho.h").read_text()
    version = ".".join(re.findall(r"^#define EDGEECHO_VERSION_\w+ (\d+)$", header, re.MULTILINE))
    name = f"edgeecho-device-{version}"
    files = packed_files()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for inside in sorted(files):
            data = files[inside].read_bytes()
            entry = tarfile.TarInfo(f"{name}/{inside.as_posix()}")
            entry.size, entry.mode = len(data), 0o755 if inside.suffix == ".sh" else 0o644
            archive.addfile(entry, io.BytesIO(data))
    path = folder / f"{name}.tar.gz"
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()

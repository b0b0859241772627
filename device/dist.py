#!/usr/bin/env python3
"""Pack device/ as a source tarball that builds by itself: the same sources give the same bytes.

python3 device/dist.py [FOLDER]     prints the path of FOLDER/edgeecho-device-VERSION.tar.gz
"""

import gzip
import io
import re
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SKIPPED = ("__pycache__", "build")


def main() -> None:
    """Write the tarball, with the licence beside the sources."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    folder.mkdir(parents=True, exist_ok=True)
    header = (ROOT / "include" / "edgeecho.h").read_text()
    version = ".".join(re.findall(r"^#define EDGEECHO_VERSION_\w+ (\d+)$", header, re.MULTILINE))
    name = f"edgeecho-device-{version}"
    files = {path.relative_to(ROOT): path for path in sorted(ROOT.rglob("*")) if path.is_file()}
    files = {inside: path for inside, path in files.items() if not set(inside.parts) & set(SKIPPED)}
    files[Path("LICENSE")] = next(p / "LICENSE" for p in (ROOT, ROOT.parent) if (p / "LICENSE").is_file())
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

"""Build the files of a release: sdist, wheel, C tarball, model archives, bills of materials, and their checksums.

    python -m release.build FOLDER

`make release-check` calls it twice, and compares the bytes. It builds from what is committed, in a folder of its own,
and every file bears the time of the revision.
"""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from release.command import run
from release.version import ROOT, release_time, version

CHECKSUMS = "SHA256SUMS"


def export_sources(folder: Path) -> Path:
    """Unpack what is committed into a folder, with the time of the revision."""
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="fully_trusted")  # of our own repository: links lead within it
    return folder


def build_all(sources: Path, out: Path) -> list[Path]:
    """Build every file of a release.

    Args:
        sources: Folder of the sources, as `export_sources` unpacks them.
        out: Folder for the files.

    Returns:
        The files, sorted, the checksums of the others last.
    """
    out.mkdir(parents=True, exist_ok=True)
    models = sorted(index.parent.name for index in sources.glob("models/*/bundle.json"))
    backend = f"import setuptools.build_meta as b; b.build_sdist({str(out)!r})"
    _python(sources, "-c", backend)
    (sdist,) = out.glob("*.tar.gz")
    _normalise(sdist)
    _build_wheel(sdist, out)
    _python(sources, "device/dist.py", str(out))
    _python(sources, "-m", "edgeecho.model.archive", str(out), *models)
    _python(sources, "-m", "release.sbom", str(out))
    files = sorted(path for path in out.iterdir() if path.name != CHECKSUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (out / CHECKSUMS).write_text("".join(lines))
    return [*files, out / CHECKSUMS]


def _build_wheel(sdist: Path, out: Path) -> None:
    """Build the wheel from the sdist, as pip does where no wheel is published."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out)]
        _python(Path(folder, f"edgeecho-{version()}"), "-m", "pip", "wheel", *options, ".")


def _normalise(sdist: Path) -> None:
    """Pack a tarball again, so that its bytes depend on the contents alone: order, times, owners and modes."""
    packed = io.BytesIO()
    with tarfile.open(sdist) as before, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as after:
        for entry in sorted(before.getmembers(), key=lambda member: member.name):
            kept = tarfile.TarInfo(entry.name)
            kept.type, kept.linkname, kept.size, kept.mtime = entry.type, entry.linkname, entry.size, release_time()
            kept.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            after.addfile(kept, before.extractfile(entry) if entry.isfile() else None)
    sdist.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def _python(folder: Path, *arguments: str) -> None:
    """Run Python in a folder, whose packages come first."""
    own = {"PYTHONPATH": str(folder), "SOURCE_DATE_EPOCH": str(release_time())}
    run([sys.executable, *arguments], folder, os.environ | own)


def main() -> None:
    """Build into the folder that is given, and print the paths."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()
    with tempfile.TemporaryDirectory() as folder:
        for path in build_all(export_sources(Path(folder)), out):
            sys.stdout.write(f"{path}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()

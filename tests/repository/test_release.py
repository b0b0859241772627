"""What a release is made of: one version, tarballs that are the same each time, valid bills of materials."""

import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from release.build import _normalise
from release.check import StepError, check_versions
from release.environment import find_python
from release.version import release_time, version


def test_the_versions_agree() -> None:
    assert check_versions(final=False).startswith(version())


def test_entries_without_a_version_are_refused_at_a_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import release.check as check

    (tmp_path / "device" / "include").mkdir(parents=True)
    parts = zip(("MAJOR", "MINOR", "PATCH"), version().split("."), strict=True)
    header = "".join(f"#define EDGEECHO_VERSION_{part} {number}\n" for part, number in parts)
    (tmp_path / "device" / "include" / "edgeecho.h").write_text(header)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    released = f"## {version()} - 2026-11-26\n"
    (tmp_path / "CHANGELOG.md").write_text(f"## Unreleased\n- new\n- newer\n{released}")
    assert check_versions(final=False).endswith("2 entries under Unreleased, for the next version")
    with pytest.raises(StepError, match="has 2 entries under Unreleased"):
        check_versions(final=True)
    (tmp_path / "CHANGELOG.md").write_text(f"## Unreleased\n{released}")
    assert check_versions(final=True) == version()
    (tmp_path / "CHANGELOG.md").write_text("## Unreleased\n")
    with pytest.raises(StepError, match="has no entry"):
        check_versions(final=False)


def write_tarball(path: Path, names: list[str], when: int, user: str) -> bytes:
    """Pack files under a folder, in an order, at a time, by a user; return the bytes after `_normalise`."""
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(f"x-1/{name}")
            entry.size, entry.mtime, entry.uname, entry.mode = len(name), when, user, 0o600
            archive.addfile(entry, io.BytesIO(name.encode()))
    _normalise(path)
    return path.read_bytes()


def test_a_tarball_depends_on_its_contents_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert release_time() == 1_700_000_000
    first = write_tarball(tmp_path / "a.tar.gz", ["a", "b"], 5, "me")
    assert write_tarball(tmp_path / "b.tar.gz", ["b", "a"], 6, "you") == first
    assert write_tarball(tmp_path / "c.tar.gz", ["b", "c"], 6, "you") != first
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == ["x-1/a", "x-1/b"]
    assert {(entry.mtime, entry.mode, entry.uname) for entry in entries} == {(1_700_000_000, 0o644, "")}


def test_this_python_is_found() -> None:
    name = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert find_python(name)
    assert find_python("2.0") is None


def test_bills_of_materials_are_valid_and_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cyclonedx", reason="the extra `release` is not installed")
    pytest.importorskip("jsonschema", reason="the extra `release` is not installed")
    from release.sbom import write_boms

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = (write_boms(tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    boms = {path.name: json.loads(path.read_text()) for path in first}
    model = boms[f"cl_unet_edge-{version()}.cdx.json"]["metadata"]["component"]
    assert model["licenses"] == [{"license": {"id": "CC-BY-NC-SA-4.0"}}]
    assert {part["name"] for part in model["components"]} >= {"clip.int8.onnx", "stream.int8.onnx"}
    device = boms[f"edgeecho-device-{version()}.cdx.json"]
    assert "onnxruntime" in {part["name"] for part in device["components"]}
    assert "numpy" in {part["name"] for part in boms[f"edgeecho-{version()}.cdx.json"]["components"]}

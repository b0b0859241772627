"""What `edgeecho licences` tells, and that no extra brings the GPL unless its name says so."""

import json
import tomllib
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from edgeecho.licences.packages import Package, brought_by, bundled_in, licence_of
from edgeecho.licences.weights import Weights

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
FOR_DEVELOPERS = ("dev", "docs", "release", "test")


def package(licence: str, bundled: tuple[str, ...] = ()) -> Package:
    return Package("x", "1", licence, (), bundled)


def requirements(extra: str) -> list[str]:
    """Return what an extra of pyproject.toml requires, its own extras taken apart."""
    found = []
    for text in EXTRAS[extra]:
        if text.startswith("edgeecho["):
            found += [r for inner in text.partition("[")[2].rstrip("]").split(",") for r in requirements(inner)]
        else:
            found.append(text)
    return found


def under_gpl(texts: list[str]) -> list[str]:
    """Return the installed packages of requirements that are under the GPL, or contain what is."""
    found = []
    for name in sorted(brought_by(texts)):
        dist = distribution(name)
        if package(licence_of(dist), bundled_in(str(path) for path in dist.files or ())).is_gpl:
            found.append(name)
    return found


@pytest.mark.parametrize("extra", ["", *sorted(set(EXTRAS) - set(FOR_DEVELOPERS))])
def test_only_an_extra_that_says_so_brings_the_gpl(extra: str) -> None:
    found = under_gpl(requirements(extra) if extra else PROJECT["dependencies"])
    assert not found or extra.endswith("-gpl"), f"{extra or 'edgeecho'} brings {found}"


def test_the_check_above_can_fail() -> None:
    pytest.importorskip("av")
    assert under_gpl(requirements("video-gpl")) == ["av"]


@pytest.mark.parametrize(
    ("licence", "bundled", "gpl"),
    [
        ("MIT", (), False),
        ("GPL-3.0", (), True),
        ("GPL V3.0", (), True),
        ("AGPL-3.0-only", (), True),
        ("LGPL-2.1-or-later", (), False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", (), False),
        ("MIT OR GPL-2.0-only", (), False),
        ("MIT AND GPL-2.0-only", (), True),
        ("BSD-3-Clause", ("libx264: GPL-2.0-or-later",), True),
        ("BSD-3-Clause", ("libavcodec: LGPL-2.1-or-later",), False),
        ("BSD-3-Clause", ("libgmp: LGPL-3.0-or-later OR GPL-2.0-or-later",), False),
    ],
)
def test_what_counts_as_gpl(licence: str, bundled: tuple[str, ...], gpl: bool) -> None:
    assert package(licence, bundled).is_gpl is gpl


def test_libraries_in_a_wheel_are_found_by_their_names() -> None:
    names = ["av.libs/libx264-d6533a8d.so.165", "av/libx265.py", "cv2/libavcodecs.so", "x/libavcodec.62.dylib"]
    assert bundled_in(names) == ("libx264: GPL-2.0-or-later", "libavcodec: LGPL-2.1-or-later")


class _Stated:
    """Metadata of a distribution."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        self.metadata = Message()
        for name, value in headers:
            self.metadata[name] = value


MIT = ("Classifier", "License :: OSI Approved :: MIT License")
BSD = ("Classifier", "License :: OSI Approved :: BSD License")


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ([("License-Expression", "MIT AND Zlib"), MIT], "MIT AND Zlib"),
        ([MIT, ("License", "a text\nof many lines")], "MIT"),
        ([BSD, ("License", "BSD-3-Clause")], "BSD-3-Clause"),
        ([("Classifier", "License :: OSI Approved"), ("License", "Apache 2.0")], "Apache-2.0"),
        ([BSD, ("License", "x" * 61)], "BSD"),
        ([], "not stated"),
    ],
)
def test_the_licence_that_a_package_states(headers: list[tuple[str, str]], licence: str) -> None:
    stated: Any = _Stated(*headers)
    assert licence_of(stated) == licence


@pytest.mark.parametrize(
    ("licence", "sold"),
    [
        ("Apache-2.0", True),
        ("CC-BY-NC-SA-4.0", False),
        ("Apache-2.0 AND LicenseRef-own-data", False),
        ("(Apache-2.0 AND CC-BY-NC-SA-4.0)", False),
    ],
)
def test_weights_that_may_be_sold(licence: str, sold: bool) -> None:
    assert Weights("x", licence, ()).may_be_sold is sold


def test_the_command(command: Any, tmp_path: Path) -> None:
    code, out, err = command("licences", "--json", tmp_path / "a.json")
    assert (code, err) == (0, "")
    told = json.loads((tmp_path / "a.json").read_text())
    weights = {one["model"]: one["may_be_sold"] for one in told["weights"]}
    assert (weights["cl_unet_edge"], weights["cl_unet_edge_free"]) == (False, True)
    names = {one["name"] for one in told["packages"]}
    assert {"numpy", "onnxruntime", "typer"} <= names
    assert "edgeecho" not in names
    assert "no legal advice" in out

"""Packages that EdgeEcho brings: which of them are installed, through which extra, and under which licence.

A package states its own licence. A wheel may contain libraries under another one, which its metadata rarely names, so
the names of its files are compared with those of libraries under the GPL and the LGPL (`BUNDLED`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

NAME = "edgeecho"
BUNDLED = {
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
    "libpostproc": "GPL-2.0-or-later",
    "libavcodec": "LGPL-2.1-or-later",
    "libmp3lame": "LGPL-2.0-or-later",
    "libgnutls": "LGPL-2.1-or-later",
    "libgmp": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libquadmath": "LGPL-2.1-or-later",
    "libfribidi": "LGPL-2.1-or-later",
}
"""Licences of libraries that wheels contain, by the first part of their file names."""
_SPDX = {
    "MIT License": "MIT",
    "MIT License (MIT)": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "3-Clause BSD License": "BSD-3-Clause",
}
"""SPDX identifiers of licences as older metadata names them."""
_FOR_DEVELOPERS = ("dev", "docs", "release", "test")
_LONGEST = 60
"""A licence field that is longer is the whole text of a licence, not its name."""


@dataclass(frozen=True)
class Package:
    """An installed package that EdgeEcho brings."""

    name: str
    version: str
    licence: str
    """As the package states it; an SPDX identifier where that is known."""
    brought_by: tuple[str, ...]
    """Extras that bring it; empty if EdgeEcho itself does."""
    bundled: tuple[str, ...]
    """Libraries under the GPL or the LGPL that it contains, each with its licence."""

    @property
    def is_gpl(self) -> bool:
        """Whether the package, or a library in it, is under the GPL and nothing else."""
        return any(_is_gpl(text) for text in (self.licence, *self.bundled))


def installed_packages() -> list[Package]:
    """Return the installed packages that EdgeEcho and its extras bring, by name.

    A package that several bring is listed once. What else is installed beside EdgeEcho is none of its packages.
    """
    brought: dict[str, set[str]] = {}
    for extra in ("", *extras()):
        for name in brought_by([f"{NAME}[{extra}]" if extra else NAME]):
            brought.setdefault(name, set()).add(extra)
    return [_package(name, by) for name, by in sorted(brought.items()) if name != NAME]


def brought_by(requirements: Iterable[str]) -> set[str]:
    """Return the installed packages that requirements bring, and what these require, as canonical names."""
    seen: set[tuple[str, str]] = set()
    waiting = [at for text in requirements for at in _names(text, "")]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            waiting += [inner for text in _requires(at[0]) for inner in _names(text, at[1])]
    return {name for name, _ in seen if _is_installed(name)}


def extras() -> list[str]:
    """Return the extras of EdgeEcho for users, without `all`, which is a list of others."""
    listed = distribution(NAME).metadata.get_all("Provides-Extra") or []
    return sorted(set(listed) - {"all", *_FOR_DEVELOPERS})


def licence_of(found: Distribution) -> str:
    """Return the licence that a package states: its expression, else its classifiers, else its field."""
    metadata = found.metadata
    if expression := _field(found, "License-Expression"):
        return expression
    stated = [text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier") or [] if text.startswith("License")]
    named = [_SPDX.get(text, text) for text in stated if text not in ("OSI Approved", "Other/Proprietary License")]
    field = _field(found, "License").strip()
    is_name = field and len(field) <= _LONGEST and "\n" not in field
    if named and not (is_name and named == ["BSD"]):
        return " AND ".join(dict.fromkeys(named))
    return _SPDX.get(field, field) if is_name else " AND ".join(named) or "not stated"


def _field(found: Distribution, name: str) -> str:
    """Return a field of a package's metadata; empty if there is none."""
    return str((found.metadata.get_all(name) or [""])[0])


def bundled_in(names: Iterable[str]) -> tuple[str, ...]:
    """Return the libraries of `BUNDLED` among the names of files, each with its licence."""
    files = {name.replace("\\", "/").rpartition("/")[2] for name in names}
    found = [library for library in BUNDLED if any(_is_library(name, library) for name in files)]
    return tuple(f"{library}: {BUNDLED[library]}" for library in found)


def _is_library(file: str, library: str) -> bool:
    rest = file.removeprefix(library)
    is_shared = ".so" in rest or rest.endswith((".dylib", ".dll"))
    return file.startswith(library) and is_shared and not rest[:1].isalpha()


def _is_gpl(licence: str) -> bool:
    """Whether every alternative of a licence is the GPL or the AGPL, without an exception for linking."""
    parts = licence.rpartition(": ")[2].split(" OR ")
    return all(("GPL" in part and "LGPL" not in part and " WITH " not in part) for part in parts)


def _package(name: str, by: set[str]) -> Package:
    found = distribution(name)
    return Package(
        name=found.metadata["Name"],
        version=found.version,
        licence=licence_of(found),
        brought_by=() if "" in by else tuple(sorted(by)),
        bundled=bundled_in(str(path) for path in found.files or ()),
    )


def _requires(name: str) -> list[str]:
    return distribution(name).requires or [] if _is_installed(name) else []


def _names(text: str, extra: str) -> Iterator[tuple[str, str]]:
    """Yield the package of a requirement that holds here, alone and with each of its extras."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return
    if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
        for inner in ("", *requirement.extras):
            yield canonicalize_name(requirement.name), inner


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True

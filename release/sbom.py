"""Write the software bills of materials: of the Python package, of the C library, and of each model bundle.

    python -m release.sbom FOLDER

`make sbom` writes them into `dist/`, in CycloneDX 1.6 as JSON, each checked against the schema by CycloneDX's own
library. The package's lists what is installed beside it, with the licence that each package states and the libraries
under the GPL or the LGPL that its wheel contains; the C library's its sources and what it loads; a bundle's the files
that its index lists, with their SHA-256. The same sources and packages give the same bytes.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from edgeecho.licences import Package, installed_packages
from edgeecho.model.registry import packaged_models, read_index
from release.version import ROOT, release_time, version

NAMESPACE = uuid.UUID("2d6c4f1e-6a53-5f0e-9a0b-0d5c7f1c9e11")
"""Of the serial numbers, which are made of the contents."""


def package_bom() -> Bom:
    """List the Python package, and what is installed with it."""
    root = _library("edgeecho", "pypi", description="Research software, not a medical device.")
    installed = [_package(one) for one in installed_packages()]
    bundles = [_bundle(folder) for folder in packaged_models() if _is_in_wheel(folder)]
    return _bom(root, [*installed, *bundles])


def device_bom() -> Bom:
    """List the C library: its sources, and what a program with it loads (device/NOTICE.md)."""
    sources = sorted((ROOT / "device").glob("include/*.h")) + sorted((ROOT / "device" / "src").rglob("*.[ch]"))
    files = [_file(path, path.relative_to(ROOT).as_posix()) for path in sources]
    root = _library("edgeecho-device", "generic", components=files)
    engine = Component(
        name="onnxruntime",
        type=ComponentType.LIBRARY,
        bom_ref="onnxruntime",
        licenses=_licences("MIT"),
        purl=PackageURL("generic", None, "onnxruntime"),
        description="Loaded by the first open, or linked: 1.17 or later, of the maker of the product.",
    )
    system = Component(
        name="libc",
        type=ComponentType.LIBRARY,
        bom_ref="libc",
        description="The C library of the system, with libm and libdl; its licence is that of the system.",
    )
    return _bom(root, [engine, system])


def bundle_bom(folder: Path) -> Bom:
    """List a model bundle: its files, and the software that made it."""
    soup = read_index(folder).get("soup", ())
    made_with = [
        Component(
            name=str(row["name"]),
            version=str(row["version"]),
            bom_ref=f"made-with-{row['name']}",
            description=f"Made the files: {row['purpose']}",
        )
        for row in soup
    ]
    return _bom(_bundle(folder), made_with)


def _library(name: str, kind: str, **more: Any) -> Component:
    """Return a library of EdgeEcho; `kind` is the type of its package URL."""
    return Component(
        name=name,
        version=version(),
        type=ComponentType.LIBRARY,
        bom_ref=name,
        licenses=_licences("Apache-2.0"),
        purl=PackageURL(kind, None, name, version()),
        **more,
    )


def _bundle(folder: Path) -> Component:
    index = read_index(folder)
    listed = [folder / name for name in sorted(index["files"]) if (folder / name).is_file()]
    said = {key: str(index["spec"].get(key, "")) for key in ("trained_on", "recipe", "family")}
    return Component(
        name=folder.name,
        version=version(),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model-{folder.name}",
        licenses=_licences(str(index["licence"])),
        description="Research software, not a medical device.",
        properties=[Property(name=f"edgeecho:{key}", value=value) for key, value in said.items() if value],
        components=[_file(path, path.name, f"{folder.name}-") for path in listed],
    )


def _is_in_wheel(folder: Path) -> bool:
    """Whether the wheel contains a model; the others are archives of their own."""
    return f'"{folder.name}/*.onnx"' in (ROOT / "pyproject.toml").read_text()


def _package(one: Package) -> Component:
    name = canonicalize_name(one.name)
    inner = [
        Component(name=text.partition(": ")[0], bom_ref=f"{name}-{at}", licenses=_licences(text.partition(": ")[2]))
        for at, text in enumerate(one.bundled)
    ]
    by = ", ".join(one.brought_by) or "edgeecho"
    return Component(
        name=one.name,
        version=one.version,
        bom_ref=name,
        licenses=_licences(one.licence),
        purl=PackageURL("pypi", None, name, one.version),
        properties=[Property(name="edgeecho:brought-by", value=by)],
        components=inner,
    )


def _file(path: Path, name: str, prefix: str = "") -> Component:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
    return Component(name=name, type=ComponentType.FILE, bom_ref=f"file-{prefix}{name}", hashes=hashes)


def _licences(text: str) -> Iterable[Any]:
    """Return a licence as an SPDX identifier or expression, or by its name where it is none."""
    return [] if text in ("", "not stated") else [LicenseFactory().make_from_string(text)]


def _bom(root: Component, parts: list[Component]) -> Bom:
    about = BomMetaData(component=root, timestamp=datetime.fromtimestamp(release_time(), UTC))
    bom = Bom(metadata=about, components=parts)
    bom.register_dependency(root, parts)
    bom.serial_number = uuid.uuid5(NAMESPACE, re.sub(r'"serialNumber": "[^"]*"', "", _text(bom)))
    return bom


def _text(bom: Bom) -> str:
    return json.dumps(json.loads(JsonV1Dot6(bom).output_as_string()), indent=2, sort_keys=True) + "\n"


def write_boms(folder: Path) -> list[Path]:
    """Write all bills of materials.

    Raises:
        SystemExit: If one does not fit the schema.
    """
    boms = {f"edgeecho-{version()}": package_bom(), f"edgeecho-device-{version()}": device_bom()}
    boms |= {f"{model.name}-{version()}": bundle_bom(model) for model in packaged_models()}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, bom in boms.items():
        text = _text(bom)
        if errors := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
            raise SystemExit(f"{name}: not CycloneDX 1.6: {errors}")
        path = folder / f"{name}.cdx.json"
        path.write_text(text)
        written.append(path)
    return written


def main() -> None:
    """Write the bills of materials and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for path in write_boms(parser.parse_args().folder):
        found = json.loads(path.read_text())
        sys.stdout.write(f"{os.fspath(path)}: {len(found.get('components', ()))} components\n")


if __name__ == "__main__":
    main()

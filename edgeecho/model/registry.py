"""Registry of the models: from a model's name, folder or file to the file of an engine."""

import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.files import read_regular
from edgeecho.model import device_file, native_file, sealed_file, strict_json
from edgeecho.model.index_seal import SEAL_KEY, is_sealed, seal_of

DEFAULT_MODEL = "cl_unet_edge"
INDEX = "bundle.json"
"""Name of the index in a folder that `edgeecho export` wrote."""
DEFAULT_PRECISION = "int8"
PRECISIONS = ("int8", "fp16", "fp32")
RUNTIME_OF = {".onnx": "ort", ".xml": "openvino", ".safetensors": "torch", ".ort": "ort", device_file.SUFFIX: "ort"}
"""Suffix of a model file to the runtime that opens it; `runtime_of` knows native device files too."""
NATIVE_SUFFIX = native_file.SUFFIX + device_file.SUFFIX
"""End of the name of a native device file: `stream.int8.native.edgeecho`."""
RUNTIMES = {"ort": ".onnx", "openvino": ".xml", "torch": ".safetensors", "native": NATIVE_SUFFIX}
"""Runtime to the suffix of the files that it usually opens."""


@dataclass(frozen=True)
class ModelRef:
    """Reference to a model file: its path, the runtime that opens it, and what it must contain."""

    path: Path
    runtime: str
    precision: str | None = None
    """Precision that the file must have; None for any."""
    form: str = "clip"
    """Form that a graph must have: `clip` or `stream`."""


def runtime_of(path: Path) -> str | None:
    """Return the runtime that opens a model file, by its name; None if it is no model file."""
    return "native" if path.name.endswith(NATIVE_SUFFIX) else RUNTIME_OF.get(path.suffix)


def packaged_models() -> list[Path]:
    """Folders of the models that come with the package, by name."""
    return _bundles(Path(str(files("edgeecho.models"))))


def added_models_folder() -> Path:
    """Folder of the models that `edgeecho models --add` installed: $EDGEECHO_MODELS, else in the user's data folder.

    Raises:
        ConfigError: If neither is known, as of a container's user who has no name and no home directory.
    """
    if given := os.environ.get("EDGEECHO_MODELS"):
        return Path(given)
    try:
        return user_data_path("edgeecho", appauthor=False) / "models"
    except RuntimeError as error:
        raise ConfigError("this user has no home directory; set EDGEECHO_MODELS to a folder for models") from error


def installed_models() -> list[Path]:
    """Folders of all models that have a name here, by name; an added one takes the place of a packaged one."""
    added: list[Path] = []
    with suppress(ConfigError):
        added = _bundles(added_models_folder())
    found = {folder.name: folder for folder in [*packaged_models(), *added]}
    return [found[name] for name in sorted(found)]


def _bundles(root: Path) -> list[Path]:
    """Return the bundles inside a folder, by name."""
    return sorted(path.parent for path in root.glob(f"*/{INDEX}") if not path.parent.name.startswith("."))


def model_folder(model: str) -> Path | None:
    """Return the folder of a model's name or of a path; None if `model` names no folder."""
    name = DEFAULT_MODEL if model == "default" else model
    for folder in installed_models():
        if folder.name == name:
            return folder
    return Path(model) if Path(model).is_dir() else None


def locate(
    model: str | Path = "default", runtime: str | None = None, precision: str | None = None, form: str = "clip"
) -> ModelRef:
    """Find a model file.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a file.
        runtime: `ort`, `openvino`, `torch` or `native`; None chooses by the file's suffix, `ort` for a name or folder.
            The native engine runs streams alone, and a clip by its stream.
        precision: `int8` or `fp32`; None means int8 for a name or folder, and whatever a file has.
        form: `clip` or `stream`.

    Raises:
        ConfigError: If the runtime or precision is unknown, or the runtime does not open the file given.
        ModelFileError: If nothing is found.
    """
    if runtime is not None and not (isinstance(runtime, str) and runtime in RUNTIMES):
        raise ConfigError(f"unknown runtime {runtime!r:.80}; known: {', '.join(RUNTIMES)}")
    if precision is not None and not (isinstance(precision, str) and precision in PRECISIONS):
        raise ConfigError(f"unknown precision {precision!r:.80}; known: {', '.join(PRECISIONS)}")
    if form == "stream" and runtime == "torch":
        raise ConfigError("PyTorch has no stream; take ort or openvino")
    if not isinstance(model, (str, Path)):
        raise ConfigError(f"a model is a name or a path, got {type(model).__name__}; `edgeecho models` lists names")
    folder = model_folder(str(model))
    if folder:
        runtime = runtime or "ort"
        form = "stream" if runtime == "native" else form
        stem = folder.name if runtime == "torch" else f"{form}.{precision or DEFAULT_PRECISION}"
        path = _in_folder(folder, stem, runtime)
        if precision is None and not path.is_file():
            fp32 = _in_folder(folder, f"{form}.fp32", runtime)
            path = fp32 if fp32.is_file() else path  # an export of fp32 alone
        if runtime == "torch" and not path.is_file():
            path = next(iter(sorted(folder.glob("*.safetensors"))), path)
        if not path.is_file():
            raise ModelFileError(_missing(folder, model, path.name, runtime))
        return ModelRef(path, runtime, precision, form)
    path = Path(model)
    if not path.exists():
        known = ", ".join(p.name for p in installed_models()) or "none"
        raise ModelFileError(
            f"no model {str(model)!r}: neither a file nor an installed model (installed: {known}); "
            "`edgeecho models --add ARCHIVE` installs more"
        )
    found = runtime_of(path)
    if found is None:
        raise ModelFileError(f"{path.name}: not a model file; expected one of {', '.join(RUNTIME_OF)}")
    if runtime and runtime != found:
        raise ConfigError(f"{path.name}: opened by {found}, not by {runtime}; give a {RUNTIMES[runtime]} file")
    if form == "stream" and found == "torch":
        raise ConfigError(f"{path.name}: PyTorch has no stream; give a stream graph, written by `edgeecho export`")
    return ModelRef(path, found, precision, "stream" if found == "native" else form)


def _missing(folder: Path, model: str | Path, name: str, runtime: str) -> str:
    """Return what a folder lacks, what it contains, and how the missing file is made."""
    inside = sorted(file.name for file in folder.iterdir() if file.suffix in RUNTIME_OF)
    lacks = f"{folder.name}: has no {name}; it holds {', '.join(inside) or 'none'}; "
    if runtime == "torch":
        return f"{lacks}take --runtime ort, or install the model's archive, which has it, by `edgeecho models --add`"
    if runtime == "native":
        return f"{lacks}write it with `edgeecho device-file {model} --format native`, and take that file as the model"
    if not any(".fp32." in name for name in inside):
        return f"{lacks}take a folder that has it"
    other = (
        ", or take --precision fp32"
        if name == f"clip.int8{RUNTIMES[runtime]}" and name.replace("int8", "fp32") in inside
        else ""
    )
    return f"{lacks}write it with `edgeecho export {model} --out FOLDER` and take FOLDER as the model{other}"


def _in_folder(folder: Path, stem: str, runtime: str) -> Path:
    """Return the file of a runtime in a folder; if there is none, the path of the one that it usually opens."""
    suffixes = [RUNTIMES["native"]] if runtime == "native" else RUNTIME_OF
    paths = [folder / f"{stem}{suffix}" for suffix in suffixes if RUNTIME_OF.get(suffix, "native") == runtime]
    return next((path for path in paths if path.is_file()), paths[0])


def read_index(folder: Path) -> dict[str, Any]:
    """Read a folder's `bundle.json`; empty if there is none.

    Raises:
        ModelFileError: If the index is not one that `edgeecho export` writes.
    """
    path = folder / INDEX
    if not path.is_file():
        return {}
    try:
        index: dict[str, Any] = strict_json.parse(read_regular(path))
        listed, gate = index["files"].items(), index.get("gate") or {}
        figures = [*gate.get("figures", ()), *index.get("proof", ())]
        sound = all(isinstance(digest, str) and Path(name).name == name for name, digest in listed)
        sound &= all({"file", "against", "figure", "value", "worst", "limit"} <= set(row) for row in figures)
        sound &= all({"name", "version", "purpose"} <= set(row) for row in index.get("soup", ()))
        sound &= not is_sealed(index) or index[SEAL_KEY] == seal_of(index)
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise ModelFileError(f"{path}: damaged; fetch or export the model again") from error
    if not sound:
        raise ModelFileError(f"{path}: damaged; fetch or export the model again")
    return index


def find_files(model: str) -> list[Path]:
    """List the files of a model: for a name or folder, those that are there or in its index; else the file itself.

    Raises:
        ModelFileError: If a folder has none, or its index is damaged.
    """
    folder = model_folder(model)
    if folder is None:
        return [locate(model).path]
    names = {*read_index(folder).get("files", {}), *(path.name for path in folder.iterdir())}
    files = sorted(folder / name for name in names if Path(name).suffix in sealed_file.SUFFIXES)
    if not files:
        raise ModelFileError(
            f"{model}: no model file in this folder; expected one of {', '.join(sealed_file.SUFFIXES)}"
        )
    return files

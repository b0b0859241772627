"""Which file a model's name stands for."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from edgeecho.errors import ConfigError, ModelFileError

DEFAULT_MODEL = "cl_unet_edge"
DEFAULT_PRECISION = "int8"
RUNTIMES = {"ort": ".onnx", "openvino": ".xml", "torch": ".safetensors"}
"""Runtime to the suffix of the files that it opens."""


@dataclass(frozen=True)
class Located:
    """A model file and the runtime that opens it."""

    path: Path
    runtime: str
    precision: str | None = None
    """As asked for; the file must have it."""


def packaged_models() -> list[Path]:
    """Folders of the models that come with the package, by name."""
    root = Path(str(files("edgeecho.models")))
    return sorted(p for p in root.iterdir() if (p / "bundle.json").is_file())


def model_folder(model: str) -> Path | None:
    """The folder of a packaged model's name or of a path; None if `model` names no folder."""
    name = DEFAULT_MODEL if model == "default" else model
    for folder in packaged_models():
        if folder.name == name:
            return folder
    return Path(model) if Path(model).is_dir() else None


def locate(model: str | Path = "default", runtime: str | None = None, precision: str | None = None) -> Located:
    """Find a model file.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a file.
        runtime: `ort`, `openvino` or `torch`; None chooses by the file's suffix, `ort` for a name or folder.
        precision: `int8` or `fp32`; None means int8 for a name or folder, and whatever a file has.

    Raises:
        ConfigError: If the runtime is unknown or does not open the file given.
        ModelFileError: If nothing is found.
    """
    if runtime is not None and runtime not in RUNTIMES:
        raise ConfigError(f"unknown runtime {runtime!r}; known: {', '.join(RUNTIMES)}")
    folder = model_folder(str(model))
    if folder:
        runtime = runtime or "ort"
        suffix = RUNTIMES[runtime]
        stem = folder.name if runtime == "torch" else f"clip.{precision or DEFAULT_PRECISION}"
        path = folder / f"{stem}{suffix}"
        if precision is None and not path.is_file() and (folder / f"clip.fp32{suffix}").is_file():
            path = folder / f"clip.fp32{suffix}"  # an export of fp32 alone
        if runtime == "torch" and not path.is_file():
            path = next(iter(sorted(folder.glob("*.safetensors"))), path)
        if not path.is_file():
            raise ModelFileError(
                f"{folder.name}: has no {path.name}; it holds {', '.join(_model_files(folder)) or 'none'}"
            )
        return Located(path, runtime, precision)
    path = Path(model)
    if not path.exists():
        known = ", ".join(p.name for p in packaged_models()) or "none"
        raise ModelFileError(f"no model {str(model)!r}: neither a file nor a packaged model (packaged: {known})")
    by_suffix = {suffix: name for name, suffix in RUNTIMES.items()}
    if path.suffix not in by_suffix:
        raise ModelFileError(f"{path.name}: not a model file; expected one of {', '.join(by_suffix)}")
    found = by_suffix[path.suffix]
    if runtime and runtime != found:
        raise ConfigError(f"{path.name}: opened by {found}, not by {runtime}; give a {RUNTIMES[runtime]} file")
    return Located(path, found, precision)


def _model_files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.suffix in RUNTIMES.values())

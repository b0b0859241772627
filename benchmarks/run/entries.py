"""Entries of a benchmark: each is a model, a form, a runtime and a precision, and becomes a row of the result."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edgeecho.benchmarks.peers.peers import PEERS
from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.model.registry import (
    RUNTIME_OF,
    find_files,
    installed_models,
    locate,
    model_folder,
    read_index,
    runtime_of,
)

RUNTIMES = ("ort", "openvino", "torch", "native")
DEFAULT_RUNTIMES = ("ort", "openvino")
ONNX_RUNTIMES = frozenset(DEFAULT_RUNTIMES)
"""Runtimes that run a user's ONNX file."""
PRECISIONS = ("fp32", "bf16", "int8")
"""Precisions that can be requested; `bf16` is the fp32 file, run by an engine that has 16-bit kernels (OpenVINO)."""
DEFAULT_PRECISIONS = ("fp32", "int8")
FORMS = ("clip", "stream")
DEFAULT_MODELS = ("default", "cl_unet_nano", "unet2d", "unet3d")
ALL = "all"
"""Name that stands for every packaged model and every peer."""
PRECISION_RUNTIMES = {"bf16": ("openvino",), "int8": ("ort", "openvino", "native")}
"""Precision to the runtimes that have it; precisions that are not listed run in all."""


@dataclass(frozen=True)
class Entry:
    """Selection of one row."""

    model: str
    """Name in the table."""
    source: str
    """Name or path for `locate`; for a peer, the folder for its exported files."""
    runtime: str
    precision: str | None
    """Precision of the row; None if it is that of a single file."""
    form: str | None = "clip"
    """Form of the row; None if it is that of a single file."""
    kind: str = "ours"
    """`ours`: sealed by `edgeecho export`; `peer`: of the registry; `own`: a user's ONNX file of any make."""

    @property
    def label(self) -> str:
        """Name in messages, such as `unet3d clip ort int8`."""
        return " ".join(part for part in (self.model, self.form, self.runtime, self.precision) if part)

    @property
    def stored(self) -> str | None:
        """Precision of its file."""
        return "fp32" if self.precision == "bf16" else self.precision

    def path(self) -> Path:
        """Return the file that is run.

        Raises:
            EdgeEchoError: If there is none.
        """
        if self.kind == "own" or Path(self.source).is_file():
            return Path(self.source)
        form = "clip" if self.kind == "peer" else self.form or "clip"  # a peer's stream is its clip graph, one frame
        return locate(self.source, self.runtime, self.stored, form).path

    def job(self) -> dict[str, Any]:
        """Return the job for the row's process, as JSON values."""
        by_torch = self.kind == "peer" and self.runtime == "torch"
        return {
            "model": self.model,
            "path": None if by_torch else str(self.path().absolute()),
            "runtime": self.runtime,
            "precision": self.precision,
            "form": self.form,
            "kind": self.kind,
            "config": PEERS[self.model].config if by_torch else None,
        }


def entries(
    models: Sequence[str],
    runtimes: Sequence[str],
    precisions: Sequence[str],
    forms: Sequence[str],
    work_dir: Path,
    own_files: Sequence[Path] = (),
    notify: Callable[[str], None] = lambda text: None,
    completed: Mapping[str, Path] = MappingProxyType({}),
) -> list[Entry]:
    """Return every requested entry that is possible, each once, in order.

    A model file is one entry, of its own runtime, precision and form. A user's ONNX file is an entry for each runtime.
    Models of `all` and of `DEFAULT_MODELS` without a possible entry are left out; for a named model it is an error.

    Args:
        models: `default`, `all`, packaged models, peers, folders or files.
        runtimes: Names of `RUNTIMES`.
        precisions: Names of `PRECISIONS`.
        forms: Names of `FORMS`.
        work_dir: Folder for exported peers.
        own_files: ONNX files without an EdgeEcho seal.
        notify: Called with a message for each model that is left out.
        completed: Name of a model to the folder that `complete_models` made for it.

    Raises:
        ConfigError: If a name is unknown, nothing is selected, or no entry is possible.
    """
    require_names(("runtime", runtimes, RUNTIMES), ("precision", precisions, PRECISIONS), ("form", forms, FORMS))
    if not models and not own_files:
        raise ConfigError("no model to benchmark; name one, such as default")
    named = [(name, model == ALL) for model in models for name in expand([model])]
    is_default = tuple(models) == DEFAULT_MODELS
    rows: list[Entry] = []
    for model, is_one_of_all in named:
        found = rows_of(model, runtimes, precisions, forms, work_dir, completed.get(model))
        if not found and (is_default or is_one_of_all):
            notify(f"{model}: left out, no row of these forms, runtimes and precisions is possible")
        elif not found:
            raise ConfigError(f"{model}: no row of these forms, runtimes and precisions is possible; ask for more")
        rows += found
    if not rows and not own_files:
        raise ConfigError("no row of these forms, runtimes and precisions is possible for any model; ask for more")
    if own_files and not set(runtimes) & ONNX_RUNTIMES:
        raise ConfigError(f"{', '.join(runtimes)}: cannot run an ONNX file; take ort or openvino for --model")
    for path in own_files:
        if path.suffix != ".onnx" or not path.is_file():
            raise ConfigError(f"{path.name}: --model takes an ONNX file; none is there")
        rows += [Entry(path.stem, str(path), r, None, None, "own") for r in runtimes if r in ONNX_RUNTIMES]
    return list(dict.fromkeys(rows))


def expand(models: Sequence[str]) -> list[str]:
    """Return the names with `all` replaced by every installed model and every peer."""
    everything = [*(folder.name for folder in installed_models()), *PEERS]
    return [name for model in models for name in (everything if model == ALL else [model])]


def rows_of(
    model: str,
    runtimes: Sequence[str],
    precisions: Sequence[str],
    forms: Sequence[str],
    work_dir: Path,
    folder: Path | None = None,
) -> list[Entry]:
    """Return the requested entries of one model that are possible; empty if there is none.

    `folder` takes the place of the model's own folder.

    Raises:
        ConfigError: If the model is unknown.
    """
    selected = [(form, runtime, precision) for form in forms for runtime in runtimes for precision in precisions]
    if model in PEERS:
        peer = PEERS[model]
        return [
            Entry(model, str(work_dir / model), r, p, f, "peer")
            for f, r, p in selected
            if f in peer.forms and r != "native" and _possible(f, r, p)
        ]
    if folder := folder or model_folder(model):
        name = folder.name if folder.name.strip(".") else folder.resolve().name  # of `.` and `..` too
        possible = possible_entries(name, folder, runtimes, precisions, forms)
        if not read_index(folder):
            return possible
        files = find_files(str(folder))
        return [entry for entry in possible if is_held(entry, files)]
    if Path(model).is_file():
        runtime = runtime_of(Path(model))
        if not runtime:
            raise ConfigError(f"{Path(model).name}: no model file; expected one of {', '.join(RUNTIME_OF)}")
        return [Entry(Path(model).stem, model, runtime, None, None)]
    names = ", ".join(["default", ALL, *(p.name for p in installed_models()), *PEERS])
    raise ConfigError(f"unknown model {model!r}; known: {names}, or a folder or file that edgeecho export wrote")


def possible_entries(
    name: str, folder: Path, runtimes: Sequence[str], precisions: Sequence[str], forms: Sequence[str]
) -> list[Entry]:
    """Return the requested entries that a model's folder can have, whether or not their files are there."""
    has_streams, has_checkpoint = any(folder.glob("stream.*")), any(folder.glob("*.safetensors"))
    return [
        Entry(name, str(folder), r, p, f)
        for f in forms
        for r in runtimes
        for p in precisions
        if _possible(f, r, p) and (f == "clip" or has_streams) and (r != "torch" or has_checkpoint)
    ]


def is_held(entry: Entry, files: list[Path]) -> bool:
    """Return whether an entry's file is in its folder or in its index. A file of the index may be missing."""
    names = [file.name for file in files if runtime_of(file) == entry.runtime]
    return any(entry.runtime == "torch" or name.startswith(f"{entry.form}.{entry.stored}.") for name in names)


def _possible(form: str, runtime: str, precision: str) -> bool:
    """Return whether a runtime has a form and precision: PyTorch clips in fp32, the native engine streams in int8."""
    if runtime == "torch":
        return form == "clip" and precision == "fp32"
    if runtime == "native":
        return form == "stream" and precision == "int8"
    return runtime in PRECISION_RUNTIMES.get(precision, RUNTIMES)


def require_names(*checks: tuple[str, Sequence[str], Sequence[str]]) -> None:
    """Refuse names that are not in their list of valid names, and empty selections.

    Raises:
        ConfigError: If there are any.
    """
    for what, given, names in checks:
        for name in given:
            if name not in names:
                raise ConfigError(f"unknown {what} {name!r}; known: {', '.join(names)}")
        if not given:
            raise ConfigError(f"no {what} to benchmark; known: {', '.join(names)}")


def macs_per_frame(entry: Entry, frames: int, shapes: Mapping[str, Sequence[int]] | None = None) -> int | None:
    """Count MACs a frame on the entry's ONNX graph of fp32, or of int8 if there is no other.

    Args:
        entry: Entry.
        frames: Frames of a run.
        shapes: Shapes of inputs by name, if they are known.

    Returns:
        None if there is no such graph, or `onnx` is not installed to read it.
    """
    for precision in ("fp32", "int8"):
        with suppress(EdgeEchoError):
            path = replace(entry, runtime="ort", precision=precision).path()
            if path.suffix == ".onnx":
                return round(count_macs(path, frames, shapes) / frames)
    return None

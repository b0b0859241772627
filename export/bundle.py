"""Export of one model to a folder of proven files, which is written whole or not at all: `edgeecho export`."""

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from edgeecho.errors import ModelFileError, OutputError
from edgeecho.export.options import Options
from edgeecho.export.pipeline import Bundle, Progress, write_graphs
from edgeecho.export.write.card import write_card
from edgeecho.export.write.index import write_index
from edgeecho.files import replace_folder, scratch_folder
from edgeecho.model.registry import model_folder


def find_source(model: str) -> Path:
    """Find the checkpoint to export; where PyTorch or the checkpoint is missing, the fp32 ONNX graph.

    Raises:
        ModelFileError: If there is nothing that can be exported.
    """
    folder = model_folder(model)
    if folder is None:
        path = Path(model)
        if not path.exists():
            raise ModelFileError(f"no model {model!r}: neither a file nor an installed model")
        return path
    checkpoints = sorted(folder.glob("*.safetensors"))
    graph = folder / "clip.fp32.onnx"
    if checkpoints and (_has_torch() or not graph.is_file()):
        return checkpoints[0]
    if graph.is_file():
        return graph
    raise ModelFileError(f"{folder.name}: holds neither a checkpoint nor clip.fp32.onnx to export from")


def _has_torch() -> bool:
    return find_spec("torch") is not None and find_spec("safetensors") is not None


def export(model: str, out: Path, options: Options | None = None, *, progress: Progress = lambda text: None) -> Bundle:
    """Export a model.

    Args:
        model: Name of a packaged model, or path of a checkpoint, a folder or an fp32 ONNX clip graph of EdgeEcho.
        out: Folder to write. It must not exist, or be empty, or be an earlier bundle, which is replaced.
        options: Options of the export.
        progress: Function that is called with what is being done.

    Raises:
        ModelFileError: If the model cannot be read.
        DataError: If there is nothing to calibrate on.
        ExportError: If a written file differs from the model, or the acceptance test refuses one.
        OutputError: If the folder cannot be written.
    """
    options = options or Options()
    if out.exists() and not (out.is_dir() and ((out / "bundle.json").is_file() or not any(out.iterdir()))):
        raise OutputError(f"{out}: exists and is no EdgeEcho bundle; choose another folder")
    source = find_source(model)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(".export-", out.absolute().parent) as staging:
            bundle = write_graphs(source, staging, options, progress)
            progress("drawing the card")
            write_card(bundle, options)
            write_index(bundle, options)
            staging.chmod(0o755)
            _put(staging, out)
    except OSError as error:
        text = f"{out}: cannot be written ({error.strerror or error}); choose a folder that is writable and not full"
        raise OutputError(text) from error
    return replace(bundle, folder=out)


def _put(staging: Path, out: Path) -> None:
    """Put a finished bundle in the place of an earlier one; files in there that no export wrote are kept."""
    earlier = list(out.iterdir()) if out.exists() else []
    try:
        written = set(json.loads((out / "bundle.json").read_text())["files"]) if earlier else set()
    except (ValueError, TypeError, KeyError) as error:
        raise OutputError(f"{out}: its bundle.json is not EdgeEcho's; choose another folder") from error
    for path in earlier:
        if path.name not in written and not (staging / path.name).exists():
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, staging / path.name)
    replace_folder(staging, out)

"""Completion of packaged models: their folders have one fp32 file and no native one; the others are exported."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeecho.benchmarks.run.entries import Entry, expand, is_held, possible_entries
from edgeecho.errors import EdgeEchoError, ModelFileError
from edgeecho.model.registry import DEFAULT_MODEL, NATIVE_SUFFIX, find_files, installed_models
from edgeecho.model.sealed_file import read_verified

SOURCE = "clip.fp32.onnx"
EXPORTED = "exported"
"""Folder, in the folder of exported files, of the completed models."""


def complete_models(
    models: Sequence[str],
    runtimes: Sequence[str],
    precisions: Sequence[str],
    forms: Sequence[str],
    work_dir: Path,
    notify: Callable[[str], None],
) -> dict[str, Path]:
    """Export the fp32 files that requested rows of installed models need and their folders lack.

    A model that cannot be completed keeps the rows that its own folder has; `notify` is called with the reason.

    Args:
        models: Names and paths as in `run_bench`; only names of installed models are completed.
        runtimes: Names as in `run_bench`.
        precisions: Names as in `run_bench`.
        forms: Names as in `run_bench`.
        work_dir: Folder for exported files; what an earlier run exported from the same file is used again.
        notify: Called with a message for each export.

    Returns:
        Name, as requested, to the folder that takes the place of the model's own.
    """
    folders = {folder.name: folder for folder in installed_models()}
    completed: dict[str, Path] = {}
    for model in expand(models):
        name = DEFAULT_MODEL if model == "default" else model
        folder = folders.get(name)
        if folder is None or not (folder / SOURCE).is_file():
            continue
        files = find_files(str(folder))
        rows = possible_entries(name, folder, runtimes, precisions, forms)
        lacking = [row for row in rows if not is_held(row, files)]
        missing = [row for row in lacking if row.stored == "fp32"]
        native = any(row.runtime == "native" for row in lacking)
        if not missing and not native:
            continue
        target = work_dir / EXPORTED / name
        if missing and not _is_ready(target, folder, missing):
            notify(f"{name}: exporting the fp32 files that its folder lacks")
            if reason := _export(folder / SOURCE, target):
                notify(f"{name}: rows of fp32 are left out, {reason}")
                continue
        target.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.is_file():
                shutil.copyfile(path, target / path.name)
        if native:
            _write_native(target, notify)
        completed[model] = target
    return completed


def _write_native(folder: Path, notify: Callable[[str], None]) -> None:
    """Write the native device file of a folder's int8 stream."""
    from edgeecho.export.write.native_device_file import write_native_device_file

    try:
        write_native_device_file(folder / "stream.int8.onnx", folder / f"stream.int8{NATIVE_SUFFIX}")
    except EdgeEchoError as error:
        notify(f"{folder.name}: the row of the native engine is left out, {error}")


def _is_ready(target: Path, folder: Path, rows: Sequence[Entry]) -> bool:
    """Return whether an earlier export of the same graph has the files of these rows."""
    try:
        same = read_verified(target / SOURCE).data == read_verified(folder / SOURCE).data
        files = find_files(str(target))
        return same and all(is_held(row, files) for row in rows)
    except ModelFileError:
        return False


def _export(source: Path, target: Path) -> str | None:
    """Export fp32 files in a process of its own, which frees its memory; return the reason of a failure in one line."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-P", "-c", "from edgeecho.cli import main; main()"]
    command += ["export", str(source), "--fp32", "--out", str(target)]
    run = subprocess.run(command, capture_output=True, text=True, start_new_session=True, check=False)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    return errors[-1].removeprefix("error: ") if errors else f"the export ended with {run.returncode}"

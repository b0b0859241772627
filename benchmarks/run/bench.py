"""`run_bench`: rows in processes of their own, timed in turns, so that drift of the machine affects all alike."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.run.accuracy import fill_accuracy, require_items
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.complete_models import complete_models
from edgeecho.benchmarks.run.entries import (
    DEFAULT_MODELS,
    DEFAULT_PRECISIONS,
    DEFAULT_RUNTIMES,
    FORMS,
    Entry,
    entries,
)
from edgeecho.benchmarks.run.machine import describe_machine, has_engine
from edgeecho.benchmarks.run.pack import Pack, with_engines
from edgeecho.benchmarks.run.protocol import Extras, Rules, describe_protocol
from edgeecho.benchmarks.run.result import BenchResult
from edgeecho.benchmarks.run.runner import Runner
from edgeecho.benchmarks.run.session import Macs, Progress, Session
from edgeecho.errors import ConfigError, ShapeError
from edgeecho.files import require_writable, scratch_folder
from edgeecho.runtime.engines.engine import usable_cores

Notify = Callable[[str], None]
Names = Sequence[str] | None
Requested = tuple[Names, Names, Names, Names]
"""Requested models, runtimes, precisions and forms."""


def run_bench(
    models: Sequence[str] | None = None,
    runtimes: Sequence[str] | None = None,
    precisions: Sequence[str] | None = None,
    threads: int = 1,
    *,
    forms: Sequence[str] | None = None,
    own_files: Sequence[Path] = (),
    rules: Rules | None = None,
    extras: Extras | None = None,
    pack: Path | None = None,
    work_dir: Path | None = None,
    frames: np.ndarray | None = None,
    progress: Progress = lambda step, steps, what: None,
    notify: Notify = lambda text: None,
) -> BenchResult:  # one parameter for each option of `edgeecho bench`
    """Time networks on this machine's CPU.

    A row that fails has `error`, and the others go on. An extra measurement that fails is listed in the row's `failed`,
    and its times stay. After Ctrl-C, what was measured is returned with `complete` false.

    Args:
        models: `default`, `all`, packaged models, peers, folders that `edgeecho export` wrote, or model files; of a
            pack, names in it. None means `DEFAULT_MODELS`, or all of the pack.
        runtimes: `ort`, `openvino`, `torch`, `native`. None means `DEFAULT_RUNTIMES`, or those of the pack whose engine
            is installed.
        precisions: `fp32`, `bf16`, `int8`. None means `DEFAULT_PRECISIONS`, or those of the pack.
        threads: Threads of every engine.
        forms: `clip`, `stream`. None means both, or those of the pack.
        own_files: A user's ONNX files.
        rules: Limits of the timing of rows.
        extras: Measurements beside the time of the network.
        pack: Folder that `write_pack` wrote, with the models; `own_files` are added.
        work_dir: Folder in which exported peers are kept for the next time; None means a temporary one.
        frames: The clip, uint8 (T, 1, S, S); None means 32 frames of seeded speckle at 112 x 112.
        progress: Called before each step.
        notify: Called with a message for what is left out.

    Raises:
        MissingExtraError: If no engine of a pack is installed.
        ConfigError: If a name or number makes no sense.
        ShapeError: If `frames` is no clip.
        DataError: If the data set is not there or has nothing in that split.
        OutputError: If `work_dir` cannot be written.
    """
    rules, extras = rules or Rules(), extras or Extras()
    clip = speckle_clip() if frames is None else frames
    _require_valid(threads, clip, extras)
    machine = describe_machine()
    packed = Pack.read(pack) if pack else None
    with work_folder(work_dir) as folder:
        requested = models, runtimes, precisions, forms
        if packed:
            selected, macs = _select_from_pack(packed, requested, own_files, folder, notify)
        else:
            selected, macs = _select(requested, own_files, folder, notify), {}
        runners = [Runner.of(entry, threads) for entry in selected]
        session = Session(runners, rules, extras, folder, clip, progress, macs, bool(packed))
        protocol = describe_protocol(rules, extras, threads, clip, frames is not None)
        result = BenchResult(machine=machine, protocol=protocol, rows=[runner.row for runner in runners])
        try:
            session.run()
            if extras.data:
                fill_accuracy(runners, extras.data, extras.split, threads, session.step)
        except KeyboardInterrupt:
            result.complete = False
        finally:
            session.close()
    result.finish()
    return result


def _require_valid(threads: int, clip: np.ndarray, extras: Extras) -> None:
    """Refuse settings with which no row can be measured."""
    if not 1 <= threads <= usable_cores():
        raise ConfigError(f"threads must be from 1 to {usable_cores()}, the usable cores; got {threads}")
    if clip.ndim != 4 or clip.shape[1] != 1 or clip.shape[2] != clip.shape[3] or clip.dtype != np.uint8:
        raise ShapeError(f"expected a clip uint8 (T, 1, S, S), got {clip.dtype} {clip.shape}")
    if extras.data:
        require_items(extras.data, extras.split)


def _select(requested: Requested, own_files: Sequence[Path], folder: Path, notify: Notify) -> list[Entry]:
    """Return the requested entries, with defaults for what is None."""
    defaults = DEFAULT_MODELS, DEFAULT_RUNTIMES, DEFAULT_PRECISIONS, FORMS
    models, runtimes, precisions, forms = (
        default if given is None else given for given, default in zip(requested, defaults, strict=True)
    )
    completed = complete_models(models, runtimes, precisions, forms, folder, notify)
    return entries(models, runtimes, precisions, forms, folder, own_files, notify, completed)


def _select_from_pack(
    pack: Pack, requested: Requested, own_files: Sequence[Path], folder: Path, notify: Notify
) -> tuple[list[Entry], Macs]:
    """Return the requested entries of a pack and of own files, and the MACs that the pack contains."""
    models, runtimes, precisions, forms = requested
    selected = pack.entries(runtimes, precisions, forms, models)
    if runtimes is None:
        selected = with_engines(selected, notify)
        runtimes = [runtime for runtime in DEFAULT_RUNTIMES if has_engine(runtime)]  # of own files
    macs = {(entry.source, entry.form): pack.macs.get((entry.model, entry.form)) for entry in selected}
    return selected + (entries([], runtimes, ("fp32",), ("clip",), folder, own_files) if own_files else []), macs


@contextmanager
def work_folder(given: Path | None) -> Iterator[Path]:
    """Yield the given folder, which is made if it does not exist, or a temporary one.

    Raises:
        OutputError: If it cannot be written.
    """
    if given is None:
        with scratch_folder("edgeecho-bench-") as folder:
            yield folder
        return
    require_writable(given)
    yield Path(given)

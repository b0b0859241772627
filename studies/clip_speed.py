"""How fast are training clips made, and for how long would EchoNet-Dynamic train? The figures are in docs/training.md.

    python -m studies.clip_speed KIND:DIR... [--before CHECKOUT]

For each source of clips: the processor time of a clip of 16 frames, with the threads that BLAS takes by itself, and of
reading a cine whole. `--before` also times the code of another checkout of EdgeEcho. Other programs on the machine
change processor time less than time on the clock. Below it, computed from the times of EchoNet-Dynamic's form
(`studies.drawn_echonet` writes one): the hours in which a number of cores makes the clips of 60 epochs, and in which
two cores also train the default network on them.
"""

import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from edgeecho.cli.console import table_console

WARM_UP, CLIPS, ROUNDS = 3, 24, 3
EPOCHS, VIDEOS = 60, 7465
"""Epochs that papers train on EchoNet-Dynamic, and its training videos; an epoch is a clip of each video."""
SHARES = {"Stills": 0.4, "Videos": 0.5, "Phantoms": 0.1}
"""Shares of the sources in configs/echonet_dynamic.toml."""
MACHINES = (2, 8, 16, 64, 128)
"""Numbers of cores."""
NETWORK, BATCH = "cl_unet_edge", 5
WITHOUT = "frames read from the file"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def source_times(data: str, cache_gb: float, folder: str) -> dict[str, float]:
    """Time the sources of a data set, in the process that it is called in.

    Returns:
        Milliseconds of processor time: of a clip by the name of its source, of reading a whole cine as `read`.
    """
    import numpy as np

    from edgeecho.data import open_data
    from edgeecho.train.config import TrainConfig
    from edgeecho.train.training_data import find_sources

    items = open_data(data).items("train")[:40]
    config: Any = TrainConfig().with_value("clips.augment", 0.5)
    if "config" in inspect.signature(find_sources).parameters:
        from edgeecho.train.workers import keep_freed_memory, single_thread

        keep_freed_memory()
        config = config.with_value("run.out", folder).with_value("data.cache_gb", cache_gb)
        sources = find_sources(items, config, _quiet)
    else:  # the code before
        import cv2

        cv2.setNumThreads(0)
        single_thread = nullcontext  # type: ignore[assignment]
        sources = find_sources(items, config.clips, Path(folder), _quiet)  # type: ignore[arg-type, call-arg]
    times = {}
    for _, source in sources:

        def clip(number: int, source: Any = source) -> None:
            with single_thread():
                source.clip(np.random.default_rng(number), config.clips, 112)

        times[type(source).__name__] = _milliseconds(clip, CLIPS)
    return times | {"read": _milliseconds(lambda number: items[number % len(items)].read(), CLIPS)}


def network_time() -> float:
    """Return the milliseconds of processor time of a step of the default network a clip, float32, with one thread."""
    import torch

    from edgeecho.nn import build, new_spec

    torch.set_num_threads(1)
    network = build(new_spec(NETWORK)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    clips = torch.rand(BATCH, 1, 16, 112, 112)
    return _milliseconds(lambda number: network(clips).mean().backward(), 3) / BATCH


def _milliseconds(work: Callable[[int], object], count: int) -> float:
    """Return the processor time of a call, the least of a few rounds of the same calls."""
    for number in range(WARM_UP):
        work(number)
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for number in range(count):
            work(number)
        rounds.append((time.process_time() - start) / count * 1000)
    return min(rounds)


def _quiet(text: str) -> None:
    pass


def timed(data: str, cache_gb: float, checkout: Path) -> dict[str, float]:
    """Time the sources in a process of its own, with the code of a checkout."""
    environment = {key: value for key, value in os.environ.items() if key not in THREADS}
    paths = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
    with TemporaryDirectory() as folder:
        code = Path(__file__).read_text()
        run = subprocess.run(
            [sys.executable, "-c", code, "--job", json.dumps([data, cache_gb, folder])],
            env=environment | {"PYTHONPATH": os.pathsep.join(paths)},
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode:
        sys.exit(f"error: {data}: {(run.stderr.strip().splitlines() or ['it ended'])[-1]}")
    return {str(name): float(value) for name, value in json.loads(run.stdout).items()}


def _estimate(ways: dict[str, dict[str, float]], network_ms: float) -> Table:
    """Return a table of the hours that 60 epochs of EchoNet-Dynamic take."""
    count = EPOCHS * VIDEOS
    table = Table("", *ways, title=f"{EPOCHS} epochs of {VIDEOS} clips, {count} in all: hours (clips/s)")
    per_clip = {way: sum(SHARES[name] * times[name] for name in SHARES) for way, times in ways.items()}

    def hours(ms: float, cores: int) -> str:
        return f"{count * ms / 1000 / cores / 3600:.2f} ({cores * 1000 / ms:.0f})"

    table.add_row("ms to make a clip, one core", *(f"{ms:.1f}" for ms in per_clip.values()))
    for cores in MACHINES:
        table.add_row(f"clips made by {cores} cores", *(hours(ms, cores) for ms in per_clip.values()))
    table.add_row(f"ms of {NETWORK} a clip, one core", *[f"{network_ms:.0f}"] * len(ways))
    table.add_row("clips and network on 2 cores", *(hours(ms + network_ms, 2) for ms in per_clip.values()))
    table.add_row("s to read every cine once", *(f"{VIDEOS * times['read'] / 1000:.0f}" for times in ways.values()))
    return table


def main(arguments: list[str]) -> None:
    """Print a table a data set, and the estimate."""
    before = Path(arguments.pop(arguments.index("--before") + 1)).resolve() if "--before" in arguments else None
    here = Path(__file__).resolve().parent.parent
    for data in (text for text in arguments if text != "--before"):
        ways = {"before": timed(data, 0, before)} if before else {}
        ways |= {WITHOUT: timed(data, 0, here), "decoded frames stored": timed(data, 8, here)}
        table = Table("", *ways, title=f"{data.partition(':')[0]}: processor time of a clip, ms")
        for name in ways[WITHOUT]:
            table.add_row(name, *(f"{times[name]:.1f}" for times in ways.values()))
        table_console().print(table)
        if data.startswith("echonet-dynamic:"):
            table_console().print(_estimate(ways, network_time()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        sys.stdout.write(json.dumps(source_times(*json.loads(sys.argv[2]))))
    else:
        main(sys.argv[1:])

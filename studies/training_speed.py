"""How fast does a network train on this machine? The figures are in docs/training.md.

    python -m studies.training_speed [camus:DIR] [FAMILY...]

The figure is clips per second of whole steps, including the data. The settings run one after another, each in a process
of its own: float32 or bfloat16, clips made between the steps or by workers at the same time, memory returned to the
system after each tensor (the default of glibc) or kept (`MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=...`). Without a
data set the clips are drawn hearts alone.
"""

import json
import os
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from rich.table import Table

from edgeecho.cli.console import table_console

WARM_UP, STEPS = 3, 12
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}
SETTINGS: tuple[tuple[str, str, int, dict[str, str]], ...] = (
    ("float32, no worker", "fp32", 0, {}),
    ("bfloat16, no worker", "bf16", 0, {}),
    ("bfloat16, 1 worker", "bf16", 1, {}),
    ("bfloat16, 2 workers", "bf16", 2, {}),
    ("bfloat16, 2 workers, memory kept", "bf16", 2, KEPT),
)
THREADS = 2


def clips_per_second(data: str, family: str, precision: str, workers: int, folder: str) -> float:
    """Time whole steps of the default recipe, after a few that warm up."""
    import torch

    from edgeecho.data import open_data
    from edgeecho.nn import build, new_spec
    from edgeecho.train.batches import Clips, load_batches
    from edgeecho.train.config import TrainConfig
    from edgeecho.train.losses import Target
    from edgeecho.train.start import SIZE_PX
    from edgeecho.train.state import State
    from edgeecho.train.training_data import find_sources, split_patients

    torch.set_num_threads(THREADS)
    config = TrainConfig().with_value("model.family", family).with_value("run.precision", precision)
    settings = {"run.device": "cpu", "run.workers": workers, "run.out": folder, "optim.steps": WARM_UP + STEPS}
    for key, value in settings.items():
        config = config.with_value(key, value)
    items, _ = split_patients(open_data(data).items("train"), config.data.held_out, config.run.seed)
    clips = Clips(find_sources(items, config, lambda text: None), config, SIZE_PX)
    state = State(config, build(new_spec(family)))
    start = 0.0
    for step, batch in enumerate(load_batches(clips, config, 0)):
        if step == WARM_UP:
            start = time.perf_counter()
        state.advance(batch["frames"], Target.of(batch))
    return STEPS * config.clips.per_step / (time.perf_counter() - start)


def main(arguments: list[str]) -> None:
    """Print a table."""
    data = next((a for a in arguments if ":" in a), "phantom:")
    families = [a for a in arguments if ":" not in a] or ["cl_unet_edge"]
    table = Table(
        "network", "how", "clips/s", "of the first", title=f"Training on {data.partition(':')[0]}, 16 frames a clip"
    )
    with TemporaryDirectory() as folder:
        for family in families:
            first = 0.0
            for name, precision, workers, environment in SETTINGS:
                job = json.dumps([data, family, precision, workers, folder])
                run = subprocess.run(
                    [sys.executable, "-m", "studies.training_speed", "--job", job],
                    env=os.environ | environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if run.returncode:
                    sys.exit(f"error: {family}, {name}: {(run.stderr.strip().splitlines() or ['it ended'])[-1]}")
                rate = float(run.stdout)
                first = first or rate
                table.add_row(family, name, f"{rate:.1f}", f"{rate / first:.2f}x")
    table_console().print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        sys.stdout.write(str(clips_per_second(*json.loads(sys.argv[2]))))
    else:
        main(sys.argv[1:])

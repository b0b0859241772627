"""Logs of a training run: `log.jsonl`, `log.csv`, and event files for TensorBoard."""

import csv
import json
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from edgeecho.errors import require
from edgeecho.files import atomic
from edgeecho.train.config import LossConfig

LOG, TABLE, EVENTS = "log.jsonl", "log.csv", "tensorboard"
"""Validations, one JSON object a line; a table with a row for each report and validation; folder of event files."""
COLUMNS = ("step", "clips", "seconds", "learning_rate", "labels", *(each.name for each in fields(LossConfig)))
COLUMNS += ("dice_ED", "dice_ES", "dice_other", "chosen")
"""Columns of the table. Seconds are counted from the start of the run or of its last resumption; the terms of
the loss are running means; Dice is that of the patients that the checkpoint is chosen on."""


class RunLog:
    """Logs in the folder of a run."""

    def __init__(self, folder: Path, first_step: int, clips_per_step: int, tensorboard: bool) -> None:
        """Open the logs, and drop the entries of steps that will be taken again.

        Args:
            folder: Folder of the run.
            first_step: Step that the run goes on from.
            clips_per_step: Number of clips a step.
            tensorboard: Whether to write event files too.

        Raises:
            MissingExtraError: If event files are asked for and tensorboardX is not installed.
        """
        self.folder, self.first_step, self.clips_per_step = folder, first_step, clips_per_step
        self.started = time.monotonic()
        self.events: Any = None
        if tensorboard:
            writer = require("tensorboardX", "tensorboard").SummaryWriter
            self.events = writer(str(folder / EVENTS), purge_step=first_step + 1)
        _keep(folder / LOG, lambda line: line.endswith("}") and json.loads(line)["step"] <= first_step)
        _keep(folder / TABLE, lambda line: line.startswith("step") or _step_of(line) <= first_step)
        if not (folder / TABLE).exists():
            self._row(dict(zip(COLUMNS, COLUMNS, strict=True)))

    def seconds_left(self, step: int, steps: int) -> float:
        """Estimate the seconds that the steps after `step` take."""
        return (time.monotonic() - self.started) / max(1, step - self.first_step) * (steps - step)

    def add(
        self,
        step: int,
        learning_rate: float,
        losses: dict[str, float],
        scores: dict[str, float] | None = None,
        chosen: bool = False,
    ) -> None:
        """Add a report of the loss, or a validation.

        Args:
            step: Step that was taken last.
            learning_rate: Step size of the next step.
            losses: Running means of the terms of the loss.
            scores: Dice of each phase; empty for a validation on nobody, None where there was no validation.
            chosen: Whether the weights of the validation are the best so far.
        """
        losses = {name: round(value, 5) for name, value in losses.items()}
        dice = {f"dice_{phase}": round(value, 5) for phase, value in (scores or {}).items()}
        row: dict[str, Any] = {
            "step": step,
            "clips": step * self.clips_per_step,
            "seconds": round(time.monotonic() - self.started, 1),
            "learning_rate": f"{learning_rate:.3g}",
        }
        self._row(row | losses | dice | ({"chosen": int(chosen)} if scores is not None else {}))
        if self.events:
            named = {f"loss/{name}": value for name, value in losses.items()} | {"learning_rate": learning_rate}
            for name, value in (named | {f"dice/{phase}": value for phase, value in (scores or {}).items()}).items():
                self.events.add_scalar(name, value, step)
        if scores is not None:
            entry = {"step": step, "loss": losses, "held_out_dice": scores, "chosen": chosen}
            with (self.folder / LOG).open("a") as file:
                file.write(json.dumps(entry) + "\n")
            if self.events:
                self.events.flush()

    def close(self) -> None:
        """Close the event files."""
        if self.events:
            self.events.close()

    def _row(self, values: dict[str, Any]) -> None:
        with (self.folder / TABLE).open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS, extrasaction="ignore").writerow(values)


def _step_of(line: str) -> float:
    """Return the step of a row; infinity for a row that was cut."""
    cells = line.split(",")
    return int(cells[0]) if len(cells) == len(COLUMNS) and cells[0].isdigit() else float("inf")


def _keep(path: Path, keep: Callable[[str], bool]) -> None:
    """Drop the lines of a file that are not to be kept."""
    if path.exists():
        lines = [line for line in path.read_text().splitlines() if keep(line)]
        with atomic(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines))

"""One training run of `studies.claim`, which can be killed and resumed at any point, and its stored result."""

import json
import math
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.errors import ConfigError
from edgeecho.export.graph.clip import FrameNetwork, clip_graph
from edgeecho.files import atomic
from edgeecho.revision import revision
from edgeecho.train.losses import Target
from edgeecho.train.state import State
from studies.claim_clips import PER_STEP, SIZE_PX, Patients, config_of, stored_clips
from studies.claim_networks import FRAMES, ROWS, build_row, definition

POINTS = {"rate": 5, "full": 10}
"""Points of a learning curve, by the kind of the run."""
SEARCH_PART = 4
"""Part of the clips of a full run, as a divisor, that a run to choose the learning rate sees."""
SAVE_S = 300
"""Longest time between two checkpoints, in seconds."""
COUNTED_FRAMES = 32
"""Frames of the clip whose multiply-accumulates are counted: a multiple of what every network needs."""
RESULT, CURVE, STATE, WEIGHTS = "result.json", "curve.json", "state.pt", "weights.pt"


@dataclass(frozen=True)
class Job:
    """A run: a network, its peak learning rate, its seed, and the clips that it sees."""

    row: str
    rate: float
    seed: int
    clips: int
    kind: str
    """`rate` for a run that a learning rate is chosen by, `full` for one that is measured."""

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return f"{self.row}.{self.kind}.{self.rate:g}.seed{self.seed}"


@dataclass(frozen=True)
class Study:
    """Data set, folder and length of the study."""

    data: str
    out: Path
    clips: int
    """Clips of a full run."""
    precision: str
    """Precision of all runs, `fp32` or `bf16`."""
    known: Path | None = None
    """`claim.json` of runs that were finished elsewhere."""

    def folder(self, job: Job) -> Path:
        """Folder of a run."""
        return self.out / "runs" / job.name


def mean_dice(by_patient: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the mean over patients of each phase; a Dice without a value counts as 0."""
    phases = sorted({phase for scores in by_patient.values() for phase in scores})
    values = {p: [np.nan_to_num(scores[p]) for scores in by_patient.values() if p in scores] for p in phases}
    return {phase: round(float(np.mean(found)), 5) for phase, found in values.items()}


def cost(network: FrameNetwork) -> int:
    """Count the multiply-accumulates a frame, in a clip of `COUNTED_FRAMES` frames."""
    graph = clip_graph(network, SIZE_PX, COUNTED_FRAMES)
    return count_macs(graph, COUNTED_FRAMES) // COUNTED_FRAMES


def run_job(job: Job, study: Study) -> None:
    """Train a network, or go on with it, and write its result.

    Raises:
        ConfigError: If the run's folder has the state of another network.
    """
    row, folder = ROWS[job.row], study.folder(job)
    folder.mkdir(parents=True, exist_ok=True)
    network = build_row(row, job.seed)
    state = State(config_of(job.seed, job.clips, job.rate, study.precision), network)
    repeat = FRAMES if row.pools else 1
    train(state, job, study, Patients(study.data, "held-out", repeat))
    result = asdict(job) | {
        "network": definition(job.row),
        "precision": study.precision,
        "revision": revision(),
        "curve": json.loads((folder / CURVE).read_text()),
        "macs_a_frame": cost(build_row(row, job.seed)),
    }
    if job.kind == "full":
        result["validation"] = Patients(study.data, "val", repeat).dice(state.averaged)
        with atomic(folder / WEIGHTS) as path:
            torch.save(state.averaged.state_dict(), path)
    with atomic(folder / RESULT) as path:
        path.write_text(json.dumps(result, indent=1) + "\n")
    (folder / STATE).unlink(missing_ok=True)


def train(state: State, job: Job, study: Study, held_out: Patients) -> None:
    """Take all steps from the saved one on. The curve is written before the state, so that no point is lost.

    A run whose loss is not finite ends; the last point of its curve then has a Dice of 0.
    """
    folder, steps = study.folder(job), job.clips // PER_STEP
    curve: list[dict[str, Any]] = []
    if (folder / STATE).is_file():
        state.load(folder / STATE)
        curve = [point for point in json.loads((folder / CURVE).read_text()) if point["step"] <= state.step]
    stored = stored_clips(study.data, job.seed, study.clips, study.out)
    points = {round(steps * (k + 1) / POINTS[job.kind]) for k in range(POINTS[job.kind])}
    saved, spent = time.monotonic(), 0.0
    while state.step < steps:
        batch = {name: state.compute.put(values) for name, values in stored.batch(state.step).items()}
        started = time.process_time()
        terms = state.advance(batch["frames"], Target.of(batch))
        spent += time.process_time() - started
        finite = math.isfinite(float(terms["labels"]))
        if state.step in points or not finite:
            scores = mean_dice(held_out.dice(state.averaged)) if finite else {"ED": 0.0, "ES": 0.0}
            point = {"step": state.step, "clips": state.step * PER_STEP, "held_out": scores}
            curve.append(point | {"cpu_s": round(spent + (curve[-1]["cpu_s"] if curve else 0.0), 1)})
            spent = 0.0
            print(f"{job.name}: {curve[-1]}", flush=True)
        if state.step in points or not finite or time.monotonic() - saved > SAVE_S:
            with atomic(folder / CURVE) as path:
                path.write_text(json.dumps(curve) + "\n")
            state.save(folder / STATE)
            saved = time.monotonic()
        if not finite:
            return


def read_results(study: Study) -> list[dict[str, Any]]:
    """Return the results of all finished runs of this length, those of `study.known` included, by their names.

    Raises:
        ConfigError: If a result belongs to another network than the row of today, or to a study of another length or
            precision.
    """
    known = json.loads(study.known.read_text()) if study.known else []
    own = [json.loads(path.read_text()) for path in (study.out / "runs").glob(f"*/{RESULT}")]
    by_name = {Job(*(result[field.name] for field in fields(Job))).name: result for result in (*known, *own)}
    found = [by_name[name] for name in sorted(by_name) if by_name[name]["row"] in ROWS]
    for result in found:
        length = study.clips if result["kind"] == "full" else study.clips // SEARCH_PART
        if (result.get("precision"), result["clips"]) != (study.precision, length):
            raise ConfigError(
                f"{study.out}: a run of {result['row']} has {result['clips']} clips in {result.get('precision')}, "
                f"those of this study {length} in {study.precision}; give its --clips and --precision, or other folders"
            )
        today, network = definition(result["row"]), result["network"]
        # A field that the configuration has got or lost since then makes no other network; its size and the rest do.
        shared = today["config"].keys() & network["config"].keys()
        same = all(today["config"][name] == network["config"][name] for name in shared)
        if not same or any(today[key] != network[key] for key in ("family", "peer", "parameters")):
            raise ConfigError(
                f"{study.out}: the runs of {result['row']} are of another network ({network}); move their folders away"
            )
    return found

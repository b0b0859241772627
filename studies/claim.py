"""Does a light network lose Dice against the standard 3D U-Net, if both are trained alike? (docs/ablations.md)

    python -m studies.claim camus:DIR --out DIR [--rows NAME,NAME] [--seeds 1,2,3] [--clips N] [--known FILE] [--report]

Every network of `ROWS` (studies/claim_networks.py) is trained on the labels of ED and ES of CAMUS's training list, on
the same clips of 8 frames of 64 x 64 pixels: clip i of step s depends on the seed, s and i alone, and the clips of a
seed are made once. Each network has its own learning rate: the best of three on 40 training patients that are held
out, after a quarter of the clips; if the best is the largest or the smallest of them, one beyond it is tried too. The
averaged weights of the last step are measured on the validation list, by patient. The loss is that of the labels alone.
Before any network was measured there, this was fixed: a network is called without loss if the lower end of the 95%
interval of its paired difference is above -0.01 at ED and at ES.

The study takes many hours; the table has those of each network's run. It can be killed at any time, and the same
command goes on; several processes may run at once. Each finished run is a file `result.json`; `claim.json` has all of
them with their curves, and `claim.png` shows the curves. `--known claim.json` goes on elsewhere. With `--report`
nothing is trained.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from edgeecho.errors import EdgeEchoError
from edgeecho.train.compute import Compute
from studies.claim_clips import PER_STEP, lock
from studies.claim_networks import ROWS
from studies.claim_run import CURVE, POINTS, RESULT, SEARCH_PART, Job, Study, read_results, run_job
from studies.claim_table import Results, last_dice, of, report

SEARCH_SEED = 1
MAX_RATES = 5
"""Learning rates that are tried at most."""


def tried_rates(name: str, results: Results) -> dict[float, float]:
    """Return the Dice on held-out patients, mean of ED and ES, by each learning rate of a row that was tried."""
    return {run["rate"]: last_dice(run) for run in of(results, name, "rate")}


def missing_rates(name: str, results: Results) -> list[float]:
    """Return the learning rates that are still to be tried: the row's three, then one beyond an end that is best."""
    tried = tried_rates(name, results)
    lacking = [rate for rate in ROWS[name].rates if rate not in tried]
    if lacking or len(tried) >= MAX_RATES:
        return lacking
    best = max(tried, key=lambda rate: tried[rate])
    if best == max(tried):
        return [float(f"{best * 3:.1g}")]
    return [float(f"{best / 3:.1g}")] if best == min(tried) else []


def planned(study: Study, rows: list[str], seeds: list[int], results: Results) -> Iterator[Job]:
    """Yield the runs that can start now, the most needed first.

    The light networks come first with all seeds, then the learning rates and the first seed of the others, then their
    other seeds. A full run waits for the learning rates of its row.
    """
    done = {(r["row"], r["kind"], r["rate"], r["seed"]) for r in results}
    light = [name for name in rows if ROWS[name].light]
    heavy = [name for name in rows if not ROWS[name].light]
    for names, some in ((light, seeds), (heavy, seeds[:1]), (heavy, seeds[1:])):
        for name in names:
            if rates := missing_rates(name, results):
                if seeds[0] in some:
                    yield from (Job(name, rate, SEARCH_SEED, study.clips // SEARCH_PART, "rate") for rate in rates)
                continue
            tried = tried_rates(name, results)
            best = max(tried, key=lambda rate: tried[rate])
            for seed in some:
                if (name, "full", best, seed) not in done:
                    yield Job(name, best, seed, study.clips, "full")


def run_next(study: Study, rows: list[str], seeds: list[int]) -> bool:
    """Run the first planned run that no other process has, and return whether there was one."""
    for job in planned(study, rows, seeds, read_results(study)):
        with lock(study.folder(job) / "lock", wait=False) as free:
            if free and not (study.folder(job) / RESULT).is_file():
                run_job(job, study)
                return True
    return False


def print_report(study: Study, rows: list[str], seeds: list[int]) -> None:
    """Print the tables of the finished runs, and how far the next ones are."""
    results = read_results(study)
    report(results, rows, study.out)
    for job in planned(study, rows, seeds, results):
        curve = study.folder(job) / CURVE
        seen = json.loads(curve.read_text())[-1]["clips"] if curve.is_file() and curve.stat().st_size > 3 else 0
        print(f"not finished: {job.name}, {seen} of {job.clips} clips", flush=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="camus:DIR")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--clips", type=int, default=12000, help="Clips of a full run.")
    parser.add_argument(
        "--precision", default="auto", help="fp32 or bf16; auto: what the processor or GPU computes in."
    )
    parser.add_argument("--known", type=Path, help="claim.json of runs that were finished elsewhere; they count too.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="Train nothing; report the finished runs.")
    options = parser.parse_args()
    rows, seeds = options.rows.split(","), [int(seed) for seed in options.seeds.split(",")]
    if options.known and not options.known.is_file():
        parser.error(f"--known {options.known}: no such file")
    if unknown := set(rows) - set(ROWS):
        parser.error(f"unknown rows {', '.join(sorted(unknown))}; known: {', '.join(ROWS)}")
    multiple = SEARCH_PART * PER_STEP * max(POINTS.values())
    if options.clips % multiple:
        parser.error(f"--clips must be a multiple of {multiple}, got {options.clips}")
    torch.set_num_threads(options.threads)
    try:
        precision = Compute.choose("auto", options.precision).precision
        study = Study(options.data, options.out, options.clips, precision, options.known)
        while not options.report and run_next(study, rows, seeds):
            print_report(study, rows, seeds)
        print_report(study, rows, seeds)
    except EdgeEchoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

"""Several processes of a command at once, in one place: none may spoil what another one writes.

    python -m tests.robustness.crowd --rounds 5

Three processes of each command of `kills` start one soon after another, the second with other options where that makes
other files. Each must end by itself, with its result or one line. Then every file with a final name must be
whole, figures those of the masks beside them, and no temporary may be left.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.robustness.child import Ended, clean_environment, run
from tests.robustness.kills import broken_files, temporaries, unlike_masks, workplace

PROCESSES = 3
OTHER = {
    "segment": ("--model", "cl_unet_nano"),
    "segment, two processes": ("--model", "cl_unet_nano"),
    "export": ("--method", "percentile"),
}
"""Options of the second process, by command."""


def start_together(argvs: list[list[str]], delays_s: list[float], env: dict[str, str]) -> list[Ended]:
    """Run commands at once, each after a delay."""

    def wait_and_run(argv: list[str], delay_s: float) -> Ended:
        time.sleep(delay_s)
        return run(argv, env=env, timeout_s=600)

    with ThreadPoolExecutor(len(argvs)) as pool:
        return list(pool.map(wait_and_run, argvs, delays_s))


def crowd_all(rounds: int, seed: int = 0, only: str = "") -> dict[str, object]:
    """Run every command by several processes so often, and return the figures.

    Args:
        rounds: Number of rounds; in each every command has its turn.
        seed: Seed of the delays.
        only: Names of the commands with semicolons between; all if empty.
    """
    rng, faults, refused, started = np.random.default_rng(seed), list[str](), 0, 0
    with workplace() as (out, scratch, made):
        env = clean_environment(TMPDIR=str(scratch))
        made = {name: made[name] for name in only.split(";")} if only else made
        for number in range(rounds):
            for name, argv in made.items():
                argvs = [argv, [*argv, *OTHER.get(name, ())], argv]
                ended = start_together(argvs, list(rng.uniform(0, 2.0, PROCESSES)), env)
                where = f"round {number}, {name}"
                started += len(ended)
                refused += sum(each.code != 0 for each in ended)
                faults += [f"{where}: {each.fault}" for each in ended if each.fault]
                faults += [f"{where}: left: {path}" for path in temporaries(out, scratch)]
                faults += [f"{where}: {path} is broken" for path in broken_files(out)]
                for folder in {path.parent for path in out.rglob("heart.json")}:
                    faults += [f"{where}, {folder.name}: {fault}" for fault in unlike_masks(folder)]
                last = [(each.stderr.strip() or "-").splitlines()[-1] for each in ended if each.code]
                print(f"{where}: {[each.code for each in ended]} {last}", file=sys.stderr)
    return {"processes": started, "refused": refused, "faults": faults}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="names of commands with semicolons between")
    given = parser.parse_args()
    print(json.dumps(crowd_all(given.rounds, given.seed, given.only), indent=1))

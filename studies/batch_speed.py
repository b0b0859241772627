"""Many cines: how much faster are two processes, and is a run that was killed complete? (docs/clinic.md)

    python -m studies.batch_speed --cines 2000 --kills 3

Small drawn cines are segmented without video by one process of one thread and by two, and by two processes that are
killed in the middle several times and go on with --resume. Prints the time of each, cines per process and hour, and
whether all results are the same bytes.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from edgeecho.synthetic.phantom import draw_cine

SIDE_PX, FRAMES = 112, 32


def write_cines(folder: Path, count: int) -> None:
    """Write small cines of some drawn hearts, each file different by its first frame."""
    folder.mkdir(parents=True)
    hearts = []
    for seed in range(min(count, 20)):
        cine = draw_cine(seed)
        small = [cv2.resize(frame, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for frame in cine.frames[:FRAMES]]
        hearts.append((np.stack(small), cine.fps))
    for number in range(count):
        frames, fps = hearts[number % len(hearts)]
        frames = np.roll(frames, number // len(hearts) % 4, axis=2)
        np.savez(folder / f"heart{number:05d}.npz", frames=frames, fps=fps or 30.0, number=number)


def run(cines: Path, out: Path, jobs: int, flags: list[str]) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own."""
    command = [sys.executable, "-m", "edgeecho", "segment", str(cines), "--out", str(out), "--jobs", str(jobs)]
    command += ["--threads", "1", "--no-video"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, *flags], start_new_session=True, **quiet)  # type: ignore[call-overload,no-any-return]


def timed(cines: Path, out: Path, jobs: int, flags: list[str]) -> float:
    """Run to the end and return the seconds."""
    started = time.perf_counter()
    if run(cines, out, jobs, flags).wait():
        raise SystemExit("a run failed")
    return time.perf_counter() - started


def contents(out: Path) -> dict[str, bytes]:
    """Return the results of a run; hidden files of a killed process are none."""
    return {path.name: path.read_bytes() for path in out.iterdir() if not path.name.startswith(".")}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cines", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="Write pages too.")
    options = parser.parse_args()
    flags = [] if options.page else ["--no-page"]
    with tempfile.TemporaryDirectory() as folder:
        cines, one, two, killed = (Path(folder, name) for name in ("cines", "one", "two", "killed"))
        write_cines(cines, options.cines)
        seconds = {jobs: timed(cines, out, jobs, flags) for jobs, out in ((1, one), (2, two))}
        for jobs, taken in seconds.items():
            rate = options.cines / taken / jobs * 3600
            print(f"{jobs} process(es): {taken:.1f} s, {rate:.0f} cines per process and hour")
        print(f"two against one: {seconds[1] / seconds[2]:.2f}x")
        print(f"same bytes: {contents(one) == contents(two)}", flush=True)
        shutil.rmtree(two)
        chance = random.Random(0)
        for _ in range(options.kills):
            process = run(cines, killed, 2, [*flags, "--resume"])
            time.sleep(seconds[2] / (options.kills + 1) * chance.uniform(0.6, 1.0))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            print(f"killed with {len(list(killed.glob('*.json')))} of {options.cines} done", flush=True)
        timed(cines, killed, 2, [*flags, "--resume"])
        print(f"after {options.kills} kills: same bytes: {contents(one) == contents(killed)}")


if __name__ == "__main__":
    main()

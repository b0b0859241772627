"""Faults of the world: full disks, folders that cannot be written, closed streams, odd files, signals.

    python -m tests.robustness.faults

Every case is a command that must end within its time, with one line that says what is wrong (or with its work done),
and without a traceback or a half-written file.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.robustness.child import ROOT, Ended, clean_environment, edgeecho_command, run
from tests.robustness.kills import broken_files, temporaries
from tests.robustness.silence import write_inputs

Case = tuple[str, Callable[[], Ended], tuple[int, ...]]
"""Name, function that runs it, and the exit codes that are right."""


def odd_folder(folder: Path, cine: Path) -> Path:
    """Make a folder of a sound cine and of everything that a file system can hold beside it."""
    folder.mkdir()
    shutil.copy(cine, folder / "sound.avi")
    os.mkfifo(folder / "pipe.avi")
    os.mkfifo(folder / "pipe.npz")
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.json")
    (folder / "endless.mp4").symlink_to("/dev/zero")
    (folder / "nowhere.dcm").symlink_to("/nonexistent")
    (folder / "circle.avi").symlink_to(folder / "circle.avi")
    (folder / "empty.gif").touch()
    (folder / "folder.avi").mkdir()
    shutil.copy(cine, os.path.join(os.fsencode(folder), b"not-utf8-\xff.avi"))
    shutil.copy(cine, folder / "new\nline \x1b[31m.avi")
    series = folder / "series"
    series.mkdir()
    os.mkfifo(series / "0.png")
    (series / "1.png").symlink_to("/dev/zero")
    return folder


def cases(work: Path) -> Iterator[Case]:
    """Yield every case."""
    cine, data, config = write_inputs(work)
    own, nano = edgeecho_command, "cl_unet_nano"
    odd = odd_folder(work / "odd", cine)
    yield "a folder of odd files", lambda: run(own("segment", odd, "--out", work / "odd-out", "--jobs", "1")), (1,)
    yield "a series of pipes", lambda: run(own("segment", odd / "series", "--out", work / "o1"), timeout_s=40), (1,)
    pipe = work / "pipe.onnx"
    os.mkfifo(pipe)
    yield "a model that is a pipe", lambda: run(own("info", pipe), timeout_s=40), (1,)
    yield "a configuration that is a pipe", lambda: run(own("train", odd / "pipe"), timeout_s=40), (2,)
    no_place = "/proc/edgeecho/out"
    yield "segment into no place", lambda: run(own("segment", cine, "--out", no_place)), (1,)
    yield "eval into no place", lambda: run(own("eval", nano, "--data", f"camus:{data}", "--out", no_place)), (1,)
    yield "export into no place", lambda: run(own("export", nano, "--out", no_place)), (1,)
    yield "train into no place", lambda: run(own("train", config, "--set", f"run.out={no_place}")), (1,)
    yield "bench into no place", lambda: run(own("bench", "--out", no_place)), (1,)
    with open("/dev/full", "wb") as full:
        yield "output on a full disk", lambda: run(own("info", nano), stdout=full.fileno()), (1,)
        yield "messages on a full disk", lambda: run(own("info", nano), stderr=full.fileno()), (0,)
    closed = ["sh", "-c", f"exec {' '.join(own('info', nano))} 0<&- 1>&- 2>&-"]
    yield "all streams closed", lambda: run(closed), (0,)
    yield "too many threads", lambda: run(own("segment", cine, "--out", work / "o2", "--threads", "100000")), (2,)
    yield "memory in no size", lambda: run(own("segment", cine, "--out", work / "o3", "--max-memory", "much")), (2,)
    yield "too little memory", lambda: run(own("segment", cine, "--out", work / "o4", "--max-memory", "1K")), (2,)


def full_disk(work: Path, cine: Path, config: Path) -> dict[str, Ended]:
    """Run commands that write on a file system of 300 kB, in a mount namespace of their own."""
    found = {}
    for name, argv in (
        ("segment", edgeecho_command("segment", cine, "--out", "/mnt/out")),
        ("train", edgeecho_command("train", config, "--set", "run.out=/mnt/run")),
        ("export", edgeecho_command("export", "cl_unet_nano", "--out", "/mnt/exported")),
    ):
        inner = f"mount -t tmpfs -o size=300k tmpfs /mnt && {' '.join(argv)}; code=$?; ls -A /mnt /mnt/*; exit $code"
        found[name] = run(["unshare", "-rm", "sh", "-c", inner], timeout_s=300)
    return found


def has_namespaces() -> bool:
    """Whether this machine lets a user make a mount namespace."""
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(
            ["unshare", "-rm", "true"], check=False, capture_output=True, cwd=ROOT, env=clean_environment()
        ).returncode
    )


def try_faults() -> dict[str, object]:
    """Run every case, and return the figures."""
    faults, number = [], 0
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        work = Path(folder)
        for name, case, codes in cases(work):
            ended = case()
            number += 1
            fault = ended.fault or ("" if ended.code in codes else f"ended with {ended.code}: {ended.stderr[-200:]}")
            faults += [f"{name}: {fault}"] if fault else []
            said = (ended.stderr.splitlines() or [""])[-1]
            print(f"{name}: {ended.code}, {ended.seconds:.1f} s, {said[:120]}", file=sys.stderr)
        if has_namespaces():
            for name, ended in full_disk(work, work / "heart.avi", work / "run.toml").items():
                number += 1
                left = [
                    line for line in ended.stdout.splitlines() if line.startswith((".writing", ".export", "edgeecho-"))
                ]
                fault = ended.fault or ("" if ended.code == 1 else f"ended with {ended.code}") or ", ".join(left)
                faults += [f"full disk, {name}: {fault}"] if fault else []
                print(f"full disk, {name}: {ended.code}, {ended.stderr.strip()[-120:]}", file=sys.stderr)
        faults += [f"broken: {path}" for path in broken_files(work) if not path.startswith("odd/")]
        faults += [f"left: {path}" for path in temporaries(work)]
    return {"cases": number, "faults": faults}


if __name__ == "__main__":
    print(json.dumps(try_faults(), indent=1))

"""Kills at random moments of commands that write: nothing half-written may be left under a final name.

    python -m tests.robustness.kills --kills 200

Each command is killed (SIGKILL, and SIGTERM one time in four) at a moment of its usual run. Then every file with a
final name must be whole, and figures must be those of the masks beside them; a corrected result must have its figures
once its folder is swept; after one more run that is not killed, no temporary may be left.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from edgeecho.errors import EdgeEchoError
from edgeecho.leftovers import PREFIXES, sweep
from edgeecho.model.integrity import verify_model
from edgeecho.model.sealed_file import SUFFIXES, read_verified
from tests.robustness.child import clean_environment, edgeecho_command, run
from tests.robustness.silence import write_inputs

CORRECTED = "corrected"
"""Folder of the result that `measure` corrects."""


def commands(folder: Path, out: Path) -> dict[str, list[str]]:
    """Return the commands that are killed, by name, each writing into `out`."""
    cine, data, config = write_inputs(folder)
    text = config.read_text().replace(str(folder / "run"), str(out / "train"))
    config.write_text(text)
    own, nano, source = edgeecho_command, "cl_unet_nano", f"camus:{data}"
    result, mask = out / CORRECTED / f"{cine.stem}.json", folder / "mask.png"
    return {
        "segment": own("segment", cine, "--out", out / "segment"),
        "segment, two processes": own("segment", cine, cine, data, "--out", out / "folder", "--jobs", "2"),
        "measure": own("measure", result, "--mask", f"3={mask}"),
        "measure, restored": own("measure", result, "--restore"),
        "live": own("live", cine, "--headless", "--out", out / "live"),
        "train": own("train", config),
        "export": own("export", nano, "--calib", source, "--out", out / "exported"),
        "bench": own("bench", "--models", nano, "--precisions", "int8", "--forms", "clip", "--out", out / "bench"),
    }


@contextmanager
def workplace() -> Iterator[tuple[Path, Path, dict[str, list[str]]]]:
    """Yield a folder for results, one for temporaries, and the commands, whose inputs are written."""
    with tempfile.TemporaryDirectory(prefix="edgeecho-robustness-") as work:
        out, scratch, inputs = Path(work, "out"), Path(work, "tmp"), Path(work, "in")
        for folder in (out, scratch, inputs):
            folder.mkdir()
        made = commands(inputs, out)
        _write_corrected(inputs, out)
        yield out, scratch, made


def _write_corrected(folder: Path, out: Path) -> None:
    """Segment the cine of `write_inputs`, and write a mask by which `measure` corrects the result."""
    run(edgeecho_command("segment", folder / "heart.avi", "--out", out / CORRECTED), env=clean_environment())
    figures = json.loads((out / CORRECTED / "heart.json").read_text())
    mask = np.zeros((figures["height"], figures["width"]), np.uint8)
    mask[mask.shape[0] // 4 : mask.shape[0] // 2, mask.shape[1] // 3 : mask.shape[1] // 2] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)


def unlike_masks(folder: Path) -> list[str]:
    """Return what is wrong with the corrected result: no figures, or figures of other masks than those beside them."""
    sweep(folder)
    path = folder / "heart.json"
    if not path.is_file():
        return [f"{path.name} is lost"]
    with np.load(path.with_suffix(".npz")) as arrays:
        area = arrays["mask"].sum(axis=(1, 2))
    return [] if np.array_equal(area, json.loads(path.read_text())["area_px"]) else [f"{path.name} is of other masks"]


def broken_files(folder: Path) -> list[str]:
    """Return the files of a folder that have a final name and are not whole."""
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(PREFIXES) for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and not _is_whole(path):
            found.append(str(path.relative_to(folder)))
    found += [f"{path}: {verify_model(str(path)).errors[0]}" for path in folder.rglob("exported") if _is_damaged(path)]
    return found


def _is_damaged(folder: Path) -> bool:
    try:
        return bool(verify_model(str(folder)).errors)
    except EdgeEchoError:
        return True


def _is_whole(path: Path) -> bool:
    try:
        if path.suffix in SUFFIXES:
            read_verified(path)
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                return all(arrays[name] is not None for name in arrays.files)
        elif path.suffix == ".html":
            return path.read_text().rstrip().endswith("</html>")
        elif path.suffix == ".png":
            return path.read_bytes().endswith(b"IEND\xaeB`\x82")
    except (EdgeEchoError, ValueError, OSError):
        return False
    return True


def temporaries(*folders: Path) -> list[str]:
    """Return the temporaries of EdgeEcho in folders, at any depth."""
    return [str(path) for folder in folders for path in folder.rglob("*") if path.name.startswith(PREFIXES)]


def kill_all(kills: int, seed: int = 0, only: str = "") -> dict[str, object]:
    """Kill commands in turns so often, and return the figures.

    Args:
        kills: Number of kills.
        seed: Seed of the moments.
        only: Names of the commands with semicolons between; all if empty.
    """
    rng, faults, hits = np.random.default_rng(seed), list[str](), 0
    with workplace() as (out, scratch, made):
        env = clean_environment(TMPDIR=str(scratch))
        made = {name: made[name] for name in only.split(";")} if only else made
        usual = {name: run(argv, env=env, timeout_s=600).seconds for name, argv in made.items()}
        for number in range(kills):
            name = list(made)[number % len(made)]
            argv = [*made[name], "--resume"] if name == "train" and (out / "train" / "last.pt").exists() else made[name]
            sent = signal.SIGTERM if number % 4 == 3 else signal.SIGKILL
            moment = float(rng.uniform(0.05, 1.0)) * usual[name]
            ended = run(argv, env=env, timeout_s=600, kill_after_s=moment, signal_number=sent)
            hits += ended.code not in (0, 1, 2)
            where = f"kill {number}, {name} at {moment:.1f} s by {sent.name}"
            faults += [f"{where}: {path} is broken" for path in broken_files(out)]
            faults += [f"{where}: {fault}" for fault in unlike_masks(out / CORRECTED)]
            if ended.fault.startswith(("hung", "traceback")):
                faults.append(f"{where}: {ended.fault}")
            print(f"{where}: {ended.code}", file=sys.stderr)
        for name, argv in made.items():
            again = [*argv, "--resume"] if name == "train" else argv
            run(again, env=env, timeout_s=600)
        faults += [f"left after the last runs: {path}" for path in temporaries(out, scratch)]
    return {"kills": kills, "hit_while_running": hits, "faults": faults}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="names of commands with semicolons between")
    given = parser.parse_args()
    print(json.dumps(kill_all(given.kills, given.seed, given.only), indent=1))

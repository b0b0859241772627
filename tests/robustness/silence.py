"""Whether a command reports to anybody: its sockets, and what it leaves in the home directory.

    python -m tests.robustness.silence

Every command and every engine is run with an empty home directory, and traced by `strace`: a connection, or a packet,
to an address that is not of this machine is a fault, and so is a file in the home directory. A look-up of a name is a
packet to the server of names, which is found in the same way.
"""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.cine.files import write_video
from tests.helpers import draw_heart, write_camus
from tests.robustness.child import clean_environment, edgeecho_command, run

_SENDS = re.compile(r"^\d+ +(?:connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?")
_HERE = re.compile(r'inet_addr\("127\.|"::1"|"::ffff:127\.')
_WATCHED = "connect,sendto,sendmsg,sendmmsg"


def watch(argv: Sequence[str], folder: Path, timeout_s: float = 300.0) -> list[str]:
    """Run a command with an empty home directory.

    Args:
        argv: The command.
        folder: Folder for the home directory and the trace.
        timeout_s: Time after which it is ended; what it did until then counts.

    Returns:
        Faults, each in words; empty if it was silent.
    """
    home, trace = folder / "home", folder / "trace"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    traced = ["strace", "-f", "-qq", "-e", f"trace={_WATCHED}", "-e", "signal=none", "-o", str(trace), *argv]
    ended = run(traced, env=clean_environment(home), timeout_s=timeout_s)
    sent = [line for line in trace.read_text(errors="replace").splitlines() if _SENDS.match(line)]
    faults = [f"sends: {line[:140]}" for line in sent if not _HERE.search(line)][:3]
    faults += [f"writes {path.relative_to(home)} in the home directory" for path in sorted(home.rglob("*"))][:3]
    if ended.code not in (0, -9) or ended.fault.startswith("traceback"):
        faults.append(f"ended with {ended.code}: {ended.stderr.strip()[-200:]}")
    return faults


def write_inputs(folder: Path) -> tuple[Path, Path, Path]:
    """Write a cine, a data set and a configuration of training, and return their paths."""
    frames = draw_heart(np.random.default_rng(0), frames=40)[0]
    cine = write_video(folder / "heart.avi", frames)
    data = write_camus(folder / "camus", 4, 2)
    config = folder / "run.toml"
    config.write_text(
        '[model]\nname = "tiny"\noverrides = {widths = [8, 8, 16, 16]}\nsize_px = 48\n'
        f'[data]\nsource = "camus:{data}"\nheld_out = 2\n'
        "[clips]\nper_step = 2\nframes = 4\nphantom = 0.0\n"
        f'[optim]\nsteps = 4\n[run]\nout = "{folder / "run"}"\nworkers = 1\n'
    )
    return cine, data, config


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the commands that are watched, by name."""
    cine, data, config = write_inputs(folder)
    source, nano = f"camus:{data}", "cl_unet_nano"
    own = edgeecho_command
    made = {
        f"segment, {runtime}": own("segment", cine, "--out", folder / f"out-{runtime}", "--runtime", runtime)
        for runtime in ("ort", "openvino")
    }
    checkpoint = Path(__file__).parents[2] / "models" / nano / f"{nano}.safetensors"
    made["segment, torch"] = own("segment", cine, "--out", folder / "out-torch", "--model", checkpoint)
    made["segment, stream, openvino"] = own(
        "segment", cine, "--out", folder / "out-stream", "--runtime", "openvino", "--stream"
    )
    made["live"] = own("live", cine, "--headless")
    made["eval"] = own("eval", nano, "--data", source, "--out", folder / "eval")
    made["info"] = own("info", nano)
    made["models"] = own("models")
    made["selftest"] = own("selftest", nano)
    made["data check"] = own("data", "check", source)
    made["train"] = own("train", config)
    made["export"] = own("export", nano, "--calib", source, "--out", folder / "exported")
    made["bench"] = own("bench", "--models", nano, "--precisions", "int8", "--forms", "clip", "--out", folder / "bench")
    return made


def watch_all() -> dict[str, object]:
    """Watch every command, and return the figures."""
    faults = []
    with tempfile.TemporaryDirectory(prefix="silence-") as folder:
        watched = commands(Path(folder))
        for name, argv in watched.items():
            found = watch(argv, Path(folder, "watch"))
            print(f"{name}: {found or 'silent'}", file=sys.stderr)
            faults += [f"{name}: {fault}" for fault in found]
    return {"commands": len(watched), "faults": faults}


if __name__ == "__main__":
    print(json.dumps(watch_all(), indent=1))

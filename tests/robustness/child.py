"""Run a command in a process of its own, with limits of time and memory, and say how it ended."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HANG_SECONDS = 20.0
"""A process that reads one file and takes longer hangs."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    """Exit code; negative for a signal."""
    seconds: float
    peak_mb: float
    """Largest resident memory of the process itself, as `peak_mb` finds it."""
    stdout: str
    stderr: str
    timed_out: bool = False

    @property
    def fault(self) -> str:
        """What a process must never do, in words; empty if it did none of it."""
        if self.timed_out:
            return f"hung, {self.seconds:.0f} s"
        if self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        if "Traceback (most recent call last)" in self.stderr:
            return f"traceback: {self.stderr.strip().splitlines()[-1][:120]}"
        return ""


def edgeecho_command(*arguments: object) -> list[str]:
    """Return the command `edgeecho ARGUMENTS` of this interpreter."""
    return [sys.executable, "-m", "edgeecho", *map(str, arguments)]


def clean_environment(home: Path | None = None, **more: str) -> dict[str, str]:
    """Return the environment of this process for a child: the checkout first, and nothing that hides a fault."""
    hidden = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR")
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    return kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | ({"HOME": str(home)} if home else {}) | more


def run(
    argv: Sequence[str],
    *,
    timeout_s: float = 120.0,
    env: Mapping[str, str] | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    kill_after_s: float | None = None,
    signal_number: int = signal.SIGKILL,
) -> Ended:
    """Run a command in a session of its own; whatever of it is left is killed at the end.

    Args:
        argv: The command.
        timeout_s: Time after which it is killed and counts as hung.
        env: Environment; that of `clean_environment` if not given.
        stdout: Descriptor of its standard output; None keeps the text.
        stderr: Descriptor of its standard error; None keeps the text.
        kill_after_s: Time after which it is sent `signal_number`; None for never.
        signal_number: Signal that is sent.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=dict(env or clean_environment()),
            stdin=subprocess.DEVNULL,
            stdout=out if stdout is None else stdout,
            stderr=err if stderr is None else stderr,
            start_new_session=True,
        )
        timed_out, status, peak = False, 0, 0.0
        while True:
            peak = max(peak, peak_mb(process.pid))
            found, status = os.waitpid(process.pid, os.WNOHANG)
            if found:
                break
            passed = time.monotonic() - start
            if kill_after_s is not None and passed >= kill_after_s:
                _send(process.pid, signal_number)
                kill_after_s = None
            if passed > timeout_s:
                timed_out = True
                _send(process.pid, signal.SIGKILL)
            time.sleep(0.005)
        process.returncode = os.waitstatus_to_exitcode(status)
        _send(process.pid, signal.SIGKILL)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    seconds = time.monotonic() - start
    return Ended(process.returncode, seconds, peak, texts[0], texts[1], timed_out)


def peak_mb(process: int | str = "self") -> float:
    """Return the most resident memory of a process so far in MB (Linux); 0 if it has ended.

    `ru_maxrss` is not taken, as it begins with the memory of the parent.
    """
    with contextlib.suppress(OSError), open(f"/proc/{process}/status") as file:
        return next((int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM")), 0.0)
    return 0.0


def _send(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)

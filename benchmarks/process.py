"""The caller's side of a row's process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from edgeecho.errors import EdgeEchoError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class RowError(EdgeEchoError):
    """A row cannot be measured; the others go on."""


class RowProcess:
    """One worker, asked line by line. It works only while it is asked, so rows do not disturb each other."""

    def __init__(self, path: Path, runtime: str, threads: int, frames_file: Path, warm_up_seconds: float) -> None:
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edgeecho.benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl-C is the caller's to handle
        )
        job = {
            "path": str(path),
            "runtime": runtime,
            "threads": threads,
            "frames_file": str(frames_file),
            "warm_up_seconds": warm_up_seconds,
        }
        try:
            self.opened = self._ask(job)
        except BaseException:
            self.close()
            raise

    def run(self, times: int) -> dict[str, Any]:
        """Time that many runs: `ms`, `cpu_seconds`, `wall_seconds`, `peak_rss_mb`."""
        return self._ask({"run": times})

    def convolutions(self) -> dict[str, int] | None:
        """Convolutions by the precision that ran; the last thing to ask, as it costs memory."""
        found: dict[str, int] | None = self._ask({"finish": True})["convolutions"]
        return found

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(command) + "\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self._process.wait()
            raise RowError(f"its process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RowError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe:
                    pipe.close()
            except BrokenPipeError:
                pass

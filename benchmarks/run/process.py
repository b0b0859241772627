"""Process of a row, from the caller's side."""

import json
import os
import subprocess
import sys
from typing import Any

from edgeecho.errors import EdgeEchoError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class RowError(EdgeEchoError):
    """Error of one row; the others go on."""


class RowProcess:
    """Worker process of one row. It is idle between requests, so rows do not disturb each other."""

    def __init__(self, job: dict[str, Any]) -> None:
        """Start the process and load the row.

        Args:
            job: `Entry.job`, and threads, frames_file and warm_up_seconds.

        Raises:
            RowError: If the row cannot be opened.
        """
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(job["threads"]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edgeecho.benchmarks.run.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl-C is the caller's to handle
        )
        try:
            self.loading = self._exchange(job)
        except BaseException:
            self.close()
            raise

    def request(self, what: str, **settings: Any) -> dict[str, Any]:
        """Send a request (`run`, `live`, `end_to_end`, `profile`, `estimates`, `read_back`) and return the reply.

        Raises:
            RowError: If it failed; later requests may still succeed.
        """
        return self._exchange({"do": what, **settings})

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """Write a line and return the line that the worker replies with."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(message) + "\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self._process.wait()
            raise RowError(f"its process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise RowError(reply["error"])
        return reply

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

"""Peers exported by the test's own process."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from edgeecho.benchmarks.run.export_peer import export_peer


@pytest.fixture
def exported_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process export peers, which has imported the exporter already: a new one takes seconds for that."""

    def run(command: list[str], *, input: str, **_: object) -> subprocess.CompletedProcess[str]:
        export_peer(**json.loads(input))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("edgeecho.benchmarks.run.peer_files.subprocess", SimpleNamespace(run=run))

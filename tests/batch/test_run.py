"""A run over cines: the same results by one process and by several, going on, and processes that are killed."""

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgeecho.batch import CineOptions, ModelChoice, Outcome, Settings, run_batch
from edgeecho.batch.run import prepare_batch
from edgeecho.batch.table import COLUMNS
from edgeecho.errors import ConfigError, OutputError
from edgeecho.leftovers import KEPT, NAMES, UNDO
from tests.helpers import of_dead_process

MODEL = "cl_unet_nano"


@pytest.fixture
def folder(tmp_path: Path, heart: np.ndarray) -> Path:
    """Four small cines and one that is none."""
    folder = tmp_path / "cines"
    folder.mkdir()
    for number in range(4):
        np.savez(folder / f"heart{number}.npz", frames=heart[:, number:, :], fps=25, spacing_mm=(0.9, 0.8))
    (folder / "heart9.npz").write_bytes(b"no archive")
    return folder


def run(source: Path, out: Path, *, jobs: int = 1, resume: bool = False, threads: int | None = 1) -> list[Outcome]:
    choice = ModelChoice(model=MODEL, threads=threads)
    settings = Settings(out=str(out), choice=choice, write_video=False, resume=resume)
    return list(run_batch(prepare_batch([str(source)], CineOptions(), settings, jobs=jobs), lambda *_: None))


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_processes_write_the_same_bytes_as_one(folder: Path, tmp_path: Path) -> None:
    first = run(folder, tmp_path / "one")
    assert [bool(outcome.error) for outcome in first] == [False] * 4 + [True]
    second = run(folder, tmp_path / "two", jobs=2)
    assert [outcome.task.name for outcome in second] == [outcome.task.name for outcome in first]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert not list((tmp_path / "one").glob("*.webm"))


def test_the_table_has_a_row_for_each_cine(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    table = rows(out)
    assert list(table[0]) == [column.name for column in COLUMNS]
    assert [row["status"] for row in table] == ["done"] * 4 + ["failed"]
    figures = json.loads((out / "heart0.json").read_text())
    ef = figures["ef_percent"]
    assert table[0]["ef_percent"] == ("" if ef is None else str(ef))
    assert table[0]["verdict"] == figures["verdict"]
    assert table[0]["reasons"].split() == [r["code"] for r in figures["reasons"] if r["level"] == figures["verdict"]]
    assert "heart9.npz" in table[4]["error"]
    parquet = pytest.importorskip("pyarrow.parquet").read_table(out / "results.parquet").to_pylist()
    assert parquet[0]["ef_percent"] == ef
    assert [row["error"] for row in parquet] == [row["error"] or None for row in table]


def test_going_on_skips_what_is_done_and_the_same(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    before = contents(out)
    (out / "heart1.json").unlink()
    np.savez(folder / "heart2.npz", frames=np.load(folder / "heart3.npz")["frames"], fps=25)  # another cine
    outcomes = run(folder, out, resume=True)
    assert [outcome.was_done for outcome in outcomes] == [True, False, False, True, False]
    after = contents(out)
    assert {name for name in before if before[name] != after[name]} >= {"heart2.json", "results.csv"}
    assert after["heart1.json"] == before["heart1.json"]
    settings = Settings(out=str(out), choice=ModelChoice(model=MODEL, threads=1), write_video=False, resume=True)
    batch = prepare_batch([str(folder)], CineOptions(fps=50), settings)
    assert not any(outcome.was_done for outcome in run_batch(batch, lambda *_: None))


def test_figures_stand_only_beside_the_masks_that_they_are_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped between two files leaves the earlier result as it was, or nothing."""
    out = tmp_path / "out"
    run(folder / "heart0.npz", out)
    before = contents(out)

    def stop(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("edgeecho.report.results.write_curve", stop)
    for name in ("heart0", "heart1"):
        with pytest.raises(OutputError, match="the disk is full"):
            run(folder / f"{name}.npz", out)
    assert contents(out) == before


def test_a_process_that_is_killed_takes_its_own_cine_alone(folder: Path, tmp_path: Path) -> None:
    """A worker that is killed while it reads one cine, again and again."""
    code = f"""
import os, signal, sys
import edgeecho.batch.segment_cine as one
read = one.read_cine
def read_cine(path, **settings):
    if "heart1" in str(path):
        os.kill(os.getpid(), signal.SIGKILL)
    return read(path, **settings)
one.read_cine = read_cine
if __name__ == "__main__":
    from edgeecho.batch import *
    from edgeecho.batch.run import prepare_batch
    choice = ModelChoice(model={MODEL!r}, threads=1)
    settings = Settings(out={str(tmp_path / "out")!r}, choice=choice, write_video=False)
    batch = prepare_batch([{str(folder)!r}], CineOptions(), settings, jobs=2)
    for outcome in run_batch(batch, lambda *_: None):
        print(outcome.task.name, outcome.error)
"""
    (tmp_path / "killed.py").write_text(code)
    done = subprocess.run([sys.executable, str(tmp_path / "killed.py")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert list(lines) == ["heart0", "heart1", "heart2", "heart3", "heart9"]
    assert "its process was killed" in lines["heart1"]
    assert not lines["heart0"] + lines["heart2"] + lines["heart3"]


def test_a_run_that_is_killed_goes_on_to_the_same_table(folder: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    run(folder, whole)
    command = [sys.executable, "-m", "edgeecho", "segment", str(folder), "--out", str(out), "--model", MODEL]
    flags = ["--jobs", "2", "--no-video", "--resume"]
    started = subprocess.Popen(command + flags, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list(out.glob("*.json")) and time.monotonic() < until and started.poll() is None:
        time.sleep(0.01)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    done = subprocess.run(command + flags, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "4 of 5 cines done (" in done.stderr
    assert {n: b for n, b in contents(out).items() if not n.startswith(".")} == contents(whole)


def test_a_cine_is_done_again_if_its_process_was_killed_while_its_files_were_put_in_place(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(folder, out)
    whole = contents(out)
    names = out / of_dead_process(UNDO) / NAMES
    names.mkdir(parents=True)
    (names.parent / KEPT).mkdir()
    for path in out.glob("heart0.*"):
        (names / path.name).touch()
    outcomes = run(folder, out, resume=True)
    assert [outcome.was_done for outcome in outcomes] == [False, True, True, True, False]
    assert contents(out) == whole


def test_processes_that_cannot_share_locks_are_one_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container whose /dev/shm may not be written."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("edgeecho.batch.workers.ProcessPoolExecutor", refuse)
    with pytest.raises(ConfigError, match=r"cannot work here: Read-only file system, .*; give --jobs 1"):
        run(folder, tmp_path / "out", jobs=2)


def test_a_cluster_that_loses_a_worker_has_each_cine_once(folder: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    for number in range(4, 9):
        shutil.copy(folder / "heart0.npz", folder / f"heart{number}.npz")
    run(folder, tmp_path / "whole")
    out = tmp_path / "out"
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = list(client.run(os.getpid).values())
        settings = Settings(out=str(out), choice=ModelChoice(model=MODEL, threads=1), write_video=False)
        batch = prepare_batch([str(folder)], CineOptions(), settings, scheduler=cluster.scheduler_address)
        outcomes = []
        for outcome in run_batch(batch, lambda *_: None):
            if not outcomes:
                os.kill(pids[0], signal.SIGKILL)
            outcomes.append(outcome)
    assert len(outcomes) == 10
    assert contents(out) == contents(tmp_path / "whole")

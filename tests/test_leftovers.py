"""Temporaries of killed processes, folders that are replaced, files that are no files."""

import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from edgeecho import file_group, files
from edgeecho.errors import OutputError
from edgeecho.file_group import change_together, settle
from edgeecho.files import (
    atomic,
    open_regular,
    read_regular,
    replace_folder,
    require_writable,
    scratch_folder,
)
from edgeecho.leftovers import sweep, temporary_prefix
from tests.helpers import of_dead_process


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc, which tells ended processes apart")
def test_a_process_that_its_parent_has_not_asked_for_has_ended(tmp_path: Path) -> None:
    """So are those of a container whose first process asks for none."""
    tag, _, _ = temporary_prefix("").partition("-")
    with subprocess.Popen(["sleep", "60"]) as child:
        left = tmp_path / f".writing-{tag}-{child.pid}-abc"
        left.touch()
        sweep(tmp_path)
        assert left.exists()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        sweep(tmp_path)
        assert not left.exists()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    for kind in (".writing-", "edgeecho-bench-"):
        (tmp_path / of_dead_process(kind)).write_bytes(b"x")
    (tmp_path / of_dead_process(".export-")).mkdir()
    kept = [f"{temporary_prefix('.writing-')}own", ".writing-of-a-user", "edgeecho-notes"]
    for name in kept:
        (tmp_path / name).touch()
    require_writable(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_another_machines_temporaries_stay_for_a_day(tmp_path: Path) -> None:
    young, old = tmp_path / ".writing-00000000-1-a", tmp_path / ".writing-00000000-1-b"
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [young.name]


def test_a_folder_that_was_moved_away_gets_its_name_back(tmp_path: Path) -> None:
    old = tmp_path / of_dead_process(".replaced-")
    (old / "bundle").mkdir(parents=True)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def change(folder: Path) -> None:
    """Replace one of two files, remove the other, and make a third."""
    for name in ("a.npz", "a.json"):
        (folder / name).unlink()
    (folder / "a.npz").write_text("new")
    (folder / "a.html").write_text("new")


def change_twice(folder: Path) -> None:
    """Fail, as the file to remove is gone."""
    change(folder)
    change(folder)


def files_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() if path.is_file() else "folder" for path in folder.iterdir()}


@pytest.mark.parametrize("has_links", [True, False])
def test_files_that_change_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool) -> None:
    """They are put back if the change fails, or by a sweep if its process is killed; else they stay."""
    if not has_links:
        monkeypatch.setattr(os, "link", lambda *_: os.open("/no links here", os.O_RDONLY))
    old = {"a.npz": "old", "a.json": "old"}
    for name, text in old.items():
        (tmp_path / name).write_text(text)
    paths = [tmp_path / f"a{suffix}" for suffix in (".npz", ".json", ".html")]
    with pytest.raises(FileNotFoundError), change_together(paths):
        change_twice(tmp_path)
    assert files_in(tmp_path) == old

    with change_together(paths):
        (undo,) = tmp_path.glob(".undo-*")
        change(tmp_path)
        kept = tmp_path.parent / f"{tmp_path.name}-kept"
        shutil.copytree(tmp_path, kept)
    changed = {"a.npz": "new", "a.html": "new"}
    assert files_in(tmp_path) == changed

    sweep(kept)  # the process that made it is alive
    assert files_in(kept) == changed | {undo.name: "folder"}
    (kept / undo.name).rename(kept / of_dead_process(".undo-"))
    sweep(kept)
    assert files_in(kept) == old


def test_many_change_the_same_files_one_after_another(tmp_path: Path) -> None:
    """Eight threads add a line to a file five times each, by reading it and replacing it: no line is lost."""
    path, inside = tmp_path / "a.txt", list[int]()
    path.touch()

    def add(number: int) -> None:
        for _ in range(5):
            with change_together([path]):
                inside.append(number)
                assert len(inside) == 1
                text = path.read_text()
                with atomic(path) as temporary:
                    temporary.write_text(f"{text}{number}\n")
                inside.clear()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert sorted(path.read_text().split()) == sorted(str(n) for n in range(8) for _ in range(5))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path, began = tmp_path / "a.json", Event()

    def write() -> None:
        with change_together([path]):
            began.set()
            time.sleep(0.3)
            path.touch()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write)
        began.wait()
        settle(path)
        assert path.exists()
        done.result()
    start = time.monotonic()
    settle(tmp_path / "b.json")
    settle(tmp_path / "no folder" / "b.json")
    assert time.monotonic() - start < 5


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(OutputError, match="a pipe"), change_together([tmp_path / "a.json", tmp_path / "a.npz"]):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("version", [(3, 11), (3, 12)])
def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]) -> None:
    """From Python 3.12 on `tempfile` returns an absolute path for a relative folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(file_group, "WAIT_S", 0.3)
    make = tempfile.mkdtemp

    def make_as_in_version(suffix: str | None, prefix: str | None, folder: str | Path | None) -> str:
        made = make(suffix, prefix, folder)
        return os.path.abspath(made) if version >= (3, 12) else os.path.relpath(made)

    monkeypatch.setattr(tempfile, "mkdtemp", make_as_in_version)
    old = {"a.npz": "old", "a.json": "old"}
    paths = [Path("out", f"a{suffix}") for suffix in (".npz", ".json", ".html")]
    paths[0].parent.mkdir()
    for name, text in old.items():
        Path("out", name).write_text(text)
    with pytest.raises(FileNotFoundError), change_together(paths):
        change_twice(Path("out"))
    assert files_in(Path("out")) == old
    with change_together(paths):
        change(Path("out"))
    assert files_in(Path("out")) == {"a.npz": "new", "a.html": "new"}


def test_a_folder_is_made(tmp_path: Path) -> None:
    with change_together([tmp_path / "new" / "a.json"]):
        (tmp_path / "new" / "a.json").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


def test_what_cannot_be_put_back_is_kept_for_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undo = tmp_path / of_dead_process(".undo-")
    for name in ("names", "kept"):
        (undo / name).mkdir(parents=True)
    (undo / "kept" / "a.json").write_text("old")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        sweep(tmp_path)
    assert files_in(tmp_path) == {undo.name: "folder"}
    sweep(tmp_path)
    assert files_in(tmp_path) == {"a.json": "old"}


def test_nothing_stays_if_a_folder_cannot_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "target").mkdir()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        replace_folder(tmp_path / "new", tmp_path / "target")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "target"]


def test_a_disk_that_is_full_when_it_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="No space left on device"), atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_is_removed(tmp_path: Path) -> None:
    with scratch_folder("edgeecho-", tmp_path) as folder:
        (folder / "a").touch()
    assert list(tmp_path.iterdir()) == []


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "file").write_bytes(b"x")
    for name in ("pipe", "endless"):
        with pytest.raises(OSError, match="pipe, a socket or a device"):
            open_regular(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    assert read_regular(tmp_path / "file") == b"x"


def test_a_folder_that_gets_its_name_is_on_the_disk_with_the_names_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "new"
    made.mkdir()
    (made / "file").touch()
    synced = list[Path]()
    monkeypatch.setattr(files, "sync", synced.append)
    replace_folder(made, tmp_path / "target")
    assert set(synced) == {made, made / "file", tmp_path}

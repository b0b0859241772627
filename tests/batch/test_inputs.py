"""The cines of a run: lists, tables, patterns and addresses, and the names of their results."""

from pathlib import Path

import numpy as np
import pytest

from edgeecho.batch import CineOptions
from edgeecho.batch.inputs import find_tasks, name_results
from edgeecho.errors import ConfigError, VideoError
from edgeecho.preprocess import Roi

OPTIONS = CineOptions(fps=25.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three cines that are not read here."""
    for name in ("c10", "c2", "c1"):
        np.savez(tmp_path / f"{name}.npz", frames=np.zeros((2, 16, 16), np.uint8))
    return tmp_path


def sources(*inputs: object, out: str = "out") -> list[str]:
    return [Path(task.source).name for task in find_tasks(map(str, inputs), out, OPTIONS)]


def test_patterns_lists_and_tables_in_their_order(folder: Path) -> None:
    assert sources(folder) == ["c1.npz", "c2.npz", "c10.npz"]
    assert sources(folder / "c1*.npz") == ["c1.npz", "c10.npz"]
    (folder / "list.txt").write_text("# of last week\nc10.npz\n\nc1.npz\n")
    assert sources(folder / "list.txt") == ["c10.npz", "c1.npz"]
    assert sources(folder / "list.txt", folder) == ["c10.npz", "c1.npz", "c2.npz"]  # each once


def test_a_table_gives_settings_of_each_cine(folder: Path) -> None:
    text = 'path,name,fps,row_mm,column_mm,roi,flip,note\nc1.npz,one,50,0.3,0.2,"1,2,30,40",lr,x\nc2.npz,,,,,,,\n'
    (folder / "table.csv").write_text(text)
    one, two = find_tasks([str(folder / "table.csv")], "out", OPTIONS)
    assert (one.name, two.name) == ("one", "c2")
    assert one.options == CineOptions(fps=50, spacing_mm=(0.3, 0.2), roi=Roi(1, 2, 30, 40), flip="lr")
    assert two.options == OPTIONS


def test_a_parquet_table_equals_its_csv(folder: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = pyarrow.table({"path": ["c2.npz", "c1.npz"], "fps": [40.0, None]})
    parquet.write_table(rows, folder / "table.parquet")
    two, one = find_tasks([str(folder / "table.parquet")], "out", OPTIONS)
    assert (Path(two.source).name, two.options.fps, one.options.fps) == ("c2.npz", 40.0, 25.0)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "file\nc1.npz\n", "a row without `path`"),
        ("b.csv", "path,fps\nc1.npz,fast\n", "a setting in its table makes no sense"),
        ("c.csv", "path,fps\nc1.npz,0\n", "fps must be positive"),
        ("d.csv", "path,row_mm\nc1.npz,0.3\n", "a setting in its table makes no sense"),
        ("e.csv", "path,name\nc1.npz,../up\n", "names must be file names"),
        ("f.csv", "path,name\nc1.npz,a\nc2.npz,a\n", "each there once"),
        ("g.txt", "# nothing\n", "no cine to segment"),
        ("h.parquet", "no parquet", "cannot be read as a list of cines"),
    ],
)
def test_lists_that_make_no_sense(folder: Path, name: str, text: str, says: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (folder / name).write_text(text)
    with pytest.raises((ConfigError, VideoError), match=says):
        find_tasks([str(folder / name)], "out", OPTIONS)


def test_a_pattern_without_a_match(folder: Path) -> None:
    with pytest.raises(VideoError, match="no file matches this pattern"):
        sources(folder / "*.avi")


def test_names_differ_in_time_that_grows_with_the_cines() -> None:
    sources = [f"/data/{patient}/a4c.avi" for patient in range(50_000)]
    names = name_results(sources, [None] * len(sources))
    assert len(set(names)) == len(sources)
    assert names[7] == "7_a4c.avi"


def test_addresses_that_fsspec_opens(folder: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for name in ("b", "a"):
        memory.pipe_file(f"/cines/{name}.npz", (folder / "c1.npz").read_bytes())
    tasks = find_tasks(["memory://cines/*.npz"], "out", OPTIONS)
    assert [task.source for task in tasks] == ["memory:///cines/a.npz", "memory:///cines/b.npz"]
    assert [task.name for task in tasks] == ["a", "b"]
    with pytest.raises(VideoError, match="no file matches"):
        find_tasks(["memory://cines/*.avi"], "out", OPTIONS)
    with pytest.raises(VideoError, match="cannot be opened"):
        find_tasks(["nothing://x/*"], "out", OPTIONS)

"""Loader of training clips: the same bits with any workers, processes and stored frames; bounds, messages, errors."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from threadpoolctl import threadpool_info, threadpool_limits  # noqa: E402

from edgeecho.cine import Cine  # noqa: E402
from edgeecho.data import Item, open_data  # noqa: E402
from edgeecho.errors import ConfigError, DataError, VideoError  # noqa: E402
from edgeecho.train.batches import FIELDS, Clips, load_batches  # noqa: E402
from edgeecho.train.cine_cycle import cine_cycle  # noqa: E402
from edgeecho.train.clip_cine import ClipCine  # noqa: E402
from edgeecho.train.clip_cines import ClipCines, Group  # noqa: E402
from edgeecho.train.config import TrainConfig  # noqa: E402
from edgeecho.train.geometry import CANVAS, canvas_region, region_to_canvas  # noqa: E402
from edgeecho.train.prepare_cines import prepare_cines  # noqa: E402
from edgeecho.train.training_data import find_sources, group_stills  # noqa: E402
from edgeecho.train.workers import single_thread  # noqa: E402
from tests.data.miniatures import draw_beat, write_dynamic  # noqa: E402

SIZE = 32
STEPS, PER_STEP = 3, 4
VIDEO_BYTES = 128 + 20 * 112 * 112
"""Bytes of the file of a decoded video of the miniature, of which clips show the whole frame."""


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EchoNet-Dynamic in miniature, videos in MJPG."""
    return write_dynamic(tmp_path_factory.mktemp("dynamic"))


def config(out: Path, **settings: object) -> TrainConfig:
    """Settings of a run of three steps of four small clips, from all sources."""
    values: dict[str, object] = {
        "run.out": str(out),
        "run.workers": 0,
        "optim.steps": STEPS,
        "clips.per_step": PER_STEP,
        "clips.frames": 6,
        "clips.phantom": 0.1,
    }
    made = TrainConfig()
    for key, value in {**values, **settings}.items():
        made = made.with_value(key, value)
    return made


def batches(data: str, settings: TrainConfig, first: int = 0, **share: int) -> list[dict[str, torch.Tensor]]:
    items = open_data(data).items("train")
    clips = Clips(find_sources(items, settings, lambda text: None), settings, SIZE)
    return list(load_batches(clips, settings, first, **share))


def assert_same(found: list[dict[str, torch.Tensor]], expected: list[dict[str, torch.Tensor]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert set(one) == set(other) == set(FIELDS)
        for name, tensor in one.items():
            assert tensor.dtype == other[name].dtype
            assert torch.equal(tensor, other[name]), name


def groups_of(folder: Path) -> list[Group]:
    return group_stills(open_data(f"echonet-dynamic:{folder}").items("train"))


# The same bits


@pytest.fixture(scope="module")
def expected(dynamic: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, torch.Tensor]]:
    """Batches of one process without workers, all decoded frames stored."""
    return batches(f"echonet-dynamic:{dynamic}", config(tmp_path_factory.mktemp("expected")))


def test_a_batch_has_the_fields_of_its_clips(expected: list[dict[str, torch.Tensor]]) -> None:
    assert len(expected) == STEPS
    shapes = {
        name: (str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)) for name, tensor in expected[0].items()
    }
    pictures, flags = ("uint8", (PER_STEP, 6, SIZE, SIZE)), ("bool", (PER_STEP, 6))
    assert shapes == {
        **dict.fromkeys(("frames", "clean", "masks"), pictures),
        **dict.fromkeys(("labelled", "interpolated"), flags),
        "cycle": ("float32", (PER_STEP, 6)),
        "phase_confidence": ("float32", (PER_STEP,)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_no_bit(
    dynamic: Path, tmp_path: Path, expected: list[dict[str, torch.Tensor]], workers: int
) -> None:
    settings = config(tmp_path, **{"run.workers": workers})
    assert_same(batches(f"echonet-dynamic:{dynamic}", settings), expected)


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_a_step(
    dynamic: Path, tmp_path: Path, expected: list[dict[str, torch.Tensor]], processes: int
) -> None:
    shares = [
        batches(f"echonet-dynamic:{dynamic}", config(tmp_path), rank=rank, processes=processes)
        for rank in range(processes)
    ]
    assert {len(share[0]["frames"]) for share in shares} == {PER_STEP // processes}
    joined = [
        {name: torch.cat([part[name] for part in parts]) for name in FIELDS} for parts in zip(*shares, strict=True)
    ]
    assert_same(joined, expected)


def test_a_step_does_not_depend_on_those_before(
    dynamic: Path, tmp_path: Path, expected: list[dict[str, torch.Tensor]]
) -> None:
    assert_same(batches(f"echonet-dynamic:{dynamic}", config(tmp_path), first=2), expected[2:])


def test_clips_of_a_step_are_shared_evenly_or_not_at_all(tmp_path: Path) -> None:
    settings = config(tmp_path, **{"clips.stills": 0, "clips.cines": 0, "clips.phantom": 1})
    with pytest.raises(
        ConfigError, match=r"clips\.per_step is 4, which 3 processes cannot share evenly; choose a mult"
    ):
        batches("phantom:", settings, rank=0, processes=3)


@pytest.mark.parametrize("videos", [0, 3])
def test_stored_frames_change_no_bit(
    dynamic: Path, tmp_path: Path, expected: list[dict[str, torch.Tensor]], videos: int
) -> None:
    """Without stored frames, and with those of some videos."""
    settings = config(tmp_path, **{"data.cache_gb": videos * VIDEO_BYTES / 1e9})
    assert_same(batches(f"echonet-dynamic:{dynamic}", settings), expected)
    assert len(list(tmp_path.rglob("*.npy"))) == videos


def test_stills_change_no_bit_either(camus: Path, tmp_path: Path) -> None:
    stored, read = (
        batches(f"camus:{camus}", config(tmp_path / str(gb), **{"data.cache_gb": gb, "clips.reshape": 1.0}))
        for gb in (1.0, 0.0)
    )
    assert_same(read, stored)


@pytest.mark.parametrize("side", [120, 480])
def test_canvases_are_those_of_the_frames(tmp_path: Path, side: int) -> None:
    """A small frame is kept in its own pixels, a large one as its canvas."""
    cine = drawn(side)
    groups = [(Item("a", "a", "train", "4CH", partial(drawn, side), {"frames": 10}),)]
    frames = region_to_canvas(cine.frames, canvas_region(cine))
    masks = region_to_canvas(np.stack([cine.labels[k] * 255 for k in (0, 8)]), canvas_region(cine))
    for folder, limit in (("stored", 1e9), ("read", 0.0)):
        cines = prepare_cines(groups, tmp_path / folder, limit, lambda text: None)
        shown = np.array([9, 3, 3, 0])
        np.testing.assert_array_equal(cines.canvases(0, shown), frames[shown])
        np.testing.assert_array_equal([cines[0].label_canvas(n) for n in (0, 1)], masks)
        assert cines[0].is_kept_as_canvases == (side > CANVAS)
        again = ClipCine.from_json(cines[0].to_json())
        assert again.to_json() == cines[0].to_json()
        assert again.__dict__ | {"cycle": None} == cines[0].__dict__ | {"cycle": None}
        assert again.cycle
        np.testing.assert_array_equal(again.cycle.signal, cine_cycle(cine).signal)
        np.testing.assert_array_equal(again.cycle.parts, cine_cycle(cine).parts)


def drawn(side: int) -> Cine:
    frames, labels = draw_beat(10, side, side)
    cavity = {k: (labels[k] == 1).astype(np.uint8) for k in (0, 8)}
    return Cine(frames, labels=cavity, phases={0: "ED", 8: "ES"})


# The folder


def open_cines(folder: Path, groups: list[Group], limit: float = 1e9, workers: int = 0) -> tuple[ClipCines, list[str]]:
    messages = list[str]()
    return prepare_cines(groups, folder, limit, messages.append, workers), messages


def test_its_size_is_told_before_it_is_written_and_it_is_made_once(dynamic: Path, tmp_path: Path) -> None:
    groups = groups_of(dynamic)
    cines, messages = open_cines(tmp_path, groups)
    assert messages[0].startswith(
        f"reading {len(groups)} of {len(groups)} cines; their decoded frames, about 0.00 GB, are"
    )
    assert messages[0].endswith(f"are stored in {tmp_path}, up to 1 GB in all (data.cache_gb)")
    assert messages[-1].startswith(
        f"read {len(groups)} of {len(groups)} cines, 0.00 GB of decoded frames in {tmp_path}, 0 min"
    )
    left_out = [text for text in messages[1:-1] if text.startswith("left out: ")]
    assert len(left_out) == len(messages) - 2 == len(groups) - len(cines)
    assert any("0XCORRUPT" in text for text in left_out)
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(stored) == 2 * len(cines)
    again, messages = open_cines(tmp_path, [group for group in groups if group[0].name in names(cines)])
    assert messages == []
    assert names(again) == names(cines)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == stored


def names(cines: ClipCines) -> list[str]:
    return [cines[number].name for number in range(len(cines))]


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_its_bound_holds_and_a_larger_one_is_filled_later(dynamic: Path, tmp_path: Path, workers: int) -> None:
    groups = groups_of(dynamic)
    counts = []
    for limit in (VIDEO_BYTES - 1, 2 * VIDEO_BYTES, 5 * VIDEO_BYTES):
        cines, _ = open_cines(tmp_path, groups, limit, workers)
        files = list(tmp_path.glob("*.npy"))
        assert limit - VIDEO_BYTES < sum(file.stat().st_size for file in files) <= limit
        assert len(list(tmp_path.glob("*.json"))) == len(cines)
        counts.append(len(files))
    assert counts[0] < counts[1] < counts[2] < len(cines)


def test_a_bound_of_nothing_is_told(dynamic: Path, tmp_path: Path) -> None:
    _, messages = open_cines(tmp_path, groups_of(dynamic), 0.0)
    assert messages[0].endswith("once, for regions and labels; decoded frames are not stored (data.cache_gb is 0)")
    assert not list(tmp_path.glob("*.npy"))


def test_files_that_were_deleted_are_not_missed(dynamic: Path, tmp_path: Path) -> None:
    cines, _ = open_cines(tmp_path, groups_of(dynamic))
    shown = np.arange(5, 15)
    before = [cines.canvases(number, shown) for number in range(len(cines))]
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    for number, expected_canvases in enumerate(before):
        np.testing.assert_array_equal(cines.canvases(number, shown), expected_canvases)
    again, _ = open_cines(tmp_path, groups_of(dynamic))
    assert len(list(tmp_path.glob("*.npy"))) == len(again)


def test_a_changed_file_or_label_is_read_again(tmp_path: Path) -> None:
    folder = write_dynamic(tmp_path / "data")
    video, table = folder / "Videos" / "0XPLAIN.avi", folder / "VolumeTracings.csv"
    plain = [group for group in groups_of(folder) if group[0].name == "0XPLAIN"]
    assert open_cines(tmp_path / "cines", plain)[1]
    assert not open_cines(tmp_path / "cines", plain)[1]
    video.write_bytes((folder / "Videos" / "0XEDLAST.avi").read_bytes() + b"\0")
    assert open_cines(tmp_path / "cines", plain)[1]
    lines = table.read_text().splitlines()
    table.write_text(
        "\n".join([*(line for line in lines if not (line.startswith("0XPLAIN.avi") and line.endswith(",8")))])
    )
    plain = [group for group in groups_of(folder) if group[0].name == "0XPLAIN"]
    cines, messages = open_cines(tmp_path / "cines", plain)
    assert messages
    assert cines[0].marked == (0,)


@pytest.mark.slow
def test_two_processes_may_fill_it_at_the_same_time(dynamic: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edgeecho.data import open_data\n"
        "from edgeecho.train.prepare_cines import prepare_cines\n"
        "from edgeecho.train.training_data import group_stills\n"
        "items = open_data('echonet-dynamic:' + sys.argv[1]).items('train')\n"
        "prepare_cines(group_stills(items), Path(sys.argv[2]), 1e9, lambda text: None)"
    )
    command = [sys.executable, "-c", code, str(dynamic), str(tmp_path / "both")]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    open_cines(tmp_path / "one", groups_of(dynamic))
    both, one = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("both", "one"))
    assert both == one


def test_a_cine_without_a_label_is_left_out(tmp_path: Path) -> None:
    bare = Item("b", "b", "train", "4CH", partial(unlabelled, 64), {"frames": 10})
    good = Item("a", "a", "train", "4CH", partial(drawn, 64), {"frames": 10})
    cines, messages = open_cines(tmp_path, [(bare,), (good,)])
    assert len(cines) == 1
    assert "left out: bare: no labelled frame; see `edgeecho data check`" in messages
    with pytest.raises(DataError, match="no labelled frame to train on"):
        open_cines(tmp_path, [(bare,)])


def unlabelled(side: int) -> Cine:
    return replace(drawn(side), labels={}, phases={}, name="bare")


# Workers


def test_blas_has_one_thread_in_the_block_alone() -> None:
    def blas_threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert 2 in before  # a second library may have been built for one thread
        with single_thread():
            assert blas_threads() == {1}
        assert blas_threads() == before


@pytest.mark.slow
def test_workers_do_not_wait_for_threads_of_opencv() -> None:
    """A worker is a copy of a process whose OpenCV had threads; it would wait for them when it sets their number."""
    code = (
        "import cv2, numpy as np\n"
        "from edgeecho.train.workers import load_in_order, single_thread\n"
        "class Numbers:\n"
        "    def __getitem__(self, n):\n"
        "        with single_thread():\n"
        "            return n + int(cv2.GaussianBlur(np.ones((9, 9)), (3, 3), 1)[4, 4])\n"
        "cv2.setNumThreads(4)\n"
        "cv2.remap(np.ones((2000, 2000), np.uint8), *np.ones((2, 2000, 2000), np.float32), cv2.INTER_LINEAR)\n"
        "assert list(load_in_order(Numbers(), range(6), 2)) == [1, 2, 3, 4, 5, 6]\n"
        "assert cv2.getNumThreads() == 4\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_whose_data_has_gone_ends_with_one_line(tmp_path: Path, workers: int) -> None:
    folder = write_dynamic(tmp_path / "data")
    settings = config(tmp_path / "run", **{"data.cache_gb": 0.0, "run.workers": workers, "clips.phantom": 0})
    items = open_data(f"echonet-dynamic:{folder}").items("train")
    clips = Clips(find_sources(items, settings, lambda text: None), settings, SIZE)
    for path in (folder / "Videos").iterdir():
        path.unlink()
    with pytest.raises(VideoError) as caught:
        list(load_batches(clips, settings, 0))
    assert "\n" not in str(caught.value)
    assert "no such file or folder; check the path" in str(caught.value)

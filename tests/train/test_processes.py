"""Training by several processes, and on a GPU: the same losses as by one process on the CPU."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.train.config import load_config  # noqa: E402
from edgeecho.train.loop import train  # noqa: E402
from edgeecho.train.shared_norm import SharedBatchNorm, moments, share_norms  # noqa: E402
from tests.helpers import MakeOnce  # noqa: E402

SETTINGS = """
[model]
overrides = {{ widths = [8, 16], encoder_time = [false, true], decoder_time = [false] }}
size_px = 64
[data]
source = "camus:{camus}"
held_out = 2
[clips]
per_step = 4
frames = 4
phantom = 0.25
[loss]
smooth = 1.0
[optim]
steps = 20
learning_rate = 1e-3
[run]
out = "{out}"
threads = {threads}
workers = 0
save_every = 1
precision = "{precision}"
device = "{device}"
"""


def write_settings(camus: Path, out: Path, threads: int = 1, precision: str = "fp32", device: str = "cpu") -> Path:
    path = out.with_suffix(".toml")
    path.write_text(SETTINGS.format(camus=camus, out=out, threads=threads, precision=precision, device=device))
    return path


def torchrun(processes: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *arguments]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def losses(out: Path) -> list[dict[str, float]]:
    names = ("labels", "cycle", "interpolation", "smooth", "beats")
    with (out / "log.csv").open() as file:
        return [{name: float(row[name]) for name in names} for row in csv.DictReader(file)]


@pytest.fixture
def two(camus: Path, make_once: MakeOnce) -> Path:
    """Folder of a run of two processes that nothing interrupted."""

    def fill(folder: Path) -> None:
        both = run(torchrun(2, "-m", "edgeecho", "train", str(write_settings(camus, folder / "two", threads=2))))
        assert both.returncode == 0, both.stderr[-2000:]
        assert both.stdout.strip() == str(folder / "two" / "cl_unet_edge.safetensors")  # one process prints

    return make_once("two-processes", fill) / "two"


def test_two_processes_have_the_losses_of_one(camus: Path, tmp_path: Path, two: Path) -> None:
    """Each of two processes has half of the clips; the statistics of the batch norms are those of all."""
    one = tmp_path / "one"
    alone = run([sys.executable, "-m", "edgeecho", "train", str(write_settings(camus, one))])
    assert alone.returncode == 0, alone.stderr[-2000:]
    first, second = losses(one), losses(two)
    assert len(first) == len(second) == 20
    for a, b in zip(first, second, strict=True):
        assert b == pytest.approx(a, abs=1e-4)
    assert first[-1]["labels"] < first[0]["labels"]  # they did learn, so the gradients were compared too


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
def test_processes_that_failed_are_started_again_from_the_last_checkpoint(
    camus: Path, tmp_path: Path, two: Path
) -> None:
    """One of two processes is killed; `torchrun` starts both again, and they go on without being told to resume."""
    out = tmp_path / "run"
    command = torchrun(2, "--max-restarts=1", "-m", "edgeecho", "train", str(write_settings(camus, out, threads=2)))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not (out / "last.pt").exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    os.kill(_children(process.pid)[-1], signal.SIGKILL)
    assert process.wait(timeout=240) == 0
    first, second = losses(two), losses(out)
    assert len(first) == len(second) == 20
    a, b = (torch.load(folder / "last.pt", weights_only=True)["averaged"] for folder in (two, out))
    assert all(torch.equal(value, b[name]) for name, value in a.items())


def _children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return sorted(found)


def test_processes_that_do_not_divide_the_clips(camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match=r"of optim\.accumulate times the processes, got 4 clips"):
        train(load_config(write_settings(camus, tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_shared_norms_are_the_norms_of_one_process() -> None:
    """In one process, and in eval, they are BatchNorm itself; their state is interchangeable."""
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm3d(4, affine=False)))
    network[1].running_mean += 3
    names = list(network.state_dict())
    before = network[1]
    shared = share_norms(network)
    assert list(shared.state_dict()) == names
    assert isinstance(shared[1], SharedBatchNorm)
    assert isinstance(shared[2][0], SharedBatchNorm)
    x = torch.rand(2, 4, 5, 5)
    torch.testing.assert_close(shared[1](x), before(x))
    torch.testing.assert_close(shared[1].eval()(x), before.eval()(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_moments_are_of_single_precision(dtype: torch.dtype) -> None:
    x = (3 * torch.randn(4, 6, 5, 7, generator=torch.Generator().manual_seed(1)) + 2).to(dtype)
    x[:, 0] = 1.5  # a channel that is constant
    var, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)
    found = moments(x)
    torch.testing.assert_close(found[0], mean, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(found[1], var, atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: the CUDA path is not tested")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_gpu_has_the_losses_of_the_cpu(camus: Path, tmp_path: Path, precision: str) -> None:
    cpu, gpu = tmp_path / "cpu", tmp_path / "gpu"
    for out, device, its in ((cpu, "cpu", "fp32"), (gpu, "cuda", precision)):
        settings = write_settings(camus, out, precision=its, device=device)
        command = [sys.executable, "-m", "edgeecho", "train", str(settings)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    tolerance = 1e-3 if precision == "fp32" else 0.1
    for a, b in zip(losses(cpu)[:5], losses(gpu)[:5], strict=True):
        assert b["labels"] == pytest.approx(a["labels"], abs=tolerance)

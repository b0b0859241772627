"""Peers: published sizes equal counted ones, and each is exported, quantized and read back."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

from edgeecho.benchmarks.peers.peers import PEERS, Peer  # noqa: E402
from edgeecho.benchmarks.profile.counting import count_macs  # noqa: E402
from edgeecho.benchmarks.profile.readback import convolutions_run  # noqa: E402
from edgeecho.benchmarks.run import peer_files  # noqa: E402
from edgeecho.benchmarks.run.clip import speckle_clip  # noqa: E402
from edgeecho.benchmarks.run.entries import Entry  # noqa: E402
from edgeecho.benchmarks.run.export_peer import export_peer  # noqa: E402
from edgeecho.benchmarks.run.peer_files import export_peer_files  # noqa: E402
from edgeecho.errors import ConfigError, ExportError, MissingExtraError  # noqa: E402
from edgeecho.export.graph.clip import clip_graph  # noqa: E402
from edgeecho.model.registry import locate  # noqa: E402
from edgeecho.nn import count_parameters, new_spec  # noqa: E402
from edgeecho.runtime.engines.engine import open_engine  # noqa: E402
from edgeecho.runtime.engines.interface import Engine  # noqa: E402
from tests.helpers import MakeOnce  # noqa: E402

FRAMES, SIZE = 16, 48
CLIP = speckle_clip(FRAMES, SIZE)
BOTH = ["ort", "openvino"]
PARAMETERS = {
    "unet3d": 19_068_097,
    "unet2d": 1_978_353,
    "deeplabv3": 39_633_729,
    "lraspp": 3_218_138,
    "dynunet": 16_215_937,
    "dynunet2d": 7_369_665,
    "simlvseg": 18_832_525,
}
PUBLISHED = {"deeplabv3": (39.64, 7.84), "dynunet2d": (7.37, 2.30), "simlvseg": (18.83, 1.13)}
"""Parameters in millions and compute a frame in G, as SimLVSeg's main table has them."""
SMALL = {
    "unet3d": {"in_channels": 1, "classes": 1, "base_channels": 4},
    "unet2d": {"widths": [8, 16, 16, 16, 16], "decoder_widths": [8, 8, 16, 16]},
    "dynunet": {"filters": [8, 16, 32], "strides": [[1, 1, 1], [2, 2, 2], [1, 2, 2]]},
    "dynunet2d": {"filters": [8, 16, 32], "strides": [[1, 1], [2, 2], [2, 2]]},
    "simlvseg": {"in_channels": 3, "widths": [4, 8, 16], "units": [2, 1, 1]},
}
"""Configurations for tests, where there is something to configure."""


MAX_MEAN_LEVELS = {"deeplabv3": 20, "lraspp": 15}
"""Mean difference of int8 from fp32, of 255 levels; 4 for the others."""
MIN_AGREEMENT = {"deeplabv3": 0.4, "lraspp": 0.85}
"""Correlation of the two engines' int8; 0.995 for the others, which it is on processors that saturate 8 bits too."""
MIN_CORRELATION = {"deeplabv3": 0.3, "lraspp": 0.8}
"""Correlation of int8 with fp32; 0.98 for the others. Random weights of a deep network amplify rounding: the largest
difference of one pixel there depends on the order of sums, thus on threads and processor; these figures do not."""


def built(name: str, **config: object) -> torch.nn.Module:
    """Return the network, with other fields if given; skip if a package is missing."""
    peer = PEERS[name]
    try:
        return (replace(peer, config=config) if config else peer).build()
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def exported(make_once: MakeOnce) -> Callable[[str], Path]:
    """Function that returns the folder of a peer, small where it can be, exported once."""

    def export(name: str, folder: Path) -> None:
        built(name, **SMALL.get(name, {}))
        frames = folder / "frames.npy"
        np.save(frames, CLIP)
        config = SMALL.get(name, PEERS[name].config)
        export_peer(name, config, str(folder / name), str(frames), {"fp32": BOTH, "int8": BOTH})

    return lambda name: make_once(f"peer-{name}", partial(export, name)) / name


def opened(folder: Path, runtime: str, precision: str) -> tuple[Engine, bytes]:
    file = locate(folder, runtime, precision)
    return open_engine(file, threads=1).engine, file.path.read_bytes()


def test_the_registry() -> None:
    assert set(PEERS) == set(PARAMETERS)
    for name, peer in PEERS.items():
        assert (peer.name, json.loads(json.dumps(peer.config))) == (name, peer.config)  # as a spec gives it back
        assert peer.about
        assert "\n" not in peer.about
        assert peer.forms in (("clip",), ("clip", "stream"))
        assert peer.frames(32) == (None if "stream" in peer.forms else 32)
    for family in ("unet2d", "unet3d"):
        assert PEERS[family].config == json.loads(new_spec(family).to_json())["config"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    count = count_parameters(built(name))
    assert count == PARAMETERS[name]
    if name in PUBLISHED:
        assert count / 1e6 == pytest.approx(PUBLISHED[name][0], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dynunet2d", "simlvseg"])
def test_macs_are_what_is_published(name: str) -> None:
    """Compare with the table's G a frame, which are MACs at 112 x 112; ours leave out norms and activations."""
    graph = clip_graph(built(name), SIZE, PEERS[name].frames(FRAMES))
    per_frame = count_macs(graph, FRAMES) / FRAMES * (112 / SIZE) ** 2  # all of it grows with the area
    assert per_frame / 1e9 == pytest.approx(PUBLISHED[name][1], rel=0.011)


@pytest.mark.parametrize("name", PARAMETERS)
def test_frames_in_and_logits_out(name: str) -> None:
    network = built(name, **SMALL.get(name, {}))
    assert not network.training
    with torch.inference_mode():
        logits = network.forward_frames(torch.rand(FRAMES, 1, SIZE, SIZE))
    assert (logits.shape, logits.dtype) == ((FRAMES, 1, SIZE, SIZE), torch.float32)
    assert logits.std() > 0


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_peer_is_exported(exported: Callable[[str], Path], name: str) -> None:
    """fp32 agrees in both engines, int8 runs, and a graph of free T gives single frames the results of the clip."""
    folder = exported(name)
    model = open_engine(locate(folder, "ort", "fp32"), threads=1)
    engine, spec = model.engine, model.spec
    reference = engine.infer(CLIP).astype(int)
    assert (spec.name, spec.family, spec.frames, spec.size_px) == (name, name, PEERS[name].frames(FRAMES), SIZE)
    assert spec.params == count_parameters(built(name, **SMALL.get(name, {})))
    assert reference.max() - reference.min() > 20  # a network that answers something
    assert np.abs(opened(folder, "openvino", "fp32")[0].infer(CLIP).astype(int) - reference).max() <= 1
    answers = []
    for runtime in BOTH:
        int8 = opened(folder, runtime, "int8")[0].infer(CLIP).astype(int)
        assert np.abs(int8 - reference).mean() <= MAX_MEAN_LEVELS.get(name, 4), runtime
        assert np.corrcoef(int8.ravel(), reference.ravel())[0, 1] >= MIN_CORRELATION.get(name, 0.98), runtime
        answers.append(int8.ravel())
    assert np.corrcoef(*answers)[0, 1] >= MIN_AGREEMENT.get(name, 0.995)
    if "stream" in PEERS[name].forms:
        alone = np.concatenate([engine.infer(CLIP[t : t + 1]) for t in range(3)])
        assert np.abs(alone - reference[:3]).max() <= 1


INT8 = {
    "unet3d": ((15, 3), (18, 0)),  # ONNX Runtime has no integer ConvTranspose
    "unet2d": ((19, 0), (19, 0)),
    "deeplabv3": ((61, 0), (61, 0)),
    "lraspp": ((66, 0), (66, 0)),
    "dynunet": ((11, 2), (11, 2)),
    "dynunet2d": ((11, 2), (11, 2)),
    "simlvseg": ((17, 2), (17, 2)),
}
"""Convolutions that run in int8 and in fp32, in ONNX Runtime and in OpenVINO."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_falls_back_to_float_is_read_back(exported: Callable[[str], Path], name: str) -> None:
    folder = exported(name)
    found = [convolutions_run(*opened(folder, runtime, "int8")) for runtime in ("ort", "openvino")]
    assert tuple((counts.get("int8", 0), counts.get("fp32", 0)) for counts in found if counts) == INT8[name]


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("monai", "monai.networks.nets"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"^dynunet needs monai.*: pip install --no-deps monai$"):
        PEERS["dynunet"].build()


@pytest.mark.slow
def test_a_missing_package_fails_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "monai.py").write_text("raise ImportError('gone', name='monai')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    np.save(tmp_path / "frames.npy", CLIP)
    rows = [Entry("simlvseg", str(tmp_path / "work"), "ort", "fp32", kind="peer")]
    line = "simlvseg could not be exported: simlvseg needs monai: pip install --no-deps monai"
    assert export_peer_files("simlvseg", rows, tmp_path / "frames.npy") == line


def test_an_unknown_peer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown peer 'segnet'; known: unet3d, unet2d"):
        export_peer("segnet", {}, str(tmp_path), str(tmp_path / "frames.npy"), {"fp32": BOTH})
    with pytest.raises(ConfigError, match="stored in fp32 and int8, got bf16"):
        export_peer("unet2d", {}, str(tmp_path), str(tmp_path / "frames.npy"), {"bf16": BOTH})


@pytest.mark.parametrize("name", ["unet3d", "simlvseg", "dynunet"])
def test_a_clip_that_does_not_fit_is_refused(tmp_path: Path, name: str) -> None:
    built(name, **SMALL[name])
    np.save(tmp_path / "frames.npy", CLIP[:7])
    with pytest.raises(ConfigError, match=rf"^{name} cannot take a clip of \(7, 1, \d+, \d+\): .*$"):
        export_peer(name, SMALL[name], str(tmp_path), str(tmp_path / "frames.npy"), {"fp32": BOTH})


@pytest.mark.slow
def test_a_graph_that_says_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tampered(network: torch.nn.Module, size_px: int, frames: int | None) -> object:
        with torch.no_grad():
            network.head.weight.mul_(1.05)
        return clip_graph(network, size_px, frames)

    monkeypatch.setattr("edgeecho.export.graph.clip.clip_graph", tampered)
    np.save(tmp_path / "frames.npy", CLIP)
    with pytest.raises(ExportError, match=r"unet2d: its graph differs from PyTorch by 0\.0"):
        export_peer("unet2d", SMALL["unet2d"], str(tmp_path), str(tmp_path / "frames.npy"), {"fp32": BOTH})


@pytest.mark.slow
@pytest.mark.usefixtures("exported_here")
def test_the_folder_of_a_peer_holds_the_files_of_its_rows_and_is_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepared(runtime: str, widths: list[int], frames: int = 5) -> dict[str, int]:
        """Names of the files and the times at which they were written."""
        config = {"widths": widths, "decoder_widths": [8]}
        monkeypatch.setattr(peer_files, "PEERS", {"unet2d": Peer("unet2d", config, forms=("clip", "stream"))})
        np.save(tmp_path / "frames.npy", CLIP[:frames])
        rows = [Entry("unet2d", str(tmp_path / "unet2d"), runtime, "int8", kind="peer")]
        assert export_peer_files("unet2d", rows, tmp_path / "frames.npy") is None
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "unet2d").iterdir()}

    first = prepared("ort", [8, 8], frames=8)
    assert set(first) == {"clip.int8.onnx"}
    assert prepared("ort", [8, 8]) == first  # used again, T is free
    assert set(prepared("openvino", [8, 8])) == {
        *("clip.int8.onnx", "clip.int8.xml", "clip.int8.bin"),
        "clip.fp32.onnx",  # to be counted
    }
    other = prepared("ort", [8, 16])  # none of another network stays
    assert set(other) == {"clip.int8.onnx"}
    assert other != first

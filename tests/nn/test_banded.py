"""The banded CL-UNet: where its parameters are, how far each branch reaches, and what is left without it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.model.registry import locate  # noqa: E402
from edgeecho.nn import PRESETS, BandedUNet, BandedUNetConfig, CLUNet, build, count_parameters, new_spec  # noqa: E402
from edgeecho.nn.banded import SHARES, BandedBlock  # noqa: E402
from edgeecho.nn.checkpoint import load_checkpoint  # noqa: E402
from edgeecho.preprocess import find_roi, to_network  # noqa: E402
from edgeecho.runtime import load  # noqa: E402
from tests.helpers import draw_heart  # noqa: E402

BANDED = ("cube", "band_t", "band_h", "band_w")
SMALL = {"widths": (16, 24), "encoder_time": (False, True), "decoder_time": (True,), "repeats": 1}
CHANNELS, SIZE = 8, 17


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(5)
    yield
    torch.set_num_threads(before)


def parameters_by_branch(network: torch.nn.Module) -> Counter[str]:
    found: Counter[str] = Counter()
    for block in (m for m in network.modules() if isinstance(m, BandedBlock)):
        for name, branch in block.parallel.items():
            found[name] += count_parameters(branch)
    return found


# Parameters


def test_most_parameters_are_in_cubes_and_bands() -> None:
    network = build(new_spec("cl_unet"))
    found = parameters_by_branch(network)
    banded = sum(found[name] for name in BANDED)
    assert count_parameters(network) <= 2_720_000
    assert banded > count_parameters(network) / 2
    assert all(found[name] > 0.04 * count_parameters(network) for name in BANDED)  # no branch is there for show
    assert max(found.values()) < count_parameters(network) / 2


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_so_are_those_of_encoder_and_decoder(part: str) -> None:
    module = getattr(build(new_spec("cl_unet")), part)
    found = parameters_by_branch(module)
    assert all(found[name] for name in BANDED)
    assert sum(found[name] for name in BANDED) > count_parameters(module) / 2


def test_changes_of_size_are_light() -> None:
    """What is neither encoder nor decoder block: stem, steps down and up, head."""
    network = build(new_spec("cl_unet"))
    beside = sum(count_parameters(m) for m in (network.stem, network.down, network.up, network.head))
    assert beside + count_parameters(network.encoder) + count_parameters(network.decoder) == count_parameters(network)
    assert beside < 0.08 * count_parameters(network)


def test_a_block_by_hand() -> None:
    """Eighths of C channels, each from all C: 27 C a cube, 5 C, 7 C and 7 C the bands; half of C from C; C from C."""
    c = 16
    block = BandedBlock(c, BandedUNetConfig(), tuple(SHARES), time=True)
    weights = (27 + 5 + 7 + 7) * c * c // 8 + c * c // 2 + c * c
    norms = 2 * c + 2 * c
    assert count_parameters(block) == weights + norms
    still = BandedBlock(c, BandedUNetConfig(), tuple(SHARES), time=False)
    assert set(still.parallel) == {"cube", "band_h", "band_w", "point"}
    weights = (9 + 7 + 7) * c * c // 8 + c * c // 2 + 7 * c // 8 * c
    assert count_parameters(still) == weights + 2 * 7 * c // 8 + 2 * c


def test_gradient_reaches_every_parameter() -> None:
    network = BandedUNet(BandedUNetConfig(**SMALL)).train()
    network(torch.rand(2, 1, 5, 32, 32)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


# Reach


def support(
    branches: tuple[str, ...], *, causal: bool = False, time: bool = True, **config: int
) -> set[tuple[int, int, int]]:
    """Offsets (t, h, w) from an output position of the inputs that it depends on, found by an impulse."""
    block = BandedBlock(CHANNELS, BandedUNetConfig(causal=causal, **config), branches, time).eval()
    half, t = SIZE // 2, 4 * block.reach + 3
    middle = t // 2
    with torch.no_grad():
        for module in block.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.uniform_(0.5, 1)  # positive, so that no ReLU hides an input
        clip = torch.ones(t, CHANNELS, SIZE, SIZE)
        impulse = clip.clone()
        impulse[middle, 0, half, half] += 1
        changed = (block(impulse, 1) - block(clip, 1)).abs().amax(1) > 1e-4
    shift = 0 if causal else block.reach  # a centred block returns as many frames less at each end
    return {(middle - i - shift, half - j, half - k) for i, j, k in changed.nonzero().tolist()}


def lines(t: range, h: range, w: range) -> set[tuple[int, int, int]]:
    return {*((i, 0, 0) for i in t), *((0, i, 0) for i in h), *((0, 0, i) for i in w)}


CUBE = set(product(range(-1, 2), repeat=3))
T_BAND, PX_BAND, POINT = range(-2, 3), range(-3, 4), range(1)


def test_each_branch_reaches_what_it_states() -> None:
    assert support(("cube",)) == CUBE
    assert support(("band_t",)) == lines(T_BAND, POINT, POINT)
    assert support(("band_h",)) == lines(POINT, PX_BAND, POINT)
    assert support(("band_w",)) == lines(POINT, POINT, PX_BAND)
    assert support(("point",)) == {(0, 0, 0)}


def test_all_branches_together_and_each_left_out() -> None:
    bands = {"band_t": (T_BAND, POINT, POINT), "band_h": (POINT, PX_BAND, POINT), "band_w": (POINT, POINT, PX_BAND)}
    whole = support(tuple(SHARES))
    assert whole == CUBE.union(*(lines(*ranges) for ranges in bands.values()))
    for left_out in BANDED:
        rest = support(tuple(name for name in SHARES if name != left_out))
        expected = set() if left_out == "cube" else CUBE
        assert rest == expected.union(*(lines(*ranges) for name, ranges in bands.items() if name != left_out))
        assert rest < whole


def test_a_causal_block_reaches_back_as_far() -> None:
    assert support(("band_t",), causal=True) == lines(range(-4, 1), POINT, POINT)
    assert support(("cube",), causal=True) == set(product(range(-2, 1), range(-1, 2), range(-1, 2)))
    both = support(("cube", "band_t"), causal=True)
    assert both == lines(range(-4, 1), POINT, POINT) | set(product(range(-2, 1), range(-1, 2), range(-1, 2)))


def test_a_block_without_time_sees_one_frame() -> None:
    square = set(product(range(1), range(-1, 2), range(-1, 2)))
    assert support(tuple(SHARES), time=False) == square | lines(POINT, PX_BAND, PX_BAND)


def test_longer_bands_reach_further() -> None:
    found = support(("band_t", "band_h", "band_w"), band_px=5, band_frames=7)
    assert found == lines(range(-3, 4), range(-2, 3), range(-2, 3))


def test_reach_of_the_preset() -> None:
    """Three blocks over time, two frames to each side."""
    assert new_spec("cl_unet").context_frames == (6, 6)
    assert new_spec("cl_unet", causal=True).context_frames == (12, 0)


# Without a part


@pytest.mark.parametrize(
    ("change", "context"),
    [
        *(({"branches": tuple(b for b in SHARES if b != left_out)}, 6) for left_out in ("cube", "band_h", "band_w")),
        ({"branches": ("cube", "band_h", "band_w", "point")}, 3),
        ({"branches": BANDED}, 6),
        ({"branches": ("point",)}, 0),
        ({"banded_decoder": False}, 4),
    ],
    ids=str,
)
def test_a_network_without_a_part(change: dict[str, object], context: int) -> None:
    spec = new_spec("cl_unet", **change)
    assert spec.params < new_spec("cl_unet").params
    assert spec.context_frames == (context, context)
    small = BandedUNet(BandedUNetConfig(**SMALL, **change)).eval()
    with torch.no_grad():
        assert small(torch.rand(1, 1, 3, 32, 32)).shape == (1, 1, 3, 32, 32)


def test_only_the_decoder_changes_without_a_banded_decoder() -> None:
    network = build(new_spec("cl_unet", banded_decoder=False))
    assert set(parameters_by_branch(network.decoder)) == {"point"}
    assert count_parameters(network.encoder) == count_parameters(build(new_spec("cl_unet")).encoder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"branches": ()}, r"branches must be one or more of cube, band_t, band_h, band_w, point, once each, got \(\)"),
        ({"branches": ("cube", "ball")}, r"branches must be .* got \('cube', 'ball'\)"),
        ({"branches": ("cube", "cube")}, "branches must be .* once each"),
        ({"branches": ("band_t",)}, "branches must have one beside band_t"),
        ({"band_px": 4}, "band_px must be an odd number from 3 to 31, got 4"),
        ({"band_px": 33}, "band_px must be an odd number from 3 to 31, got 33"),
        ({"band_frames": 1}, "band_frames must be an odd number from 3 to 9, got 1"),
        ({"widths": (32, 60)}, r"widths must be 2 to 6 multiples of 8 up to 1024, got \(32, 60\)"),
        ({"repeats": 0}, "repeats must be from 1 to 8, got 0"),
        ({"encoder_time": (True,)}, "encoder_time needs 4 values and decoder_time 3"),
    ],
)
def test_configurations_that_make_no_network(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BandedUNetConfig(**values)
    with pytest.raises(ConfigError, match=message):
        new_spec("cl_unet", **values)


# Files


def test_its_specification_rebuilds_it() -> None:
    spec = new_spec("cl_unet", branches=("cube", "point"), causal=True)
    network = build(type(spec).from_json(spec.to_json()))
    assert isinstance(network, BandedUNet)
    assert network.config == BandedUNetConfig(branches=("cube", "point"), causal=True)
    assert asdict(PRESETS["cl_unet"]) == new_spec("cl_unet").config


def test_the_packaged_weights_predict_what_they_did() -> None:
    """They are of the network of depthwise bands, until they are replaced."""
    checkpoint = locate("cl_unet", runtime="torch").path
    network, spec = load_checkpoint(checkpoint)
    assert isinstance(network, CLUNet if "encoder" in spec.config else BandedUNet)
    drawn = draw_heart(np.random.default_rng(5), frames=3)[0]
    frames = to_network(drawn, find_roi(drawn), spec.size_px)
    found = load(checkpoint, threads=1).probabilities(frames).astype(int)
    assert np.abs(found - load(checkpoint.with_name("clip.fp32.onnx"), threads=1).probabilities(frames)).max() <= 1
    assert found.max() > 128

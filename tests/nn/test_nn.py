"""Networks: shapes, sizes, and predictions that do not depend on how a cine is cut."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import safetensors.torch  # noqa: E402

from edgeecho.errors import ConfigError, ModelFileError, ShapeError  # noqa: E402
from edgeecho.nn import (  # noqa: E402
    PRESETS,
    CLUNetConfig,
    Network,
    StridedUNetConfig,
    UNet2D,
    UNet2DConfig,
    UNet3D,
    build,
    count_parameters,
    new_spec,
)
from edgeecho.nn.blocks import DenseTimeBlock, DepthwiseBandedBlock  # noqa: E402
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from edgeecho.nn.unet3d import UNet3DConfig  # noqa: E402
from tests.helpers import TINY_SIZE_PX, TINY_WIDTHS  # noqa: E402

WIDTHS = {"cl_unet": TINY_WIDTHS, "cl_unet_edge": TINY_WIDTHS, "strided": (8, 8, 16)}
FAMILIES = list(WIDTHS)
SIZE = 32
SMALL_2D = UNet2DConfig(widths=(8,) * 6, decoder_widths=(8,) * 5)
variants = pytest.mark.parametrize(
    ("family", "causal"), [(f, c) for f in FAMILIES for c in (False, True)], ids=lambda v: {True: "causal"}.get(v, v)
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(before)


def lively(family: str, **overrides: object) -> Network:
    """A small network in eval mode whose norms are not the identity, as after training."""
    torch.manual_seed(1)
    network = build(new_spec(family, widths=WIDTHS[family], **overrides)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.3, 1)
            module.weight.uniform_(0.7, 1.5)
            module.bias.normal_(0, 0.2)
    return network


def cine(frames: int) -> torch.Tensor:
    """Random frames, float (T, 1, 32, 32)."""
    return torch.rand((frames, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(2))


def test_the_standard_network_has_the_published_count() -> None:
    assert count_parameters(UNet3D(UNet3DConfig(in_channels=3, classes=3))) == 19_069_955


def test_one_channel_of_the_standard_network_costs_less_by_hand() -> None:
    # Two input channels less: 2 * 32 * 27 weights. Two classes less: 2 * (64 weights + 1 bias).
    assert count_parameters(UNet3D()) == 19_069_955 - 2 * 32 * 27 - 2 * 65


@variants
def test_a_training_step_on_one_frame_is_that_on_the_frame_repeated(family: str, causal: bool) -> None:
    network = lively(family, causal=causal).train()
    still = cine(2).reshape(2, 1, 1, SIZE, SIZE)  # two clips of one frame
    once, often = network(still), network(still.repeat(1, 1, 5, 1, 1))
    torch.testing.assert_close(once[:, :, 0], often[:, :, 2], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_light_networks_are_light(family: str) -> None:
    network = build(new_spec(family))
    assert count_parameters(network) == new_spec(family).params <= 2_720_000


def test_the_banded_family_uses_what_it_may() -> None:
    assert new_spec("cl_unet").params > 2_500_000


def test_the_strided_network_by_hand() -> None:
    """Weights and the two numbers a channel of a norm of each convolution, and the head with its biases."""
    norms = 2 * (4 * 48 + 6 * 96 + 4 * 128)
    entry, blocks = 64 * 48, 9 * (2 * 48 * 48 + 2 * 96 * 96 + 2 * 128 * 128)
    time, down = 3 * (2 * 96 * 96 + 128 * 128), 9 * (48 * 96 + 96 * 128)
    up, head = 128 * 96 + 96 * 48, 9 * 48 * 16 + 16
    assert new_spec("strided").params == entry + blocks + time + down + up + head + norms


def test_each_parameter_counts_once_and_frozen_ones_do_not() -> None:
    layer = torch.nn.Conv2d(2, 3, 3)
    assert count_parameters(layer) == 2 * 3 * 9 + 3
    layer.bias.requires_grad_(False)
    assert count_parameters(layer) == 2 * 3 * 9


@variants
def test_shapes(family: str, causal: bool) -> None:
    network = lively(family, causal=causal)
    for b, t, h, w in ((1, 1, 32, 32), (2, 5, 32, 48), (1, 3, 16, 16)):
        assert network(torch.rand(b, 1, t, h, w)).shape == (b, 1, t, h, w)


def test_shapes_of_the_standard_network() -> None:
    network = UNet3D(UNet3DConfig(base_channels=2, classes=3))
    assert network(torch.rand(2, 1, 8, 16, 24)).shape == (2, 3, 8, 16, 24)
    assert UNet3D(UNet3DConfig(base_channels=2)).forward_frames(torch.rand(8, 1, 16, 16)).shape == (8, 1, 16, 16)


@pytest.mark.parametrize("shape", [(1, 3, 2, 32, 32), (1, 2, 32, 32), (2, 32, 32)])
def test_a_clip_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    got = str(shape).replace("(", r"\(").replace(")", r"\)")
    for network in (lively("cl_unet_edge"), UNet2D(SMALL_2D)):
        with pytest.raises(ShapeError, match=f"got {got}"):
            network(torch.rand(shape))


@pytest.mark.parametrize("shape", [(1, 1, 7, 16, 16), (1, 1, 8, 12, 16), (1, 8, 16, 16)])
def test_a_clip_that_does_not_fit_the_standard_network(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="multiples of 8"):
        UNet3D(UNet3DConfig(base_channels=2))(torch.rand(shape))


@variants
def test_clips_of_a_batch_do_not_meet(family: str, causal: bool) -> None:
    network = lively(family, causal=causal)
    clips = torch.stack([cine(4).permute(1, 0, 2, 3), cine(5)[1:].permute(1, 0, 2, 3)])
    together = network(clips)
    for clip, answer in zip(clips, together, strict=True):
        torch.testing.assert_close(network(clip[None])[0], answer, atol=1e-5, rtol=0)


# The light 2D U-Net


def test_the_light_2d_network_by_hand() -> None:
    """Two 3x3 convolutions a level, each with a BatchNorm of two numbers a channel, and the head."""
    down = [(1, 32), (32, 32), (32, 64), (64, 128), (128, 128), (128, 128)]
    up = [(128 + 128, 128), (128 + 128, 128), (128 + 64, 64), (64 + 32, 32), (32 + 32, 16)]
    expected = sum(9 * (a * b + b * b) + 4 * b for a, b in down + up) + 16 + 1
    assert count_parameters(build(new_spec("unet2d"))) == new_spec("unet2d").params == expected == 1_978_353


@pytest.mark.parametrize("size", [(32, 48), (16, 16), (112, 112)])
def test_the_light_2d_network_keeps_the_size(size: tuple[int, int]) -> None:
    """Sizes at which five halvings leave a remainder, such as 112 and 48, are kept too."""
    assert UNet2D(SMALL_2D).eval()(torch.rand(2, 1, 3, *size)).shape == (2, 1, 3, *size)


def test_the_light_2d_network_sees_each_frame_by_itself() -> None:
    torch.manual_seed(1)
    network, clip = UNet2D(SMALL_2D).eval(), cine(4)
    assert network.context_frames == (0, 0)
    together = network.forward_frames(clip)
    for frame, answer in zip(clip, together, strict=True):
        torch.testing.assert_close(network.forward_frames(frame[None])[0], answer, atol=1e-5, rtol=0)
    clips = torch.stack([clip[:2], clip[2:]]).permute(0, 2, 1, 3, 4)  # (B, 1, T, H, W)
    torch.testing.assert_close(network(clips)[1, 0], together[2:, 0], atol=1e-5, rtol=0)


# Time


@variants
def test_context_is_what_an_output_depends_on(family: str, causal: bool) -> None:
    network = lively(family, causal=causal)
    for parameter in network.parameters():
        parameter.abs_()  # a ReLU at zero would hide frames
    before, after = network.context_frames
    t, at = before + after + 5, before + 2
    clip = cine(t).double()
    network.double()
    whole = network.forward_frames(clip)
    changed = []
    for k in range(t):
        other = clip.clone()
        other[k] = 1 - other[k]
        if (network.forward_frames(other)[at] - whole[at]).abs().max() > 1e-12:
            changed.append(k)
    assert changed == list(range(at - before, at + after + 1))


@variants
def test_any_cut_gives_the_same(family: str, causal: bool) -> None:
    network = lively(family, causal=causal)
    before, after = network.context_frames
    clip = cine(18)
    t = len(clip)
    whole = network.forward_frames(clip)
    cuts = [list(range(0, t, window)) for window in (1, 2, 3, 5, 7)] + [[0, k] for k in range(1, t)]
    for starts in cuts:
        for start, end in zip(starts, [*starts[1:], t], strict=True):
            low, high = max(0, start - before), min(t, end + after)
            part = network.forward_frames(clip[low:high])[start - low : end - low]
            torch.testing.assert_close(part, whole[start:end], atol=1e-5, rtol=0, msg=f"frames {start} to {end}")


@variants
@pytest.mark.parametrize("more", [1, 3, 12])
def test_the_first_frame_has_stood_still_before(family: str, causal: bool, more: int) -> None:
    network = lively(family, causal=causal)
    clip = cine(6)
    held = torch.cat([clip[:1]] * more + [clip])
    torch.testing.assert_close(network.forward_frames(held)[more:], network.forward_frames(clip), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("more", [1, 3, 12])
def test_the_last_frame_stands_still_after(family: str, more: int) -> None:
    network = lively(family)
    clip = cine(6)
    held = torch.cat([clip] + [clip[-1:]] * more)
    torch.testing.assert_close(network.forward_frames(held)[:6], network.forward_frames(clip), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_causal_network_does_not_see_the_future(family: str) -> None:
    network = lively(family, causal=True)
    clip = cine(9)
    torch.testing.assert_close(network.forward_frames(clip[:5]), network.forward_frames(clip)[:5], atol=1e-5, rtol=0)


@variants
def test_repeated_frames_give_repeated_predictions(family: str, causal: bool) -> None:
    network = lively(family, causal=causal)
    one = cine(1)
    for answer in network.forward_frames(one.repeat(7, 1, 1, 1)):
        torch.testing.assert_close(answer, network.forward_frames(one)[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("causal", [False, True])
def test_a_dense_time_block_is_a_3d_convolution(causal: bool) -> None:
    torch.manual_seed(3)
    channels, t = 8, 6
    block = DenseTimeBlock(channels, causal).eval()
    convolution, norm, _ = block.temporal
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    native = torch.nn.Conv3d(channels, channels, (3, 1, 1), bias=False)
    # On the channel axis stand three frames after each other: oldest first.
    native.weight.copy_(convolution.weight.reshape(channels, 3, channels, 1, 1).transpose(1, 2))
    x = torch.randn(t, channels, 8, 8)
    spatial = block.spatial(x)
    if causal:
        spatial = torch.cat([spatial[:1], spatial[:1], spatial])
    wanted = native(spatial.transpose(0, 1)[None])[0].transpose(0, 1)
    wanted = torch.relu(
        (wanted - norm.running_mean[:, None, None]) / (norm.running_var[:, None, None] + norm.eps) ** 0.5
    )
    got = block(x, 1)
    assert len(got) == (t if causal else t - 2)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=0)


def test_the_banded_cube_is_a_depthwise_3d_convolution() -> None:
    torch.manual_seed(4)
    block = DepthwiseBandedBlock(16, causal=False)
    native = torch.nn.Conv3d(2, 2, 3, padding=(0, 1, 1), groups=2, bias=False)
    native.weight.copy_(torch.stack([conv.weight for conv in block.cube], dim=2))
    x = torch.randn(5, 2, 8, 8)
    got = sum(conv(x[k : k + 3]) for k, conv in enumerate(block.cube))
    torch.testing.assert_close(got, native(x.transpose(0, 1)[None])[0].transpose(0, 1), atol=1e-5, rtol=0)


# Configurations and checkpoints


@pytest.mark.parametrize(
    "values",
    [
        {"widths": (8,)},
        {"widths": (8, 12, 16, 16)},
        {"widths": (0, 8, 8, 8)},
        {"encoder": "sparse"},
        {"encoder_time": (True,)},
        {"decoder_time": (True,) * 4},
    ],
)
def test_configurations_that_make_no_network(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        CLUNetConfig(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"widths": (8,)},
        {"widths": (8, 12, 16)},
        {"entry_kernel": 6},
        {"blocks": (1, 1)},
        {"entry_stride": 3},
        {"decoder_time": (True,) * 3},
        {"head_kernel": 2},
    ],
)
def test_configurations_that_make_no_strided_network(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        StridedUNetConfig(**values)


@pytest.mark.parametrize(
    "values",
    [{"widths": (8,), "decoder_widths": ()}, {"widths": (8, 12)}, {"decoder_widths": (8,)}, {"widths": (8,) * 9}],
)
def test_configurations_that_make_no_2d_network(values: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ConfigError, match="widths"):
        UNet2DConfig(**values)


def test_a_banded_network_needs_channels_in_eighths() -> None:
    with pytest.raises(ValueError, match="channels must be a multiple of 8, got 12"):
        DepthwiseBandedBlock(12, causal=False)


@pytest.mark.parametrize("family", PRESETS)
def test_a_spec_rebuilds_its_network(family: str) -> None:
    spec = new_spec(family)
    network = build(type(spec).from_json(spec.to_json()))
    assert (count_parameters(network), network.context_frames) == (spec.params, spec.context_frames)


def test_specs_that_rebuild_nothing() -> None:
    spec = new_spec("cl_unet_edge")
    with pytest.raises(ModelFileError, match="unknown family 'resnet'"):
        build(replace(spec, family="resnet"))
    with pytest.raises(ModelFileError, match=r"cannot be rebuilt.*colour"):
        build(replace(spec, config={"colour": "red"}))
    with pytest.raises(ModelFileError, match=r"cannot be rebuilt.*widths"):
        build(replace(spec, config={"widths": [7]}))


@variants
def test_checkpoint_round_trip(tmp_path: Path, family: str, causal: bool) -> None:
    network, path = lively(family, causal=causal), tmp_path / "network.safetensors"
    spec = new_spec(family, widths=WIDTHS[family], causal=causal)
    save_checkpoint(path, network, spec)
    again, its_spec = load_checkpoint(path)
    assert its_spec == type(spec).from_json(spec.to_json())
    assert not again.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert torch.equal(again.forward_frames(cine(4)), network.forward_frames(cine(4)))


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    spec = new_spec("cl_unet_edge", widths=TINY_WIDTHS)
    for name in "ab":
        save_checkpoint(tmp_path / f"{name}.safetensors", lively("cl_unet_edge"), spec)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_weights_that_do_not_fit_their_spec(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_checkpoint(path, lively("cl_unet_edge"), new_spec("cl_unet_edge"))
    with pytest.raises(ModelFileError, match=r"network\.safetensors: weights do not fit"):
        load_checkpoint(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_checkpoint_with_a_weight_that_is_no_number(tmp_path: Path, value: float) -> None:
    path, network = tmp_path / "x.safetensors", lively("cl_unet_edge")
    with torch.no_grad():
        list(network.parameters())[-1].view(-1)[-1] = value
    save_checkpoint(path, network, new_spec("cl_unet_edge", widths=TINY_WIDTHS))
    with pytest.raises(ModelFileError, match=r"x\.safetensors: one of its weights is no finite number"):
        load_checkpoint(path)


def test_a_foreign_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(ModelFileError, match=r"foreign\.safetensors: found 0 EdgeEcho checksums"):
        load_checkpoint(path)


def test_a_graph_is_no_checkpoint() -> None:
    from edgeecho.runtime import locate

    with pytest.raises(ModelFileError, match="this is a clip graph, not a checkpoint"):
        load_checkpoint(locate("default").path)


def test_torch_returns_bytes(tiny_checkpoint: Path) -> None:
    from edgeecho.runtime import load

    predictor = load(tiny_checkpoint, threads=1)
    frames = (torch.rand(3, TINY_SIZE_PX, TINY_SIZE_PX) * 255).byte()
    logits = load_checkpoint(tiny_checkpoint)[0].forward_frames(frames[:, None].float() / 255)
    wanted = np.rint(255 / (1 + np.exp(-logits[:, 0].numpy().astype(np.float64))))
    assert np.abs(predictor.probabilities(frames.numpy()).astype(int) - wanted).max() <= 1

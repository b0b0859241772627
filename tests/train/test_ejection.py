"""Loss of volumes: what is read from masks, its error, and the pull that it has on the masks."""

import pytest

torch = pytest.importorskip("torch")

from edgeecho.train.config import LossConfig  # noqa: E402
from edgeecho.train.ejection import (  # noqa: E402
    LARGEST_ERROR,
    SMALLEST_CUBIC_PX,
    disc_volumes,
    ejection_loss,
    log_volume_errors,
    volume_loss,
)
from edgeecho.train.losses import Target, total_loss  # noqa: E402

SIDE = 64


def discs(*radii: float) -> torch.Tensor:
    """Masks of discs in one clip, float (1, T, 64, 64)."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    reach = torch.hypot(y - 31.5, x - 31.5)
    return torch.stack([(r + 0.5 - reach).clip(0, 1) for r in radii])[None]


def logits_of(masks: torch.Tensor) -> torch.Tensor:
    """Logits that are far from 0 but at the edge, where they are 0."""
    return 20 * (masks - 0.5)


def test_the_volume_of_a_disc_is_that_of_a_sphere() -> None:
    found = disc_volumes(discs(10.0, 20.0))[0]
    assert found.tolist() == pytest.approx([4 / 3 * torch.pi * r**3 for r in (10, 20)], rel=0.02)


def test_errors_are_logarithms_of_volumes() -> None:
    truth, drawn = discs(10.0, 20.0), discs(11.0, 20.0)
    errors = log_volume_errors(logits_of(drawn), truth)[0]
    volumes = disc_volumes(truth)[0, 0] + SMALLEST_CUBIC_PX, disc_volumes(drawn)[0, 0] + SMALLEST_CUBIC_PX
    assert errors.tolist() == pytest.approx([float((volumes[1] / volumes[0]).log()), 0], abs=0.03)
    nothing = log_volume_errors(torch.full((1, 1, SIDE, SIDE), -9.0), discs(20.0))
    assert torch.isfinite(nothing).all()
    assert float(nothing) < -LARGEST_ERROR


def test_volumes_that_are_wrong_by_one_factor_give_the_right_ef() -> None:
    both = torch.ones(1, 3, dtype=torch.bool)
    errors = torch.tensor([[0.1, 0.1, 0.1]])
    assert float(volume_loss(errors, both)) == pytest.approx(0.01)
    assert float(ejection_loss(errors, both)) == pytest.approx(0, abs=1e-12)
    ed_es = torch.tensor([[True, False, True]])
    errors = torch.tensor([[0.0, 9.0, 0.2]])  # the frame between has no label
    assert float(ejection_loss(errors, ed_es)) == pytest.approx(0.2**2 / 4)
    assert float(volume_loss(errors, ed_es)) == pytest.approx(0.2**2 / 2)


def test_a_lost_mask_does_not_dominate() -> None:
    one = torch.ones(1, 1, dtype=torch.bool)
    far = torch.tensor([[10.0]], requires_grad=True)
    volume_loss(far, one).backward()
    assert float(far.grad) == pytest.approx(2 * LARGEST_ERROR)


def test_without_labels_there_is_no_loss() -> None:
    none = torch.zeros(2, 3, dtype=torch.bool)
    assert float(volume_loss(torch.ones(2, 3), none)) == float(ejection_loss(torch.ones(2, 3), none)) == 0


def test_the_loss_makes_a_large_es_smaller_and_parts_add_up() -> None:
    truth = torch.cat([discs(20.0, 12.0), discs(18.0, 15.0)])
    drawn = torch.cat([discs(20.0, 14.0), discs(18.0, 15.0)])
    labelled = torch.ones(2, 2, dtype=torch.bool)
    target = Target(truth, labelled, ~labelled, torch.zeros(2, 2), torch.zeros(2))
    logits = logits_of(drawn)[:, None].requires_grad_()
    config = LossConfig(cycle=0, interpolation=0, beats=0, volume=1.0, ejection=10.0)
    loss, terms = total_loss(logits, target, config)
    assert set(terms) == {"labels", "volume", "ejection"}
    assert float(loss.detach()) == pytest.approx(
        float(terms["labels"] + terms["volume"] + 10 * terms["ejection"]), rel=1e-5
    )
    (slope,) = torch.autograd.grad(ejection_loss(log_volume_errors(logits.squeeze(1), truth), labelled), logits)
    assert float(slope[0, 0, 1].sum()) > 0  # a smaller logit lowers the loss where ES is too large
    assert float(slope[0, 0, 0].sum()) < 0  # and ED has to grow, for their ratio
    assert float(slope[1].abs().sum()) == pytest.approx(0, abs=1e-4)


def test_pixels_count_nearly_whole_or_not_at_all() -> None:
    """A ring of probability 0.3 about the cavity is not in its mask, though in the sum of probabilities."""
    truth, ring = discs(12.0), discs(16.0)
    logits = torch.where(truth > 0.5, 6.0, torch.where(ring > 0.5, -0.85, -6.0))
    plain = torch.log(disc_volumes(torch.sigmoid(logits)) / disc_volumes(truth))
    assert float(plain) > 0.25
    assert float(log_volume_errors(logits, truth)) < float(plain) / 4

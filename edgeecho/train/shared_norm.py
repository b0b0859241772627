"""Batch normalisation over the clips of all processes, on every device.

`torch.nn.SyncBatchNorm` needs a CUDA device. This one computes the same: mean and variance over the batches of all
processes (Ioffe and Szegedy, arXiv 1502.03167), so that a run does not depend on how many processes share its clips.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm


class SharedBatchNorm(_BatchNorm):
    """BatchNorm whose statistics in training are those of all processes."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, ...) to the same shape."""
        if not self.training or not (dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        out, mean, var, count = _Normalise.apply(x, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            part = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
            self.running_mean.lerp_(mean, part)
            self.running_var.lerp_(var * (count / (count - 1).clamp(min=1)), part)  # unbiased, as BatchNorm's
        result: Tensor = out
        return result

    def _check_input_dim(self, input: Tensor) -> None:
        return


def share_norms(network: nn.Module) -> nn.Module:
    """Replace every BatchNorm of a network by one over all processes, with the same parameters and statistics."""
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm):
            shared = SharedBatchNorm(child.num_features, child.eps, child.momentum, child.affine)
            shared.load_state_dict(child.state_dict())
            shared.train(child.training)
            setattr(network, name, shared.to(next(iter(child.buffers())).device))
        else:
            share_norms(child)
    return network


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with mean and variance over the batches of all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        axes = [0, *range(2, x.ndim)]
        var, mean = torch.var_mean(x.float(), dim=axes, correction=0)
        mean, var, c = mean.double(), var.double(), x.shape[1]  # their squares are subtracted from each other
        own = mean.new_tensor([x.numel() / c])
        sums = torch.cat([mean * own, (var + mean.square()) * own, own])
        dist.all_reduce(sums)
        count, mean = sums[-1].float(), sums[:c] / sums[-1]
        var = (sums[c : 2 * c] / sums[-1] - mean.square()).clamp(min=0).float()
        mean = mean.float()
        out = F.batch_norm(x, mean, var, weight, bias, training=False, eps=eps)
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(var + eps), count)
        ctx.mark_non_differentiable(mean, var, count)
        return out, mean, var, count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse, count = ctx.saved_tensors
        axes, c = [0, *range(2, x.ndim)], x.shape[1]
        shape = (1, c, *[1] * (x.ndim - 2))
        level = (x - mean.view(shape)) * inverse.view(shape)  # the normalised input
        own = torch.cat([gradient.sum(axes, dtype=torch.float32), (gradient * level).sum(axes)])
        total = own.clone()
        dist.all_reduce(total)
        scale = inverse if weight is None else inverse * weight
        mean_part, level_part = (total / count).view(2, *shape)
        x_gradient = (gradient - mean_part - level * level_part) * scale.view(shape)
        if weight is None:
            return x_gradient.to(x.dtype), None, None, None
        return x_gradient.to(x.dtype), own[c:], own[:c], None

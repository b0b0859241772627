"""Batch normalisation over the clips of all processes.

On CUDA devices it is `torch.nn.SyncBatchNorm`, which works nowhere else. Elsewhere this one computes the same: mean and
variance over the batches of all processes (Ioffe and Szegedy, arXiv 1502.03167), so that a run does not depend on how
many processes share its clips.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

EPS = 1e-12
"""Number that keeps the variance of a constant channel from being divided by."""


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
    if any(parameter.is_cuda for parameter in network.parameters()):
        shared_on_gpu: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return shared_on_gpu
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
    """(x - mean) / sqrt(variance + eps) * weight + bias, with mean and variance over the batches of all processes.

    Both passes are PyTorch's own kernels of one process's normalisation, around the exchange of the sums.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        c, own = x.shape[1], x.numel() / x.shape[1]
        mean, var = (part.double() for part in moments(x))  # their squares are subtracted from each other
        sums = torch.cat([mean * own, (var + mean.square()) * own, mean.new_tensor([own])])
        dist.all_reduce(sums)
        count, mean = sums[-1].float(), sums[:c] / sums[-1]
        var = (sums[c : 2 * c] / sums[-1] - mean.square()).clamp(min=0).float()
        mean = mean.float()
        out = F.batch_norm(x, mean, var, weight, bias, training=False, eps=eps)
        ctx.save_for_backward(x, weight, mean, var, count)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, var, count)
        return out, mean, var, count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, var, count = ctx.saved_tensors
        inverse, one = torch.rsqrt(var + ctx.eps), torch.ones_like(mean)
        # Gradient * scale; and in this process the sums of gradient times normalised input, and of gradient, which are
        # the gradients of weight and bias.
        scaled, own_level, own_sum = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, var, None, None, False, ctx.eps, [True, True, True]
        )
        total = torch.cat([own_sum, own_level])
        dist.all_reduce(total)
        sum_part, level_part = (total / count).chunk(2)
        scale = inverse if weight is None else inverse * weight
        # (gradient - sum_part - level_part * (x - mean) * inverse) * scale
        slope = -level_part * inverse * scale
        offset = -sum_part * scale - slope * mean
        x_gradient = scaled.add_(F.batch_norm(x, torch.zeros_like(mean), one, slope, offset, eps=0.0))
        if weight is None:
            return x_gradient, None, None, None
        return x_gradient, own_level, own_sum, None


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel of (N, C, ...), float32 (C,) each."""
    if x.dtype == torch.float32:
        mean, var = torch.ops.aten.batch_norm_update_stats(x, None, None, 0.0)
        return mean, var
    one = torch.ones(x.shape[1], device=x.device)  # parameters of float32 make it return statistics of float32
    _, mean, deviation = torch.native_batch_norm(x, one, one, None, None, True, 0.0, EPS)
    return mean, deviation.square().reciprocal() - EPS

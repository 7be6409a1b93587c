"""BatchNorm over the whole batch, of which each process has a slice.

torch.nn.SyncBatchNorm does this on CUDA alone, and by replacing modules that methods hold on to.
Here `batch_norm` itself is replaced while the passes of a step run, on every device.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, final

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from bitfold.quant import processes
from bitfold.quant.function import apply
from bitfold.search.distill import full_precision


def whole_batch_norms() -> AbstractContextManager[object]:
    """While it is entered, BatchNorms in training mode see the slices of all processes."""
    return _WholeBatch() if processes.count() > 1 else nullcontext()


@final
class _WholeBatch(TorchFunctionMode):
    """Calls of torch.nn.functional.batch_norm go to ours."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        called = batch_norm if func is functional.batch_norm else func
        return called(*args, **(kwargs or {}))


def batch_norm(  # noqa: PLR0917  # the signature of torch.nn.functional.batch_norm
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """As torch.nn.functional.batch_norm of all slices in one batch. x (N, C, ...), same shape out.

    The gradient with respect to x is that of the processes' summed loss.
    """
    if not training:
        return functional.batch_norm(
            x, running_mean, running_var, weight, bias, False, momentum, eps
        )
    wide = full_precision(x)
    mean, squares, count = statistics(wide.detach())
    with torch.no_grad():
        if running_mean is not None and running_var is not None:
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            running_var.lerp_((squares / (count - 1)).to(running_var.dtype), momentum)
    deviation = (squares / count + eps).rsqrt()
    out = apply(_Normalise, wide, mean, deviation, count)
    if weight is not None:
        out = out * _channels(weight, x)
    if bias is not None:
        out = out + _channels(bias, x)
    return out.to(x.dtype)


def statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, summed squared deviations and number of values of each channel over all slices.

    x (N, C, ...), with N of each process its own, 0 too -> (C,) each. Parts are joined as by Chan
    et al. 1979, without cancellation.
    """
    dims = [d for d in range(x.ndim) if d != 1]
    size = x.numel() // x.shape[1]
    own = x.sum(dims) / max(size, 1)
    squares = (x - _channels(own, x)).square().sum(dims)
    parts = processes.gather(torch.stack([own, squares, torch.full_like(own, size)]))
    means, sizes = parts[:, 0], parts[:, 2]
    count = sizes.sum(0)
    mean = (sizes * means).sum(0) / count
    return mean, parts[:, 1].sum(0) + (sizes * (means - mean).square()).sum(0), count


@final
class _Normalise(torch.autograd.Function):
    """(x - mean) / deviation, where mean and deviation are functions of all processes' x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: Tensor, deviation: Tensor, count: Tensor) -> Tensor:
        normal = (x - _channels(mean, x)) * _channels(deviation, x)
        ctx.save_for_backward(normal, deviation, count)
        return normal

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (grad,) = grads
        normal, deviation, count = ctx.saved_tensors
        dims = [d for d in range(grad.ndim) if d != 1]
        sums = processes.total(torch.stack([grad.sum(dims), (grad * normal).sum(dims)]))
        common, along = (_channels(part / count, grad) for part in sums)
        return (grad - common - normal * along) * _channels(deviation, grad), None, None, None


def _channels(values: Tensor, x: Tensor) -> Tensor:
    """(C,) -> (1, C, 1, ...), to be broadcast over x (N, C, ...)."""
    return values.view(1, -1, *[1] * (x.ndim - 2))

"""Several processes that train one network, each on an equal slice of every batch.

They are those of torch's default process group, which whoever starts the training sets up; without
one there is a single process, and nothing here does anything. Whatever is computed from a slice and
outlives the step must be averaged, or the processes' networks drift apart.
"""

import torch
from torch import Tensor, distributed


def count() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Number of this one, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def leave() -> None:
    """Leave the group together. For the end of a program: what is left to the interpreter's exit is
    torn down while other threads still wait for messages, which aborts now and then."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


@torch.no_grad()
def total(x: Tensor) -> Tensor:
    """Sum of the processes' x, the same bits in each. Any shape; carries no gradient."""
    if count() == 1:
        return x
    x = x.detach().clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(x)
    return x


def mean(x: Tensor) -> Tensor:
    """Mean of the processes' x, as `total`."""
    return x if count() == 1 else total(x) / count()


@torch.no_grad()
def gather(x: Tensor) -> Tensor:
    """The processes' x, of one shape (...). Shape (processes, ...)."""
    if count() == 1:
        return x[None]
    parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(count())]
    distributed.all_gather(parts, x.detach().contiguous())
    return torch.stack(parts)


@torch.no_grad()
def mean_magnitude(x: Tensor) -> Tensor:
    """Mean |x| over all processes' x, in float32 at least; a process may have no rows. Shape ()."""
    magnitude = x.abs().sum(dtype=torch.promote_types(x.dtype, torch.float32))
    whole, size = total(torch.stack([magnitude, magnitude.new_tensor(x.numel())]))
    mean: Tensor = whole / size
    return mean

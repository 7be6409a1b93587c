"""Several processes train one network: slices of batches, averaged gradients, equal weights.

Each process draws the whole batch and takes its slice, so the images are those that one process
would see. Losses are means over a slice, so gradients are averaged; once per step and by hand,
because a method may make several passes, each with other parameters unused, which
DistributedDataParallel does not foresee. All processes seed torch's generator alike, so noise on
weights is the same everywhere (and dropout masks repeat from slice to slice).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, distributed, nn

from bitfold.errors import ConfigError, MismatchError
from bitfold.quant import processes


def check_batch(batch: int) -> None:
    """Raise ConfigError unless a batch can be cut into equal slices."""
    count = processes.count()
    if batch % count:
        raise ConfigError(
            f"[train] batch: {batch} images cannot be cut into {count} equal slices, one for each "
            "process; choose a multiple"
        )


def slice_of(batch: Tensor) -> Tensor:
    """This process's part of a batch (N, ...). Shape (N / processes, ...)."""
    size = len(batch) // processes.count()
    return batch[processes.rank() * size : (processes.rank() + 1) * size]


def slices() -> int:
    """How many slices the batch of the running pass has.

    Training steps share a batch. Passes without gradients, such as those that estimate the
    statistics of norms anew, see all of it in every process.
    """
    return processes.count() if torch.is_grad_enabled() else 1


def drawn(draw: Callable[[Sequence[int]], Tensor], shape: Sequence[int]) -> Tensor:
    """Random numbers of `shape` (N, ...) for the running pass, by `draw` of a shape.

    Drawn for the whole batch, so that they do not depend on how many processes share it.
    """
    if slices() == 1:
        return draw(shape)
    return slice_of(draw((shape[0] * slices(), *shape[1:])))


@torch.no_grad()
def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Replace each gradient by its mean over the processes.

    A process without gradient counts as zero; where all have none, there stays none.
    """
    if processes.count() == 1:
        return
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    used = flat.new_tensor([p.grad is not None for p in parameters])
    both = processes.mean(torch.cat([flat, used]))
    parts = torch.split(both[: len(flat)], [grad.numel() for grad in grads])
    for parameter, grad, part, share in zip(
        parameters, grads, parts, both[len(flat) :].tolist(), strict=True
    ):
        parameter.grad = grad.copy_(part.view(grad.shape)) if share else None


def check_equal(model: nn.Module, where: str) -> None:
    """Raise MismatchError, naming the first tensor, unless all processes hold the same model."""
    if processes.count() == 1:
        return
    found: list[Mapping[str, str]] = [{} for _ in range(processes.count())]
    distributed.all_gather_object(found, _digests(model))
    for name, digest in found[0].items():
        if any(other[name] != digest for other in found):
            raise MismatchError(
                f"{where}: the processes hold different values of {name!r}, so they no longer "
                "train one network. What a method computes from its slice of the batch must be "
                "averaged (bitfold.quant.processes.mean). Train in one process until it is"
            )


def _digests(model: nn.Module) -> dict[str, str]:
    return {
        name: hashlib.sha256(_bytes(value.detach().cpu())).hexdigest()
        for name, value in model.state_dict().items()
    }


def _bytes(x: Tensor) -> bytes:
    return x.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()

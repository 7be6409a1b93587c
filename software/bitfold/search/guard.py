"""Stop a phase whose numbers are no longer numbers, before they reach a checkpoint."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.search.ema import averaged


def check_loss(loss: Tensor, where: str) -> None:
    """Raise ConfigError unless the scalar is finite; `where` says phase, step and rate."""
    if not torch.isfinite(loss):
        _stop(f"the loss became {loss.item()}", where)


def check_gradients(norm: Tensor, where: str) -> None:
    """The same for the norm of all gradients together."""
    if not torch.isfinite(norm):
        _stop(f"the norm of the gradients became {norm.item()}", where)


def check_weights(model: nn.Module, where: str) -> None:
    """The same for parameters and BatchNorm statistics; names the first that is not finite."""
    for name, value in averaged(model).items():
        if not torch.isfinite(value).all():
            _stop(f"{name!r} holds values that are not finite", where)


def gradient_norm(parameters: Sequence[Tensor], limit: float) -> Tensor:
    """Euclidean norm of all gradients together; they are scaled down to `limit`, if it is not 0."""
    if limit:
        return nn.utils.clip_grad_norm_(parameters, limit)
    return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])


def _stop(what: str, where: str) -> None:
    raise ConfigError(
        f"{what} in {where}; the checkpoint of the epoch before is kept. Lower this phase's "
        "learning rate in the run file and give another output folder"
    )

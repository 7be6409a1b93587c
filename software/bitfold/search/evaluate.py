"""Accuracy of a model, and BatchNorm statistics for the weights it now has."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bitfold.data import Split
from bitfold.quant import processes

IMAGES = 6000  # enough for the statistics, as LIMPQ's authors take
BATCH = 256


@torch.no_grad()
def accuracy(model: nn.Module, split: Split) -> float:
    """Fraction of `split` that `model` classifies rightly, in evaluation mode.

    The processes share the batches; each returns the same.
    """
    was = model.training
    model.eval()
    device = next(model.parameters()).device
    right = torch.zeros((), dtype=torch.int64, device=device)
    for start in range(BATCH * processes.rank(), len(split), BATCH * processes.count()):
        x, y = (part[start : start + BATCH].to(device) for part in (split.x, split.y))
        right += (model(x).argmax(1) == y).sum()
    model.train(was)
    return int(processes.total(right)) / len(split)


@torch.no_grad()
def reestimate_norms(model: nn.Module, x: Tensor) -> None:
    """Replace every BatchNorm's running statistics by the mean over batches of training images.

    Quantised weights move in steps, so running averages lag behind them. In place; uses the first
    6000 images of x, in equal batches.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    was = model.training
    model.train()
    device = next(model.parameters()).device
    count = min(len(x), IMAGES)
    batch = min(BATCH, count)
    for start in range(0, count - batch + 1, batch):
        model(x[start : start + batch].to(device))
    model.train(was)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@contextmanager
def batch_statistics(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, but every BatchNorm normalises by the batch it sees; all as it was after."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    was, momenta = model.training, [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()
        norm.momentum = 0.0  # keeps the running statistics
    try:
        yield
    finally:
        model.train(was)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

"""Accuracy of a model, and BatchNorm statistics for the weights it now has."""

import torch
from torch import Tensor, nn

from bitfold.data import Split

IMAGES = 6000  # enough for the statistics, as LIMPQ's authors take
BATCH = 256


@torch.no_grad()
def logits(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs of `model` in evaluation mode. x (N, C, H, W) -> (N, classes), on the CPU."""
    was = model.training
    model.eval()
    device = next(model.parameters()).device
    parts = [model(part.to(device)).cpu() for part in x.split(BATCH)]  # type: ignore[no-untyped-call]
    model.train(was)
    return torch.cat(parts)


def accuracy(model: nn.Module, split: Split) -> float:
    """Fraction of `split` that is classified rightly."""
    return (logits(model, split.x).argmax(1) == split.y.cpu()).float().mean().item()


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

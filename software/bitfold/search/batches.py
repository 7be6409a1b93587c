"""The batches of an epoch, drawn from a generator that seed, phase and epoch alone decide."""

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from bitfold.data import Split
from bitfold.data.augment import augment
from bitfold.search.device import lay_out


def steps_of(split: Split, batch: int) -> int:
    """Batches in an epoch: all of equal size, the remainder left out; at least one."""
    return max(1, len(split) // batch)


def batches(split: Split, batch: int, how: str, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled batches (x, y), augmented as `how` says; on the split's device.

    All draws are made on the CPU, so every device gets the same images. A split smaller than
    `batch` is one batch. Also seeds torch's own generator, for dropout.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(split), generator=generator)
    for part in order.split(batch)[: steps_of(split, batch)]:
        rows = part.to(split.x.device)
        x = augment(split.x[rows], how, generator)
        yield lay_out(x) if x.is_cuda else x, split.y[rows]


def epoch_seed(seed: int, phase: str, epoch: int) -> int:
    """A generator seed that differs between phases and epochs."""
    text = f"{seed}/{phase}/{epoch}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")

"""Data sets of mixed quality: every image in every quality, in equal shares."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from bitfold.data.corrupt import corrupt
from bitfold.data.dataset import DataSet, Split


def mix(data: DataSet, qualities: Sequence[str]) -> DataSet:
    """`data` with a copy of each split in each quality; an image's copies follow each other.

    So any first part of a split has equal shares. The draws depend on quality and split alone: a
    mixed set is the same for every run. Labels of quality are for analysis; no network sees them.
    Raises: ConfigError for an unknown quality.
    """
    return replace(
        data,
        qualities=tuple(qualities),
        train=_mix(data.train, "train", qualities),
        validation=_mix(data.validation, "validation", qualities),
        test=_mix(data.test, "test", qualities),
    )


def _mix(split: Split, name: str, qualities: Sequence[str]) -> Split:
    x = split.x.numpy()
    copies = np.stack([corrupt(x, quality, _seed(name, quality)) for quality in qualities], 1)
    count = len(qualities)
    return Split(
        torch.from_numpy(copies.reshape(-1, *x.shape[1:])),
        split.y.repeat_interleave(count),
        torch.arange(count).repeat(len(split)),
    )


def _seed(name: str, quality: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{name}/{quality}".encode()).digest()[:7], "big")

"""MNIST, Fashion-MNIST and CIFAR-10 as torchvision lays them out; nothing is downloaded.

Names that end in 16 are the same sets at 16x16, for quick runs: 28x28 gets two zeros on every side,
then each 2x2 pixels are averaged.
"""

import pickle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad
from torchvision import datasets

from bitfold.data.dataset import DataSet, Split
from bitfold.errors import DataError

_SETS = {
    "mnist": (datasets.MNIST, "MNIST/raw"),
    "fashion_mnist": (datasets.FashionMNIST, "FashionMNIST/raw"),
    "cifar10": (datasets.CIFAR10, "cifar-10-batches-py"),
}
_HALVED = {"mnist16": "mnist", "fashion_mnist16": "fashion_mnist", "cifar16": "cifar10"}

# What torchvision's readers raise at files that are missing, cut off, or something else.
_DAMAGE = (
    *(RuntimeError, OSError, ValueError, EOFError, KeyError, IndexError, AssertionError),
    pickle.UnpicklingError,
)


def vision(name: str, root: Path | None) -> DataSet:
    """Load `name` (mnist, fashion_mnist, cifar10; or mnist16, ...) from `root`.

    x (N, C, H, W): bytes divided by 255, and averaged for the sets at 16x16. A tenth of the
    training images, drawn with a fixed seed, is the validation split. Raises: DataError when the
    set is missing or damaged.
    """
    maker, folder = _SETS[_HALVED.get(name, name)]
    if root is None:
        raise DataError(
            f"data set {name!r} needs a folder: set [data] root in the run file or BITFOLD_DATA; "
            f"{folder} is expected below it"
        )
    try:
        train, test = (maker(root, train=part, download=False) for part in (True, False))
    except _DAMAGE as error:
        reason = str(error).split(".")[0]
        raise DataError(
            f"data set {name!r} is missing or damaged under {str(root)!r} ({reason}): {folder} "
            "must hold torchvision's files. Point [data] root or BITFOLD_DATA at the folder above"
        ) from None
    x, y = _tensors(train.data, train.targets)
    test_x, test_y = _tensors(test.data, test.targets)
    for images, labels in ((x, y), (test_x, test_y)):
        if len(images) != len(labels) or not ((labels >= 0) & (labels < 10)).all():
            raise DataError(
                f"data set {name!r} is damaged under {str(root)!r}: {len(images)} images and "
                f"{len(labels)} labels, which must be as many and lie in 0..9"
            )
    if name in _HALVED:
        x, test_x = _halve(x), _halve(test_x)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    held, kept = order[: len(y) // 10], order[len(y) // 10 :]
    return DataSet(
        name=name,
        classes=10,
        train=Split(x[kept], y[kept]),
        validation=Split(x[held], y[held]),
        test=Split(test_x, test_y),
    )


def _tensors(images: Tensor | np.ndarray, labels: Tensor | list[int]) -> tuple[Tensor, Tensor]:
    x = torch.as_tensor(images)
    x = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
    return x.to(torch.float32).div_(255).contiguous(), torch.as_tensor(labels, dtype=torch.int64)


def _halve(x: Tensor) -> Tensor:
    """Images (N, C, 28 or 32, the same) at 16x16."""
    side = (32 - x.shape[-1]) // 2
    return avg_pool2d(pad(x, (side, side, side, side)), 2)

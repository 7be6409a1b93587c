"""Data sets as tensors, from scikit-learn (digits) and torchvision's files."""

from collections.abc import Sequence
from pathlib import Path

from bitfold.data.corrupt import parse_quality as parse_quality
from bitfold.data.dataset import DataSet as DataSet
from bitfold.data.dataset import Split as Split
from bitfold.data.mixed import mix as mix


def load(name: str, root: Path | None = None, qualities: Sequence[str] = ()) -> DataSet:
    """Load digits, mnist, fashion_mnist, cifar10, or mnist16, fashion_mnist16, cifar16.

    `root` is torchvision's folder. With `qualities`, such as "clean" and "gaussian_noise:3", every
    image comes in each of them. Raises: DataError when the set is missing or damaged, ConfigError
    for an unknown quality.
    """
    if name == "digits":
        from bitfold.data.digits import digits

        loaded = digits()
    else:
        from bitfold.data.vision import vision

        loaded = vision(name, root)
    return mix(loaded, qualities) if qualities else loaded

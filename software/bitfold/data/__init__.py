"""Data sets as tensors, from scikit-learn (digits) and torchvision's files."""

from collections.abc import Sequence
from pathlib import Path

from bitfold.data.corrupt import parse_quality as parse_quality
from bitfold.data.dataset import DataSet as DataSet
from bitfold.data.dataset import Split as Split
from bitfold.data.mixed import mix as mix


def load(
    name: str,
    root: Path | None = None,
    qualities: Sequence[str] = (),
    images: int | None = None,
) -> DataSet:
    """Load digits, mnist, fashion_mnist, cifar10, or mnist16, fashion_mnist16, cifar16.

    `root` is torchvision's folder. With `qualities`, such as "clean" and "gaussian_noise:3", every
    image comes in each of them. `images` keeps the first so many of each split. Raises: DataError
    when the set is missing or damaged, ConfigError for an unknown quality.
    """
    if name == "digits":
        from bitfold.data.digits import digits

        loaded = digits()
    else:
        from bitfold.data.vision import vision

        loaded = vision(name, root)
    if images is not None:
        loaded = loaded.first(images)
    return mix(loaded, qualities) if qualities else loaded

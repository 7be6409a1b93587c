"""Data sets as tensors, from scikit-learn (digits) and torchvision's files."""

from pathlib import Path

from bitfold.data.dataset import DataSet as DataSet
from bitfold.data.dataset import Split as Split


def load(name: str, root: Path | None = None) -> DataSet:
    """Load digits, mnist, fashion_mnist, cifar10, or mnist16, fashion_mnist16, cifar16.

    `root` is torchvision's folder. Raises: DataError when the set is missing or damaged.
    """
    if name == "digits":
        from bitfold.data.digits import digits

        return digits()
    from bitfold.data.vision import vision

    return vision(name, root)

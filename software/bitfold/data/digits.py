"""scikit-learn's handwritten digits: 1797 real 8x8 images, bundled with the package."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bitfold.data.dataset import DataSet, Split

TEST, VALIDATION = 360, 180


def digits() -> DataSet:
    """Load them: x (N, 1, 8, 8), grey levels 0..16 divided by 16; 1257/180/360 images."""
    bunch = load_digits()
    x = (bunch.images / 16).astype(np.float32)[:, None]
    y = bunch.target.astype(np.int64)
    x, test_x, y, test_y = train_test_split(x, y, test_size=TEST, stratify=y, random_state=0)
    train_x, val_x, train_y, val_y = train_test_split(
        x, y, test_size=VALIDATION, stratify=y, random_state=0
    )

    def split(x: np.ndarray, y: np.ndarray) -> Split:
        return Split(torch.from_numpy(x), torch.from_numpy(y))

    return DataSet(
        name="digits",
        classes=10,
        train=split(train_x, train_y),
        validation=split(val_x, val_y),
        test=split(test_x, test_y),
    )

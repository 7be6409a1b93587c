"""torchvision's layouts, on tiny sets written here."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from bitfold.data import load
from bitfold.errors import DataError


def write_idx(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(header + values.astype(np.uint8).tobytes())


def write_mnist(root: Path, folder: str) -> None:
    rng = np.random.default_rng(0)
    for part, count in (("train", 20), ("t10k", 6)):
        raw = root / folder / "raw"
        write_idx(raw / f"{part}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28)))
        write_idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)


def write_cifar(root: Path, patch: pytest.MonkeyPatch) -> None:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)

    def put(name: str, value: object) -> tuple[str, str]:
        content = pickle.dumps(value)
        (folder / name).write_bytes(content)
        return name, hashlib.md5(content).hexdigest()

    def batch(name: str, count: int) -> tuple[str, str]:
        data = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        return put(name, {"data": data, "labels": [i % 10 for i in range(count)]})

    patch.setattr(datasets.CIFAR10, "train_list", [batch("data_batch_1", 20)])
    patch.setattr(datasets.CIFAR10, "test_list", [batch("test_batch", 5)])
    _, digest = put("batches.meta", {"label_names": [str(i) for i in range(10)]})
    meta = {"filename": "batches.meta", "key": "label_names", "md5": digest}
    patch.setattr(datasets.CIFAR10, "meta", meta)


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")]
)
def test_grey_sets_become_one_channel_floats(tmp_path: Path, name: str, folder: str) -> None:
    write_mnist(tmp_path, folder)
    data = load(name, tmp_path)
    assert data.train.x.shape == (18, 1, 28, 28)
    assert len(data.validation) == 2
    assert data.test.x.shape == (6, 1, 28, 28)
    assert data.test.y.tolist() == [0, 1, 2, 3, 4, 5]
    raw = (tmp_path / folder / "raw" / "t10k-images-idx3-ubyte").read_bytes()[16:]
    wanted = np.frombuffer(raw, np.uint8).reshape(6, 1, 28, 28)
    np.testing.assert_array_equal((data.test.x * 255).round().numpy(), wanted)
    assert data.test.x.max() <= 1


def test_cifar_becomes_channels_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar(tmp_path, monkeypatch)
    data = load("cifar10", tmp_path)
    assert data.shape == (3, 32, 32)
    assert data.test.x.shape == (5, 3, 32, 32)
    content = (tmp_path / "cifar-10-batches-py" / "test_batch").read_bytes()
    wanted = pickle.loads(content)["data"].reshape(5, 3, 32, 32)
    np.testing.assert_array_equal((data.test.x * 255).round().numpy(), wanted)


def test_names_that_end_in_16_are_the_sets_at_half_the_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cifar(tmp_path, monkeypatch)
    whole, half = load("cifar10", tmp_path), load("cifar16", tmp_path)
    assert half.shape == (3, 16, 16)
    quads = whole.test.x.reshape(5, 3, 16, 2, 16, 2)
    torch.testing.assert_close(half.test.x, quads.mean((3, 5)))
    assert torch.equal(half.train.y, whole.train.y)
    write_mnist(tmp_path, "MNIST")
    whole, half = load("mnist", tmp_path), load("mnist16", tmp_path)
    assert half.shape == (1, 16, 16)
    assert not half.test.x[:, :, 0].any()
    wanted = whole.test.x[:, :, :2, :2].mean((2, 3))
    torch.testing.assert_close(half.test.x[:, :, 1, 1], wanted)


def test_validation_is_disjoint_from_training(tmp_path: Path) -> None:
    write_mnist(tmp_path, "MNIST")
    data = load("mnist", tmp_path)
    train = {image.numpy().tobytes() for image in data.train.x}
    assert not train & {image.numpy().tobytes() for image in data.validation.x}
    assert torch.equal(load("mnist", tmp_path).validation.x, data.validation.x)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_missing_set_says_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"set \[data\] root in the run file or BITFOLD_DATA"):
        load(name)
    with pytest.raises(DataError, match=rf"'{name}' is missing or damaged under .*BITFOLD_DATA"):
        load(name, tmp_path)


def test_a_truncated_file_is_a_data_error(tmp_path: Path) -> None:
    write_mnist(tmp_path, "MNIST")
    path = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="damaged"):
        load("mnist", tmp_path)


def test_an_altered_cifar_file_is_a_data_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cifar(tmp_path, monkeypatch)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_1"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="damaged"):
        load("cifar10", tmp_path)


@pytest.mark.parametrize("labels", [np.arange(19) % 10, np.arange(21) % 10, np.arange(20)])
def test_labels_that_do_not_fit_the_images_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    write_mnist(tmp_path, "MNIST")
    write_idx(tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte", labels)
    with pytest.raises(DataError, match=rf"20 images and {len(labels)} labels"):
        load("mnist", tmp_path)


def test_files_still_packed_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path, "MNIST")
    path = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(DataError, match="missing or damaged"):
        load("mnist", tmp_path)

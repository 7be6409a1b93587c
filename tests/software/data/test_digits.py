"""The bundled digits."""

import torch

from bitfold.data import load


def test_splits_are_disjoint_stratified_and_cover_the_set() -> None:
    data = load("digits")
    sizes = [len(split) for split in (data.train, data.validation, data.test)]
    assert sizes == [1257, 180, 360]
    images = torch.cat([data.train.x, data.validation.x, data.test.x])
    assert len(images) == 1797
    counts = torch.bincount(data.test.y, minlength=10)
    assert counts.min() >= 34
    assert counts.max() <= 38


def test_images_are_floats_in_the_unit_range() -> None:
    data = load("digits")
    assert data.shape == (1, 8, 8)
    assert data.train.x.dtype == torch.float32
    assert data.train.y.dtype == torch.int64
    assert data.train.x.min() == 0
    assert data.train.x.max() == 1


def test_the_split_is_always_the_same() -> None:
    first, second = load("digits"), load("digits")
    assert torch.equal(first.test.x, second.test.x)
    assert torch.equal(first.validation.y, second.validation.y)
    assert first.test.y[:8].tolist() == second.test.y[:8].tolist()


def test_a_try_takes_the_first_images_of_each_split() -> None:
    whole, some = load("digits"), load("digits", images=50)
    for name in ("train", "validation", "test"):
        before, after = getattr(whole, name), getattr(some, name)
        assert len(after) == 50
        assert torch.equal(after.x, before.x[:50])
        assert torch.equal(after.y, before.y[:50])

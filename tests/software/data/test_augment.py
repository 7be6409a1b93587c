"""Changes to training images."""

import torch

from bitfold.data.augment import augment, flip, shift


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_shift_moves_every_image_by_its_own_offset_and_fills_with_zeros() -> None:
    x = torch.arange(1.0, 6 * 2 * 16 + 1).reshape(6, 2, 4, 4)
    moved = shift(x, generator(), 1)
    offsets = set()
    for before, after in zip(x, moved, strict=True):
        padded = torch.nn.functional.pad(before, (1, 1, 1, 1))
        fits = [
            (dy, dx)
            for dy in range(3)
            for dx in range(3)
            if torch.equal(after, padded[:, dy : dy + 4, dx : dx + 4])
        ]
        assert len(fits) == 1
        offsets.add(fits[0])
    assert len(offsets) > 1


def test_flip_mirrors_some_images_whole() -> None:
    x = torch.rand(16, 1, 3, 3)
    flipped = flip(x, generator())
    mirrored = [torch.equal(f, i.flip(2)) for f, i in zip(flipped, x, strict=True)]
    kept = [torch.equal(f, i) for f, i in zip(flipped, x, strict=True)]
    assert all(m != k for m, k in zip(mirrored, kept, strict=True))
    assert any(mirrored)
    assert any(kept)


def test_the_generator_decides_everything() -> None:
    x = torch.rand(4, 1, 8, 8)
    for how in ("shift", "shift_flip"):
        assert torch.equal(augment(x, how, generator()), augment(x, how, generator()))
    assert torch.equal(augment(x, "none", generator()), x)

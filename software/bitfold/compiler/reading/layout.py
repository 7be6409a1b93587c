"""How a sample of the file becomes the IR's input: its axes in another order, or in other sizes."""

from dataclasses import dataclass
from itertools import permutations
from math import prod
from typing import final

import numpy as np

from bitfold.compiler.reading.stream import fresh_view
from bitfold.ir.types import Ints

MAX_AXES = 5


@final
@dataclass(frozen=True)
class Layout:
    """A sample of shape `file`; its axes in `order`, reshaped, are the IR's `shape`."""

    file: tuple[int, ...]
    order: tuple[int, ...]
    shape: tuple[int, ...]

    @staticmethod
    def of(file: tuple[int, ...]) -> "Layout":
        """As the file has it; (C, L) becomes (C, 1, L), a one-dimensional map."""
        shape = (file[0], 1, file[1]) if len(file) == 2 else file
        return Layout(file, tuple(range(len(file))), shape)

    @property
    def ordered(self) -> bool:
        """Whether the axes keep their order."""
        return self.order == tuple(range(len(self.file)))

    @property
    def plain(self) -> bool:
        """Whether a sample is fed as it is."""
        return self.ordered and self.shape == self.file

    def view(self, batch: int) -> Ints:
        """For each element of a batch of the file's samples its place in the IR's values."""
        inner = fresh_view(batch, tuple(self.file[a] for a in self.order))
        back = np.argsort(self.order)
        return inner.transpose(0, *(1 + a for a in back))

    def again(self, view: Ints, shape: tuple[int, ...]) -> "Layout | None":
        """The layout that puts the elements `view`, places in today's value, in order as `shape`.

        None where no order of the file's axes does.
        """
        if len(self.file) > MAX_AXES:
            return None
        in_file = np.empty(prod(self.file), np.int64)
        in_file[self.view(1)[0].reshape(-1)] = np.arange(in_file.size)
        wanted = in_file[view.reshape(-1)]
        numbers = np.arange(in_file.size).reshape(self.file)
        for order in permutations(range(len(self.file))):
            if np.array_equal(numbers.transpose(order).reshape(-1), wanted):
                return Layout(self.file, order, shape)
        return None


def as_map(view: Ints) -> tuple[int, ...]:
    """The IR shape of a tensor (C, H, W) or (C, L)."""
    return (view.shape[0], *((1,) if view.ndim == 2 else ()), *view.shape[1:])

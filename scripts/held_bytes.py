"""What autograd keeps between a forward and a backward pass."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def held_bytes(model: nn.Module, most: list[int]) -> Iterator[None]:
    """Append the most bytes that autograd holds at once, each storage once, without parameters."""
    own = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    users: dict[int, int] = {}
    now = peak = 0

    class Held:
        """A saved tensor; its bytes are free when autograd drops it."""

        def __init__(self, tensor: Tensor) -> None:
            nonlocal now, peak
            self.tensor, storage = tensor, tensor.untyped_storage()
            self.key, self.size = storage.data_ptr(), storage.nbytes()
            users[self.key] = users.get(self.key, 0) + 1
            if users[self.key] == 1 and self.key not in own:
                now += self.size
                peak = max(peak, now)

        def __del__(self) -> None:
            nonlocal now
            users[self.key] -= 1
            if users[self.key] == 0 and self.key not in own:
                now -= self.size

    with torch.autograd.graph.saved_tensors_hooks(Held, lambda held: held.tensor):
        yield
    most.append(peak)

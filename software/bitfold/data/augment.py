"""Training-time changes to a batch; every draw comes from the generator given.

The generator is the CPU's wherever the images are: the same draws change them alike there.
"""

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad


def shift(x: Tensor, generator: Generator, reach: int) -> Tensor:
    """Move each image by up to `reach` pixels each way, zeros coming in. x (N, C, H, W)."""
    n, _, height, width = x.shape
    padded = pad(x, (reach, reach, reach, reach))
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n), generator=generator).to(x.device)
    rows = dy[:, None] + torch.arange(height, device=x.device)
    columns = dx[:, None] + torch.arange(width, device=x.device)
    images = torch.arange(n, device=x.device)
    moved = padded.permute(0, 2, 3, 1)[images[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def flip(x: Tensor, generator: Generator) -> Tensor:
    """Mirror each image left to right with probability one half. x (N, C, H, W)."""
    chosen = torch.rand(len(x), generator=generator).to(x.device) < 0.5
    return torch.where(chosen[:, None, None, None], x.flip(3), x)


def augment(x: Tensor, how: str, generator: Generator) -> Tensor:
    """Apply `how`: none, shift (1 pixel), or shift_flip (an eighth of the width, and mirroring)."""
    if how == "none":
        return x
    if how == "shift":
        return shift(x, generator, 1)
    assert how == "shift_flip"
    return flip(shift(x, generator, x.shape[3] // 8), generator)

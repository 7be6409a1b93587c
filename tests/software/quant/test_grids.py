"""What is added or averaged must be on one grid; where it is not, the message names it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.quant import Grid, grids, trace


class Residual(nn.Module):
    """A block whose addition is given as a function."""

    def __init__(self, add: Callable[["Residual", Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.input, self.inner = nn.Identity(), nn.Identity()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.relu, self.join, self.other = nn.ReLU(), nn.Identity(), nn.Identity()
        self.pool = nn.MaxPool2d(1)
        self.add = add

    def forward(self, x: Tensor) -> Tensor:
        x = self.input(x)
        return self.add(self, x, self.conv(self.inner(x)))


@pytest.mark.parametrize(
    ("add", "signed"),
    [
        (lambda m, x, y: m.join(x) + m.join(y), True),
        (lambda m, x, y: torch.add(m.join(x), m.join(y)), True),
        (lambda m, x, y: m.join(x) + m.join(m.relu(y)), False),
        (lambda m, x, y: m.pool(m.join(x)) + m.join(y), True),
    ],
    ids=["operator", "function", "both non-negative", "pooled"],
)
def test_branches_that_share_an_identity_are_on_one_grid(
    add: Callable[[Residual, Tensor, Tensor], Tensor], signed: bool
) -> None:
    assert grids(Residual(add)) == (Grid(name="join", signed=signed),)


@pytest.mark.parametrize(
    "add",
    [
        lambda m, x, y: x + y,
        lambda m, x, y: m.join(x) + y,
        lambda m, x, y: m.join(x) + m.other(y),
        lambda m, x, y: m.join(x) + 1.0,
        lambda m, x, y: torch.add(m.join(x), m.join(y), alpha=2),
    ],
    ids=["bare", "one side", "two modules", "a constant", "scaled"],
)
def test_an_addition_without_one_grid_is_refused(
    add: Callable[[Residual, Tensor, Tensor], Tensor],
) -> None:
    with pytest.raises(ConfigError, match=r"add adds .* share no grid; pass both through one"):
        trace(Residual(add), (2, 4, 4))


def chain(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Identity(), nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), *parts)


TAIL = (nn.Flatten(), nn.Identity(), nn.Linear(2, 3))


def test_what_is_averaged_is_on_a_grid_of_its_own() -> None:
    model = chain(nn.ReLU(), nn.AdaptiveAvgPool2d(1), *TAIL)
    assert grids(model) == (Grid(name="3", signed=False),)
    assert trace(model, (1, 6, 4))[-1].averaged == 24
    signed = chain(nn.Identity(), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), *TAIL)
    with pytest.raises(ConfigError, match=r"'5' averages _4, which is not quantised"):
        grids(signed)
    apart = chain(nn.Identity(), nn.AvgPool2d((2, 4)), *TAIL)
    assert grids(apart) == (Grid(name="3", signed=True),)
    last = trace(apart, (1, 2, 4))[-1]
    assert (last.grid, last.averaged) == ("3", 8)


@pytest.mark.parametrize(
    ("parts", "size", "message"),
    [
        ((nn.AdaptiveAvgPool2d(1), *TAIL), 4, r"'3' averages .*not quantised; put an nn.ReLU"),
        ((nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)), 4, r"reads .*not q"),
        ((nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Identity(), nn.Conv2d(2, 2, 1)), 5, r"'4' avera"),
        ((nn.ReLU(), nn.AvgPool2d(2, padding=1), nn.Identity(), nn.Conv2d(2, 2, 1)), 4, r"'4' av"),
    ],
    ids=["no grid", "no quantiser behind", "sizes that do not divide", "padding"],
)
def test_an_average_that_integers_cannot_do_is_refused(
    parts: tuple[nn.Module, ...], size: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        trace(chain(*parts), (1, size, size))


class TwoUses(nn.Module):
    """One ReLU module called for two layers, as torchvision's blocks do."""

    def __init__(self) -> None:
        super().__init__()
        self.input, self.one, self.two = nn.Identity(), nn.Linear(4, 4), nn.Linear(4, 4)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.two(self.relu(self.one(self.input(x)))))
        return out


class Mixed(nn.Module):
    """A layer that reads what is also averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.input, self.conv, self.relu = nn.Identity(), nn.Conv2d(1, 2, 1), nn.ReLU()
        self.after, self.pool = nn.Conv2d(2, 2, 1), nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.relu(self.conv(self.input(x)))
        return self.after(y), self.pool(y)


def test_a_module_that_would_be_two_quantisers_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'two' shares its input 'relu' with another call"):
        trace(TwoUses(), (4,))
    with pytest.raises(ConfigError, match=r"'after' reads 'relu', which is also added or averaged"):
        trace(Mixed(), (1, 4, 4))

"""Residual and depthwise networks after conversion: integers, and one grid at every join."""

from collections import defaultdict

import pytest
import torch
from torch import Tensor, nn

from bitfold.models import cifar_resnet, mobilenet_v1, mobilenet_v2
from bitfold.quant import grids, make_switchable, quantise, settle, trace
from bitfold.quant.convert import GRID_BITS
from bitfold.quant.settle import quantiser_of

SHAPE = (3, 16, 16)
SMALL_V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 24, 1, 1))
NETS = {
    "option A": lambda: cifar_resnet(SHAPE, 10, 8, 4),
    "option B": lambda: cifar_resnet(SHAPE, 10, 8, 4, "B"),
    "mobilenet_v1": lambda: mobilenet_v1(SHAPE, 10, 0.25, ((32, 1), (64, 2))),
    "mobilenet_v2": lambda: mobilenet_v2(SHAPE, 10, 0.25, SMALL_V2),
}


def outputs_of(model: nn.Module, names: list[str], x: Tensor) -> dict[str, list[Tensor]]:
    """Outputs of every call of the modules `names`, with the BatchNorm statistics of x."""
    seen: dict[str, list[Tensor]] = defaultdict(list)
    for name in names:

        def keep(_m: nn.Module, _x: object, out: object, name: str = name) -> None:
            seen[name].append(out if isinstance(out, Tensor) else out.value)

        model.get_submodule(name).register_forward_hook(keep)
    with torch.no_grad():
        model.train()(x)
    return seen


@pytest.mark.parametrize("name", NETS)
def test_a_finetuning_step_moves_every_step_and_leaves_integers_everywhere(name: str) -> None:
    torch.manual_seed(0)
    model = NETS[name]()
    joins = grids(model)
    layers = trace(model, SHAPE)
    handles = quantise(model, layers, {layer.name: (4, 3) for layer in layers})
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    model.train()
    for _ in range(2):
        optimiser.zero_grad()
        model(torch.rand(32, *SHAPE)).square().sum().backward()
        optimiser.step()
    quantisers = [quantiser_of(model, grid.name) for grid in joins]
    for quantiser in [*quantisers, *(h.act for h in handles), *(h.weight for h in handles)]:
        assert quantiser.steps.grad is not None
        assert torch.isfinite(quantiser.steps.grad).all()
        assert quantiser.started.all()
    seen = outputs_of(model, [grid.name for grid in joins], torch.rand(8, *SHAPE))
    for grid, quantiser in zip(joins, quantisers, strict=True):
        low, high = (-128, 127) if grid.signed else (0, 255)
        assert GRID_BITS == 8
        assert len(seen[grid.name]) == (2 if grid.name.endswith("join") else 1)
        for value in seen[grid.name]:
            whole = value / quantiser.step()  # a power of two, so that this is exact
            assert torch.equal(whole, whole.round())
            assert whole.min() >= low
            assert whole.max() <= high
            assert len(whole.unique()) > 5


def test_signed_inputs_use_negative_levels() -> None:
    torch.manual_seed(0)
    model = NETS["mobilenet_v2"]()
    layers = trace(model, SHAPE)
    handles = quantise(model, layers, {layer.name: (4, 3) for layer in layers})
    model.train()(torch.rand(32, *SHAPE))
    seen = outputs_of(model, [layer.feeder for layer in layers], torch.rand(8, *SHAPE))
    for handle in handles:
        (value,) = seen[handle.layer.feeder]
        levels = (value / handle.act.step()).round()
        least, most = (-4, 3) if handle.layer.signed else (0, 7)
        assert levels.min() >= least
        assert levels.max() <= most
        if handle.layer.signed:
            assert levels.min() < 0


def test_large_values_saturate_at_six_as_in_the_float_network() -> None:
    model = nn.Sequential(nn.Identity(), nn.Linear(2, 1), nn.ReLU6(), nn.Linear(1, 2))
    layers = trace(model, (2,))
    quantise(model, layers, {layer.name: (8, 8) for layer in layers})
    relu = model.get_submodule("2")
    with torch.no_grad():
        quantiser_of(model, "2").steps.fill_(1.0)
        values = relu.eval()(torch.tensor([[-3.0], [2.0], [5.9], [7.0], [300.0]]))
    assert values.value.flatten().tolist() == [0, 2, 6, 6, 6]


def test_depthwise_weights_are_one_quantised_kernel_a_channel() -> None:
    torch.manual_seed(0)
    model = NETS["mobilenet_v1"]()
    layers = trace(model, SHAPE)
    plain = model.get_submodule("depthwise1").get_parameter("weight").clone()
    quantise(model, layers, {layer.name: (8, 8) for layer in layers})
    made = model.get_submodule("depthwise1")
    assert made.groups == 8
    assert made.get_parameter("weight").shape == (8, 1, 3, 3)
    x = torch.rand(2, 8, 5, 5)
    with torch.no_grad():
        wanted = nn.functional.conv2d(x, plain, padding=1, groups=8)
        assert (made(x) - wanted).abs().max() < 0.05 * wanted.abs().max()


def test_a_search_phase_leaves_joins_in_floating_point() -> None:
    torch.manual_seed(0)
    model = NETS["option B"]()
    layers = trace(model, SHAPE)
    handles = make_switchable(model, layers[1:-1], (2, 4), 1.0)
    assert type(model.get_submodule("layer2.0.join")) is nn.Identity
    for width in (4, 2):
        for handle in handles:
            handle.select(width, width)
        model(torch.rand(4, *SHAPE)).sum().backward()
    assert all(handle.weight.steps.grad is not None for handle in handles)


def test_settling_moves_the_step_of_what_reads_an_average() -> None:
    """Averages are multiples of unit = 1/256; the step 1/512 puts every odd one on a tie."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Identity(), nn.Conv2d(1, 2, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Identity(), nn.Linear(2, 3)),
    )
    layers = trace(model, (1, 4, 4))
    handles = quantise(model, layers, {layer.name: (4, 6) for layer in layers})
    with torch.no_grad():
        quantiser_of(model, "3").steps.fill_(1 / 16)
        handles[-1].act.steps.fill_(1 / 128)
        for handle in handles:
            handle.act.started.fill_(True)
    assert 0 < settle(model, handles) < 0.1
    unit, step = 1 / 256, handles[-1].act.step().item()
    assert step != 1 / 128
    ties = [abs((n * unit / step) % 1 - 0.5) / (n * unit / step) for n in range(1, 130)]
    assert min(ties) > 4e-7

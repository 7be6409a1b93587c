"""Averages of weights."""

import torch
from torch import nn

from bitfold.search.ema import Ema, averaged

from .nets import net


def test_averages_follow_the_recursion_from_the_first_weights_on() -> None:
    layer, ema = nn.Linear(1, 1, bias=False), Ema(0.3)
    wanted, values = 5.0, [5.0, 2.0, -1.0, 4.0, 4.0]
    for n, value in enumerate(values):
        nn.init.constant_(layer.weight, value)
        ema.update(layer)
        decay = min(0.3, (1 + n) / (10 + n))
        wanted = decay * wanted + (1 - decay) * value
    torch.testing.assert_close(ema.average["weight"].item(), wanted, rtol=1e-6, atol=0)


def test_statistics_of_norms_are_averaged_and_counters_are_not() -> None:
    model = net()
    names = set(averaged(model))
    assert {"norm1.running_mean", "norm1.running_var", "norm1.weight", "conv1.weight"} <= names
    assert "norm1.num_batches_tracked" not in names
    ema = Ema(0.5)
    for count in range(3):
        model.get_submodule("norm1").get_buffer("running_mean").fill_(float(count))
        ema.update(model)
    assert 0 < ema.average["norm1.running_mean"][0].item() < 2
    model.load_state_dict(model.state_dict() | ema.average)


def test_a_shared_parameter_is_averaged_under_all_its_names() -> None:
    first = nn.Linear(2, 2)
    model = nn.Sequential(first, nn.ReLU(), first)
    ema = Ema(0.5)
    for value in (1.0, 2.0):
        nn.init.constant_(first.weight, value)
        ema.update(model)
    assert set(ema.average) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    model.load_state_dict(model.state_dict() | ema.average)
    assert torch.equal(first.weight, ema.average["0.weight"])
    assert first.weight[0, 0].item() < 2


def test_renewed_parameters_forget_their_past() -> None:
    layer, ema = nn.Linear(1, 1), Ema(0.9)
    for value in (0.0, 8.0):
        nn.init.constant_(layer.weight, value)
        nn.init.constant_(layer.bias, value)
        ema.update(layer)
    ema.restart(layer, [layer.weight])
    assert ema.average["weight"].item() == 8
    assert 0 < ema.average["bias"].item() < 8


def test_a_restored_average_goes_on_alike() -> None:
    whole, parts, layer = Ema(0.9), Ema(0.9), nn.Linear(1, 1)
    for value in (0.0, 3.0, 1.0, 7.0):
        nn.init.constant_(layer.weight, value)
        whole.update(layer)
        parts.update(layer)
        again = Ema(0.9)
        again.restore(parts.state(), torch.device("cpu"))
        parts = again
    assert torch.equal(whole.average["weight"], parts.average["weight"])

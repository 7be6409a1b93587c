"""Weights before a BatchNorm keep their size; the network computes what it did."""

import math

import pytest
import torch

from bitfold.search.bsq.resize import resize

from ..nets import data
from .toy import planed, put_codes


@pytest.mark.parametrize("step", [1e-4, 0.3, 40.0])
def test_weights_come_back_to_their_size_and_outputs_stay(step: float) -> None:
    model, layer = planed()
    put_codes(layer, [3, -2, 1, 0, 0], 2)
    with torch.no_grad():
        layer.step.fill_(step)
    model.train()
    for _ in range(30):
        model(data().train.x)
    model.eval()
    codes, before = layer.codes(), model(data().test.x)

    resize(layer, model.get_submodule("norm2"))

    times = layer.step.item() / torch.tensor(step).item()
    assert times == 2.0 ** round(math.log2(times)) != 1
    assert torch.equal(layer.codes(), codes)
    rms = layer.weight().square().mean().sqrt().item()
    assert layer.rms / 1.5 < rms < layer.rms * 1.5
    torch.testing.assert_close(model(data().test.x), before, rtol=1e-4, atol=1e-4)


def test_a_layer_without_weights_stays_as_it_is() -> None:
    model, layer = planed()
    put_codes(layer, [0], 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    resize(layer, model.get_submodule("norm2"))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())

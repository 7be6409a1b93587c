"""Quantised activations of a search phase, put in and taken out."""

import torch
from torch import nn

from bitfold.quant import trace
from bitfold.search.activations import Activations

from .nets import SHAPE, data, net


def test_what_layers_read_is_quantised_and_plain_again_afterwards() -> None:
    model, x = net(), data().train.x
    before = {name: type(module) for name, module in model.named_modules()}
    layers = trace(model, SHAPE)[1:]
    acts = Activations.put(model, layers, 3)
    assert acts.quantisers.keys() == {"conv2", "dense"}
    assert type(model.get_submodule("input")) is nn.Identity
    model.train()
    model(x)
    model.eval()
    read = model.get_submodule("relu1")(torch.linspace(-1, 9, 200))
    assert len(read.unique()) == 2**3
    steps = acts.remove(model)
    assert steps == {name: act.steps.item() for name, act in acts.quantisers.items()}
    assert {name: type(module) for name, module in model.named_modules()} == before

"""Swapping float layers for quantised ones."""

import pytest
import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.models import convnet
from bitfold.quant import make_switchable, quantise, trace

SHAPE = (1, 8, 8)
BITS = {"conv1": (3, 5), "conv2": (2, 4), "dense": (6, 2)}


def net() -> nn.Module:
    torch.manual_seed(0)
    return convnet(SHAPE, 10, (8, 8), (2,))


def levels(values: Tensor, step: Tensor) -> Tensor:
    whole = values / step
    assert torch.allclose(whole, whole.round(), atol=1e-4)
    return whole.round().to(torch.int64)


def test_every_layer_computes_on_integers_of_its_width() -> None:
    model = net()
    handles = quantise(model, trace(model, SHAPE), BITS)
    seen: dict[str, Tensor] = {}
    for handle in handles:
        feeder = model.get_submodule(handle.layer.feeder)

        def keep(_m: nn.Module, _x: object, out: object, name: str = handle.layer.name) -> None:
            seen[name] = out if isinstance(out, Tensor) else out.value

        feeder.register_forward_hook(keep)
    model.train()
    model(torch.rand(16, *SHAPE))
    for handle in handles:
        w_bits, a_bits = BITS[handle.layer.name]
        acts = levels(seen[handle.layer.name], handle.act.step())
        assert acts.min() >= 0
        assert acts.max() <= 2**a_bits - 1
        layer = model.get_submodule(handle.layer.name)
        weights = levels(layer.quant_weight().value, handle.weight.step())
        assert -(2 ** (w_bits - 1)) <= weights.min()
        assert weights.max() <= 2 ** (w_bits - 1) - 1


def test_logits_are_integers_times_one_scale() -> None:
    model = net()
    handles = quantise(model, trace(model, SHAPE), BITS)
    model.train()
    model(torch.rand(16, *SHAPE))
    model.eval()
    last = handles[-1]
    with torch.no_grad():
        logits = model(torch.rand(32, *SHAPE))
    whole = levels(logits, last.act.step() * last.weight.step())
    assert len(whole.unique()) > 10


def test_switching_selects_step_and_norm_of_a_width() -> None:
    model = net()
    layers = trace(model, SHAPE)
    handles = make_switchable(model, layers, (2, 4), 1.0)
    model.train()
    x = torch.rand(16, *SHAPE)
    outputs = []
    for width in (4, 2, 4):
        for handle in handles:
            handle.select(width, width)
        outputs.append(model(x))
    assert torch.equal(outputs[0], outputs[2])
    assert not torch.equal(outputs[0], outputs[1])
    norm = handles[0].norm
    assert norm is not None
    counts = [int(copy.num_batches_tracked) for copy in norm.copies]
    assert counts == [1, 2]


def test_unlisted_layers_stay_float() -> None:
    model = net()
    layers = trace(model, SHAPE)
    make_switchable(model, layers[1:-1], (2, 4), 1.0)
    assert type(model.get_submodule("conv1")) is nn.Conv2d
    assert type(model.get_submodule("dense")) is nn.Linear
    assert type(model.get_submodule("norm1")) is nn.BatchNorm2d


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.input, self.one, self.two = nn.Identity(), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.input(x)
        out: Tensor = self.one(x) + self.two(x)
        return out


def test_models_that_cannot_be_quantised_are_refused_with_the_layer() -> None:
    with pytest.raises(ConfigError, match=r"'one' shares its input 'input'"):
        trace(Shared(), (4,))
    bare = nn.Sequential(nn.Linear(4, 4))
    with pytest.raises(ConfigError, match=r"layer '0' reads .* not quantised; put an nn.ReLU"):
        trace(bare, (4,))

"""The training steps that scripts/bench_train compares, each ready to run."""

import argparse
import copy
from dataclasses import dataclass, field

from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.data import DataSet
from bitfold.errors import ConfigError
from bitfold.models import cifar_resnet, convnet
from bitfold.quant import Layer, quantise, trace
from bitfold.quant.convert import swap
from bitfold.runfile import CHOICES, TrainedSearch
from bitfold.search.device import place
from bitfold.search.hooks import Hooks
from bitfold.search.methods import METHODS
from bitfold.search.problem import pose
from bitfold.search.recipe import Recipe
from bitfold.search.step import Stepper

EPOCHS, STEPS = 10, 1000  # the phase that a method believes itself in


@dataclass
class Subject:
    """What is measured, and what was."""

    stepper: Stepper
    seconds: list[float] = field(default_factory=list)
    held: int = 0

    @property
    def lasting(self) -> int:
        """Bytes of parameters, buffers and the optimiser's state."""
        state = self.stepper.optimiser.state.values()
        kept = [value for entry in state for value in entry.values() if isinstance(value, Tensor)]
        model = self.stepper.model
        return sum(t.nbytes for t in [*model.parameters(), *model.buffers(), *kept])


def with_brevitas(model: nn.Module, layers: tuple[Layer, ...], bits: int) -> nn.Module:
    """Brevitas' own quantisers where ours would be: at every layer, and at what it reads."""
    # Here, so that bitfold.quant has imported Brevitas before, without its warnings.
    from brevitas import nn as qnn

    for layer in layers:
        plain, feeder = model.get_submodule(layer.name), model.get_submodule(layer.feeder)
        bias = plain.bias is not None
        if isinstance(plain, nn.Conv2d):
            made = qnn.QuantConv2d(
                plain.in_channels,
                plain.out_channels,
                plain.kernel_size,
                stride=plain.stride,
                padding=plain.padding,
                groups=plain.groups,
                bias=bias,
                weight_bit_width=bits,
            )
        else:
            made = qnn.QuantLinear(
                plain.in_features, plain.out_features, bias=bias, weight_bit_width=bits
            )
        made.load_state_dict(plain.state_dict(), strict=False)
        swap(model, layer.name, made)
        kind = qnn.QuantReLU if isinstance(feeder, nn.ReLU) else qnn.QuantIdentity
        # Its activation scales collect statistics first, and are learned from then on.
        swap(model, layer.feeder, kind(bit_width=bits, collect_stats_steps=1))
    return model


def subjects(given: argparse.Namespace, data: DataSet, fabric: Fabric) -> dict[str, Subject]:
    """Float, the yardsticks, and every method that trains a search phase."""
    if given.network == "convnet":
        channels = tuple(given.width * times for times in (1, 1, 2, 2))
        plain = convnet(data.shape, data.classes, channels, (2, 4))
    else:
        depth = int(given.network.removeprefix("resnet"))
        plain = cifar_resnet(data.shape, data.classes, depth, given.width, "A")
    layers = trace(plain, data.shape)
    bits = {layer.name: (given.bits, given.bits) for layer in layers}

    def subject(model: nn.Module, hooks: Hooks | None = None, lr: float = 0.01) -> Subject:
        recipe = Recipe(
            phase="bench",
            epochs=EPOCHS,
            lr=lr,
            batch=given.batch,
            seed=0,
            momentum=0.9,
            weight_decay=1e-4,
            label_smoothing=0.1,
            augment="none",
        )
        hooks = hooks or Hooks()
        model = place(model, fabric.device).train()
        made = Stepper(model, recipe, hooks=hooks, fabric=fabric, steps=STEPS)
        hooks.start(model, STEPS, EPOCHS)
        return Subject(made)

    found = {
        "float": subject(copy.deepcopy(plain)),
        "brevitas": subject(with_brevitas(copy.deepcopy(plain), layers, given.bits)),
    }
    lsq = copy.deepcopy(plain)
    quantise(lsq, layers, bits)
    found["lsq"] = subject(lsq)
    for name, make in METHODS.items():
        settings = CHOICES["search"][1][name](method=name, first_last="search")
        if not isinstance(settings, TrainedSearch):
            continue
        problem = pose(
            layers,
            kind="size",
            value=None,
            like_uniform=given.bits,
            bits=settings.bits,
            first_last="search",
            target="ecp5",
            seed=0,
        )
        try:
            method, model = make(settings, problem), copy.deepcopy(plain)
        except ConfigError:  # not a method for this network
            continue
        method.prepare(model)
        found[name] = subject(model, method, settings.lr)
    return found

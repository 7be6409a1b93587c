"""From the network of the search phase to the dynamic network that finetuning starts from."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from bitfold.policy import LayerBits
from bitfold.quant.convert import swap
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.dynamic import DynamicNet, ModePolicy, PlaneLayer, Start
from bitfold.search.dqmq.mixed import MixedLayer, slice_norm
from bitfold.search.dqmq.modes import Costs, ModeSet
from bitfold.search.problem import Problem

Bits = dict[str, LayerBits]


def mode_bits(problem: Problem, modes: ModeSet) -> list[Bits]:
    """Bits of every layer in each mode, cheapest first."""
    return [
        problem.complete(
            {
                layer.name: LayerBits(w_bits=problem.bits[i], a_bits=problem.bits[i])
                for layer, i in zip(problem.searched, row, strict=True)
            }
        )
        for row in modes.picks
    ]


def stored_bits(modes: Sequence[Bits]) -> Bits:
    """The greatest bits that any mode has in each layer."""
    return {
        name: LayerBits(
            w_bits=max(mode[name].w_bits for mode in modes),
            a_bits=max(mode[name].a_bits for mode in modes),
        )
        for name in modes[0]
    }


def dynamic_network(
    model: nn.Module, decision: Decision, problem: Problem, modes: ModeSet, costs: Costs
) -> DynamicNet:
    """Swap the layers of the searched `model` once more, in place, and wrap it.

    Stored precisions below the greatest candidate drop the planes that no mode reads: the step
    grows by a power of two.
    """
    every = mode_bits(problem, modes)
    stored = stored_bits(every)
    if stored not in every:
        every.append(stored)
    layers: dict[str, PlaneLayer] = {}
    for layer in problem.costs.layers:
        found = model.get_submodule(layer.name)
        bits = [mode[layer.name] for mode in every]
        if isinstance(found, MixedLayer):
            start = _searched(found, bits, stored[layer.name], layer.signed)
            found = found.layer
        else:
            norm = model.get_submodule(layer.norm) if layer.norm is not None else None
            start = _fixed(found, norm, bits, layer.signed)
            if layer.norm is not None:
                swap(model, layer.norm, nn.Identity())
        layers[layer.name] = PlaneLayer(found, start)
        swap(model, layer.name, layers[layer.name])
    swap(model, problem.costs.layers[0].feeder, nn.Identity())
    hot = np.eye(len(problem.bits))[modes.picks].reshape(len(modes.picks), -1)
    offsets = modes.price * costs.of(modes.picks) / costs.limit
    policy = ModePolicy(
        decision,
        torch.tensor(hot.T, dtype=torch.float32),
        torch.tensor(offsets, dtype=torch.float32),
    )
    return DynamicNet(model, policy, layers, len(every))


def _searched(
    found: MixedLayer, bits: Sequence[LayerBits], stored: LayerBits, signed: bool
) -> Start:
    """A layer of the search phase: norms and biases of the candidates that the modes use."""
    count = len(found.bits)
    rows = [found.bits.index(b.w_bits) for b in bits]
    norms = [None if found.norm is None else slice_norm(found.norm, count, row) for row in rows]
    biases = [None if found.bias is None else found.bias.chunk(count)[row] for row in rows]
    return Start(
        norms=norms,
        biases=biases,
        bits=bits,
        w_step=found.weight_planes.scale(stored.w_bits),
        a_step=found.act_planes.scale(stored.a_bits),
        signed=signed,
    )


def _fixed(
    layer: nn.Module, norm: nn.Module | None, bits: Sequence[LayerBits], signed: bool
) -> Start:
    """A layer that the search left in floating point."""
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    count = len(bits)
    norms = [None if norm is None else slice_norm(norm, 1, 0) for _ in range(count)]
    biases = [layer.bias] * count
    return Start(norms=norms, biases=biases, bits=bits, w_step=None, a_step=None, signed=signed)

"""SDQ: bit-widths as the parameters of a stochastic choice between adjacent candidates.

Huang et al., SDQ: Stochastic Differentiable Quantization with Mixed Precision, ICML 2022,
arXiv:2206.04459. The paper's text and code were not at hand (the authors' repository holds
figures). What this rests on, in three degrees:

Certain (abstract; Fig. 1 and its caption): each layer has one differentiable bit-width parameter
(DBP) beta per candidate; the layer at candidate b_i quantises to b_i with probability beta and to
the next lower b_(i-1) otherwise, uniformly; a second phase trains at the fixed strategy with
knowledge distillation and entropy-aware bin regularisation (EBR, in `bins`).
Second-hand (a public summary of the paper): the choice is a Gumbel-softmax; parameter count and
quantisation error drive the bits; strategies are per layer; lambda_E = 0.1.
Reconstruction (ours): everything else, that is: the regulariser, its weight and its schedule, the
rule for stepping down and its threshold, start and learning rate of beta, the temperature,
activations of one width, the fixed layers.

Our regulariser is lambda sum_l beta_l d_l, since one lowers bits only if it rises with beta. By
default d_l = p_l / (eps + E_(i-1) - E_i): p_l the relative cost of a bit of layer l (its parameter
count, MACs, LUTs or cycles, by the budget) and E_i the error of candidate i relative to the
weights' energy. The option "budget" has d_l = p_l and adds beta E_i + (1 - beta) E_(i-1): while
the budget is not reached that is FracBits' |cost - target|. lambda is steered (`descent`), so that
the budget is reached at any size of network. When beta falls below the threshold the layer is fixed
one candidate lower, and the next beta starts afresh; at the budget all layers stop.

Quantisers are not DoReFa's, as in the code of the method that SDQ extends, but those of finetuning,
QONNX and the hardware: two's complement with one step per tensor, and of one bit sign times step.
So what is handed over is the very network that the search ended with. In the search the step
follows the weights, as DoReFa's range does; in finetuning it is learned (LSQ).
"""

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer
from bitfold.runfile import SearchSdq
from bitfold.search.activations import Activations
from bitfold.search.hooks import Group, Hooks
from bitfold.search.method import Method, Released
from bitfold.search.problem import Problem, layer_shape
from bitfold.search.sdq.bins import BinRegularisation
from bitfold.search.sdq.descent import Excess, Indices, Steering, direction, travelled
from bitfold.search.sdq.quantiser import START, AdjacentQuantiser, clamp_betas
from bitfold.search.weights import bit_costs, fit, pressure, weight_budget

FOLLOW = 10  # optimiser steps after which the quantisers' steps follow the weights
LEAST_GAIN = 1e-3  # eps of the regulariser, as a share of the weights' energy


@final
class SDQ(Method):
    """Trains weights and betas together; the bits only ever go down."""

    def __init__(self, problem: Problem, settings: SearchSdq, a_bits: int) -> None:
        """Raises: BudgetError when the least candidates cost too much at `a_bits`."""
        self.problem, self.settings, self.a_bits = problem, settings, a_bits
        self._fit([problem.bits[0]] * len(problem.searched), {})
        costs = bit_costs(problem, a_bits)[:, [b - 1 for b in problem.bits]]
        # A width may be stored in more bits, as `fit` does where that is cheaper (block RAM).
        costs = np.minimum.accumulate(costs[:, ::-1], axis=1)[:, ::-1]
        self.excess = Excess(
            costs, weight_budget(problem, a_bits), worst=problem.costs.kind == "cycles"
        )
        self.pressure = pressure(problem, a_bits)
        self.quantisers: dict[str, AdjacentQuantiser] = {}  # of all layers, by name
        self.acts: list[Activations] = []
        self.steering = Steering(1, settings.beta_lr)
        self.strength = 0.0
        self.trail: list[list[int]] = []  # bits of the searched layers after each epoch

    def prepare(self, model: nn.Module) -> None:
        """Quantise all layers: searched ones at the highest candidate, fixed ones at their bits."""
        layers, fixed = self.problem.costs.layers, self.problem.fixed
        for layer in layers:
            module, bits = model.get_submodule(layer.name), fixed.get(layer.name)
            quantiser = AdjacentQuantiser(
                (bits.w_bits,) if bits else self.problem.bits,
                module.get_parameter("weight"),
                stochastic=self.settings.estimator == "stochastic",
                temperature=self.settings.temperature,
            )
            parametrize.register_parametrization(module, "weight", quantiser)
            self.quantisers[layer.name] = quantiser
        groups = {self.a_bits: list(self.problem.searched)}
        for layer in layers:
            if layer.name in fixed:
                groups.setdefault(fixed[layer.name].a_bits, []).append(layer)
        self.acts = [Activations.put(model, group, bits) for bits, group in groups.items()]

    @property
    def _searched(self) -> list[AdjacentQuantiser]:
        return [self.quantisers[layer.name] for layer in self.problem.searched]

    @property
    def _current(self) -> Indices:
        return np.array([q.current for q in self._searched], dtype=np.int64)

    def groups(self, model: nn.Module, weight_decay: float) -> Sequence[Group]:
        """The betas have a learning rate of their own and do not decay."""
        betas = [q.betas for q in self._searched]
        ours = {id(beta) for beta in betas}
        others = [p for p in model.parameters() if id(p) not in ours]
        scale = self.settings.beta_lr / self.settings.lr
        return (
            Group(parameters=[p for p in others if p.ndim > 1], weight_decay=weight_decay),
            Group(parameters=[p for p in others if p.ndim <= 1], weight_decay=0.0),
            Group(parameters=betas, weight_decay=0.0, lr_scale=scale),
        )

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        """Plan the descent over the phase."""
        self.steering = Steering(steps, self.settings.beta_lr)

    def before_step(self, model: nn.Module, step: int) -> None:
        """Draw one choice per layer, from seed and step alone, and set the pressure."""
        generator = np.random.default_rng((self.problem.seed, step))
        noise = torch.from_numpy(generator.gumbel(size=(len(self._searched), 2)).astype(np.float32))
        opened = self.excess.open(self._current)
        for quantiser, drawn, is_open in zip(self._searched, noise, opened, strict=True):
            quantiser.noise = drawn.to(quantiser.betas.device) if is_open else None
        if opened.any():
            way = travelled(self._betas(), START, self.settings.threshold)
            self.strength = self.steering.strength(step, self.excess.left(self._current, way))

    @torch.no_grad()
    def _betas(self) -> list[float]:
        """The current DBPs; 1 for a layer that has none."""
        betas = [q.beta if q.current else torch.ones_like(q.betas[0]) for q in self._searched]
        return torch.stack(betas).tolist() if betas else []

    def penalty(self, model: nn.Module) -> Tensor | None:
        """The regulariser; its errors are those of the pass before. It moves the betas alone."""
        opened = self.excess.open(self._current)
        if not opened.any():
            return None
        going = [q for q, is_open in zip(self._searched, opened, strict=True) if is_open]
        errors = torch.stack([q.errors for q in going]).cpu().numpy().astype(np.float64)
        gain = errors[:, 1] - errors[:, 0]
        weight = self.pressure[opened]
        if self.settings.regulariser == "error":
            weight = weight / (LEAST_GAIN + gain.clip(min=0))
        pull = self.strength * direction(weight, self.excess.step(self._current)[opened])
        if self.settings.regulariser == "budget":
            pull = pull - gain
        betas = torch.stack([q.beta for q in going])
        return betas @ torch.from_numpy(pull).to(betas)

    def after_step(self, model: nn.Module, step: int) -> None:
        """Fix layers one candidate lower whose beta fell below the threshold, least beta first."""
        if step % FOLLOW == 0:
            for name, quantiser in self.quantisers.items():
                quantiser.follow(latent(model, name))
        for quantiser in self._searched:
            clamp_betas(quantiser.betas)
        betas = self._betas()
        for index in np.argsort(betas, kind="stable"):
            if betas[index] >= self.settings.threshold:
                break
            if self.excess.open(self._current)[index]:
                name = self.problem.searched[index].name
                self._searched[index].step_down(latent(model, name))

    def after_epoch(self, model: nn.Module, epoch: int) -> tuple[nn.Parameter, ...]:
        """Note the bits."""
        self.trail.append(self._bits())
        return ()

    def scalars(self, model: nn.Module) -> dict[str, float]:
        """Strength of the pressure, mean bits, and whether the budget is met."""
        return {
            "strength": self.strength,
            "mean_bits": self._mean_bits(),
            "met": float(self.excess.met(self._current)),
        }

    def state(self) -> dict[str, Any]:
        """Current candidates, the control's integral, and the bits so far."""
        return {
            "current": self._current.tolist(),
            "drift": self.steering.drift,
            "trail": self.trail,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the candidates of a checkpoint; betas and steps are the model's."""
        for quantiser, current in zip(self._searched, state["current"], strict=True):
            quantiser.current = current
        self.steering.drift = state["drift"]
        self.trail = [list(bits) for bits in state["trail"]]

    def _bits(self) -> list[int]:
        return [q.bits[q.current] for q in self._searched]

    def _mean_bits(self) -> float:
        """Of the searched layers' weights; 0 where there are none."""
        sizes = [layer_shape(layer).weights for layer in self.problem.searched]
        return float(np.dot(sizes, self._bits()) / max(sum(sizes), 1))

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """The current candidates, brought onto the budget. Raises: BudgetError."""
        harm = {
            layer.name: quantiser.harm(latent(model, layer.name))
            for layer, quantiser in zip(self.problem.searched, self._searched, strict=True)
        }
        return self._fit(self._bits(), harm)

    def _fit(self, bits: Sequence[int], harm: Mapping[str, float]) -> dict[str, LayerBits]:
        names = [layer.name for layer in self.problem.searched]
        wanted = {
            name: LayerBits(w_bits=b, a_bits=self.a_bits)
            for name, b in zip(names, bits, strict=True)
        }
        return fit(self.problem, wanted, harm or dict.fromkeys(names, 1.0), self.problem.bits)

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """Bits that the search itself ended with, and how they came down."""
        layers = self.problem.searched
        return {
            "a_bits": self.a_bits,
            "candidates": list(self.problem.bits),
            "bits": {layer.name: b for layer, b in zip(layers, self._bits(), strict=True)},
            "betas": {layer.name: b for layer, b in zip(layers, self._betas(), strict=True)},
            "bits_after_each_epoch": self.trail,
            "mean_bits_of_searched_weights": self._mean_bits(),
            "budget_met_by_search": self.excess.met(self._current),
        }

    def release(self, model: nn.Module) -> Released:
        """The latent weights and the steps, on plain layers: the same integers again."""
        policy = self.policy(model)
        w_steps = {}
        for layer in self.problem.costs.layers:
            weight, bits = latent(model, layer.name), policy[layer.name].w_bits
            w_steps[layer.name] = self.quantisers[layer.name].step_at(weight, bits)
            parametrize.remove_parametrizations(
                model.get_submodule(layer.name), "weight", leave_parametrized=False
            )
        a_steps: dict[str, float] = {}
        for acts in self.acts:
            a_steps |= acts.remove(model)
        return Released(model=model, w_steps=w_steps, a_steps=a_steps)

    def finetuning(self, handles: Sequence[QuantisedLayer]) -> Hooks:
        """Entropy-aware bin regularisation; distillation is a setting of [train]."""
        return BinRegularisation(
            handles, strength=self.settings.ebr, warmup=self.settings.ebr_warmup
        )


def latent(model: nn.Module, name: str) -> Tensor:
    """The float weight behind a layer's quantised one."""
    return model.get_parameter(f"{name}.parametrizations.weight.original").detach()

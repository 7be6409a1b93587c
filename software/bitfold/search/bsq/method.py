"""BSQ: bit-widths found by driving whole bit planes of a layer's weights to zero.

Yang et al., BSQ: Exploring Bit-Level Sparsity for Mixed-Precision Neural Network Quantization, ICLR
2021, arXiv:2102.10462. The paper's text was not at hand; this follows the authors' published code
for CIFAR-10, read whole. Certain from it: bit planes and their gradient (`planes`), the group lasso
and its weights (`lasso`), the clamp to 0..2 after every step, re-quantisation (`layer`) at the
start, every so many epochs and at the end, momentum that starts afresh then, decay of bits and
scales, per-tensor scales, the start from a pretrained network.

Differs: the optimiser is the loop's (Nesterov momentum, its schedule); activations have learned
steps (LSQ), where the authors' scale is the maximum of the batch; biases stay float here and are
rounded in finetuning; finetuning is the shared LSQ one, not theirs in [-1, 1] with a clamp on more
than the weights. What has lost all its weights still takes 2 bits in hardware, the authors count 0.

Ours: weights that keep their size before a norm (`resize`), weights of the lasso by other costs
than memory, the policy, which spends what is left of the budget (`weights.fit`), and alpha steered
to the budget (`steer`). A given alpha means the authors' penalty, whatever becomes of a layer. A
steered one keeps layers alive: the largest plane of a layer is not penalised, and nothing of a
layer that has the fewest bits allowed, or is fast enough where cycles count.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from bitfold.policy import LayerBits
from bitfold.runfile import SearchBsq
from bitfold.search.activations import Activations
from bitfold.search.bsq.findings import findings
from bitfold.search.bsq.lasso import lasso, layer_weights
from bitfold.search.bsq.layer import PlanedLayer
from bitfold.search.bsq.resize import resize
from bitfold.search.bsq.steer import LOOKS, Alpha
from bitfold.search.codes import strip
from bitfold.search.hooks import Group
from bitfold.search.method import Method, Released
from bitfold.search.problem import Problem
from bitfold.search.weights import bit_costs, check, fit, shares, weight_budget


@final
class BSQ(Method):
    """Trains bit planes under a group lasso; what is left of them are the bits."""

    def __init__(self, problem: Problem, settings: SearchBsq, a_bits: int) -> None:
        self.problem, self.settings, self.a_bits = problem, settings, a_bits
        check(problem, a_bits)
        self.costs, self.budget = bit_costs(problem, a_bits), weight_budget(problem, a_bits)
        self.shares = shares(problem, a_bits, settings.reweigh).tolist()
        self.alpha = Alpha(None if settings.alpha == "steer" else float(settings.alpha))
        self.layers: tuple[PlanedLayer, ...] = ()
        self.weights: tuple[float, ...] = ()
        self.acts = Activations()
        self.steps, self.epochs, self.every = 1, 1, 1
        self.trail: list[dict[str, Any]] = []  # after each re-quantisation

    def prepare(self, model: nn.Module) -> None:
        """Put the weights of the searched layers into planes and quantise what they read."""
        searched, planes = self.problem.searched, self.problem.bits[-1] - 1
        self.acts = Activations.put(model, searched, self.a_bits)
        self.layers = tuple(PlanedLayer(model, layer, planes) for layer in searched)
        self._requantise(model)
        self._weigh(self._needed())

    def groups(self, model: nn.Module, weight_decay: float) -> Sequence[Group]:
        """Scales decay as bits do."""
        scales = [layer.step for layer in self.layers]
        known = {id(scale) for scale in scales}
        rest = [p for p in model.parameters() if id(p) not in known]
        decaying = [p for p in rest if p.ndim > 1]
        return (
            Group(parameters=[*decaying, *scales], weight_decay=weight_decay),
            Group(parameters=[p for p in rest if p.ndim <= 1], weight_decay=0.0),
        )

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        """Learn which epoch is the last, and how often to look at the cost."""
        self.steps, self.epochs, self.every = steps, epochs, max(1, steps // LOOKS)

    def penalty(self, model: nn.Module) -> Tensor | None:
        """alpha times the group lasso."""
        alpha = self.alpha.now
        if not alpha or not any(self.weights):
            return None
        return alpha * lasso(self.layers, self.weights, but_largest=self.alpha.steered)

    def after_step(self, model: nn.Module, step: int) -> None:
        """Clamp bits, and nothing else; at times steer alpha."""
        for layer in self.layers:
            layer.clamp()
        if self.alpha.steered and (step + 1) % self.every == 0:
            needed = self._needed()
            first = self._cost([layer.form.planes for layer in self.layers])
            progress, looks = (step + 1) / self.steps, self.steps // self.every
            self.alpha.steer(first, self._cost(needed), self.budget, progress, looks)
            self._weigh(needed)

    def after_epoch(self, model: nn.Module, epoch: int) -> Collection[nn.Parameter]:
        """Re-quantise when it is time, and then start all momentum afresh."""
        done = epoch + 1
        due = done == self.epochs or done % self.settings.interval == 0
        if due:
            self._requantise(model)
            bits = [layer.bits for layer in self.layers]
            self.trail.append({"epoch": epoch, "alpha": self.alpha.now, "magnitude_bits": bits})
        self._weigh(self._needed())
        return tuple(model.parameters()) if due else ()

    def _requantise(self, model: nn.Module) -> None:
        for layer in self.layers:
            layer.requantise()
            if layer.layer.norm is not None:
                resize(layer, model.get_submodule(layer.layer.norm))

    def _needed(self) -> list[int]:
        """Magnitude bits that re-quantising would leave now, of each layer."""
        return [layer.needed() for layer in self.layers]

    def _cost(self, magnitude_bits: Sequence[int]) -> float:
        """Cost of the searched layers, stored with their sign; comparable to `self.budget`."""
        parts = [float(row[n]) for row, n in zip(self.costs, magnitude_bits, strict=True)]
        return self.problem.costs.join([0, *parts])

    def _weigh(self, needed: Sequence[int]) -> None:
        """Set the layers' weights in the lasso; steered, 0 where fewer bits would save nothing."""
        bits = [layer.bits for layer in self.layers]
        weights = layer_weights(self.shares, bits, self.settings.reweigh)
        self.weights = tuple(
            0.0 if self._spared(i, n) else weight
            for i, (weight, n) in enumerate(zip(weights, needed, strict=True))
        )

    def _spared(self, index: int, needed: int) -> bool:
        if not self.alpha.steered:
            return False
        fast = self.problem.costs.kind == "cycles" and self.costs[index, needed] <= self.budget
        return bool(fast) or needed + 1 <= self.problem.bits[0]

    def scalars(self, model: nn.Module) -> dict[str, float]:
        """Strength of the penalty, and what re-quantising now would cost, against the budget."""
        return {"alpha": self.alpha.now, "cost": self._cost(self._needed()) / self.budget}

    def state(self) -> dict[str, Any]:
        """Besides planes, which are in the model: alpha, and what is noted."""
        return {"alpha": self.alpha.value, "pressing": self.alpha.pressing, "trail": self.trail}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up alpha and the notes; the layers' weights follow from the planes."""
        self.alpha.value, self.alpha.pressing = state["alpha"], state["pressing"]
        self.trail = list(state["trail"])
        self._weigh(self._needed())

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """Bits in use and their sign, fitted to the budget. Raises: BudgetError."""
        wanted = {
            layer.layer.name: LayerBits(w_bits=layer.bits + 1, a_bits=self.a_bits)
            for layer in self.layers
        }
        harm = {layer.layer.name: strip(layer.codes()).coarsening_error() for layer in self.layers}
        return fit(self.problem, wanted, harm, self.problem.bits)

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """Bits as the paper counts them and as hardware does, and how they came down."""
        return findings(self.layers) | {"requantised": self.trail}

    @torch.no_grad()
    def release(self, model: nn.Module) -> Released:
        """A plain model whose weights are integers times steps, and the steps.

        Where the policy grants more bits than the codes need, the codes are doubled per bit, the
        weights being the same; where fewer, the lowest bits are rounded off.
        """
        chosen, steps = self.policy(model), {}
        for layer in self.layers:
            name = layer.layer.name
            steps[name] = layer.step_at(chosen[name].w_bits)
            layer.remove()
        return Released(model=model, w_steps=steps, a_steps=self.acts.remove(model))

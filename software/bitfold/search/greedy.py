"""The greedy baseline: take bits where the measured loss suffers least, one quantiser at a time.

No paper's; the plain way in which sensitivity is used without training. Steps are those of least
squared error (`quant.calibrate`). From the widest candidates on, a narrower one is taken of one
layer's weights or activations: that whose rise of the loss, on training images, is least for what
it saves of the budget, until the budget holds. A trial is one forward pass of the images; a rise
that was measured earlier stands until it is the least and is then measured again (lazy evaluation),
so that there are a few trials a step instead of one for every quantiser. In the end the policy is
brought to 98 % of the budget like every other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bitfold.data import DataSet
from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, make_switchable
from bitfold.quant.calibrate import calibrate
from bitfold.search.evaluate import BATCH, batch_statistics
from bitfold.search.method import Method
from bitfold.search.problem import Problem
from bitfold.search.spend import nearest

Key = tuple[str, str]  # layer; "w" or "a"
Bits = Mapping[Key, int]
ANY_STEP = float("inf")


@final
@dataclass(frozen=True)
class _Trial:
    """How the loss rose when one quantiser went to `bits`, after so many steps."""

    bits: int
    rise: float
    steps: int


@final
class Greedy(Method):
    """Trains nothing; its phase has no epochs."""

    def __init__(self, problem: Problem, *, images: int) -> None:
        self.problem, self.images = problem, images
        self.handles: tuple[QuantisedLayer, ...] = ()
        self.bits: dict[Key, int] = {}
        self.trials: dict[Key, _Trial] = {}
        self.taken: list[tuple[str, str, int]] = []
        self.passes = 0

    def prepare(self, model: nn.Module) -> None:
        """Quantise the searched layers, at every candidate; others stay float."""
        problem = self.problem
        self.handles = make_switchable(model, problem.searched, problem.bits, ANY_STEP)

    def measure(self, model: nn.Module, data: DataSet) -> None:
        """Find the bits, on training images that the seed draws."""
        train, device = data.train, next(model.parameters()).device
        order = np.random.default_rng(self.problem.seed).permutation(len(train))
        chosen = torch.from_numpy(order[: self.images]).to(train.x.device)
        x, y = train.x[chosen].to(device), train.y[chosen].to(device)
        with torch.no_grad(), batch_statistics(model):
            self._calibrate(model, x[:BATCH])
            self._descend(model, x, y)

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """The bits where the budget came to hold, and what it leaves given back.

        Raises: BudgetError.
        """
        # What never had to be tried costs nothing, and is not to be touched.
        rises = [trial.rise for trial in self.trials.values()]
        harm = dict.fromkeys(self.bits, max([0.0, *rises]))
        harm |= {key: max(trial.rise, 0.0) for key, trial in self.trials.items()}
        names = [layer.name for layer in self.problem.searched]
        w_harm, a_harm = ({name: harm[name, kind] for name in names} for kind in "wa")
        wanted = self._policy(self.bits)
        return nearest(self.problem, self.problem.options(), wanted, w_harm, a_harm)

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """The steps taken (layer, weights or activations, bits), and forward passes needed."""
        return {"taken": [list(step) for step in self.taken], "passes": self.passes}

    def _calibrate(self, model: nn.Module, x: Tensor) -> None:
        """Set all steps in one pass, activations' as they come at the widest candidates."""
        hooks = []
        for handle in self.handles:
            calibrate(handle.weight, model.get_submodule(handle.layer.name).get_parameter("weight"))
            handle.select(self.problem.bits[-1], self.problem.bits[-1])
            hooks.append(
                handle.act.register_forward_pre_hook(lambda act, came: calibrate(act, came[0]))
            )
        model(x)
        for hook in hooks:
            hook.remove()

    def _descend(self, model: nn.Module, x: Tensor, y: Tensor) -> None:
        names = [handle.layer.name for handle in self.handles]
        self.bits = {(name, kind): self.problem.bits[-1] for name in names for kind in "wa"}
        now = self.loss(model, x, y, self.bits)

        def trial(key: Key, bits: int) -> _Trial:
            rise = self.loss(model, x, y, {**self.bits, key: bits}) - now
            return _Trial(bits, rise, len(self.taken))

        while moves := self._moves():
            for key, (bits, _) in moves.items():
                if key not in self.trials or self.trials[key].bits != bits:
                    self.trials[key] = trial(key, bits)
            key = min(moves, key=lambda key: (self.trials[key].rise / moves[key][1], key))
            best = self.trials[key]
            if best.steps < len(self.taken):
                self.trials[key] = trial(key, best.bits)
                continue
            now += best.rise
            self.bits[key] = best.bits
            self.taken.append((*key, best.bits))

    def _moves(self) -> dict[Key, tuple[int, float]]:
        """For each quantiser that can still save: its next candidate that does, and how much.

        In shares of the budgets that do not hold yet; empty when all do.
        """
        problem, found = self.problem, {}
        policy = self._policy(self.bits)
        broken = [budget for budget in problem.budgets if not budget.keeps(policy)]
        for handle in self.handles:
            name = handle.layer.name
            for kind in "wa":
                at = problem.bits.index(self.bits[name, kind])
                for bits in reversed(problem.bits[:at]):
                    w, a = ((bits if each == kind else self.bits[name, each]) for each in "wa")
                    saved = 0.0
                    for budget in broken:
                        was, now = (
                            budget.costs.layer(handle.layer, level.w_bits, level.a_bits)
                            for level in (policy[name], LayerBits(w_bits=w, a_bits=a))
                        )
                        if budget.costs.kind != "cycles" or was > budget.limit:
                            saved += (was - now) / budget.limit
                    if saved > 0:
                        found[name, kind] = (bits, saved)
                        break
        return found

    def loss(self, model: nn.Module, x: Tensor, y: Tensor, bits: Bits) -> float:
        """Mean cross-entropy at these bits; BatchNorms as the caller has set them."""
        for handle in self.handles:
            handle.select(bits[handle.layer.name, "w"], bits[handle.layer.name, "a"])
        self.passes += 1
        parts = -(-len(y) // BATCH)  # of nearly equal size, for their statistics
        losses = [
            cross_entropy(model(images), labels, reduction="sum")
            for images, labels in zip(x.chunk(parts), y.chunk(parts), strict=True)
        ]
        return float(torch.stack(losses).sum()) / len(y)

    def _policy(self, bits: Bits) -> dict[str, LayerBits]:
        names = [layer.name for layer in self.problem.searched]
        chosen = {n: LayerBits(w_bits=bits[n, "w"], a_bits=bits[n, "a"]) for n in names}
        return self.problem.complete(chosen)

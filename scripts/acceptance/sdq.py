"""SDQ on the digits: strategies, their benefit, the estimators, the second phase, the cost.

.venv/bin/python scripts/acceptance/sdq.py [SEED ...]    (default: seeds 0 1 2; minutes on one core)

The network is convnet 8-16-16-32, layers of 72, 1152, 2304, 4608 and 320 weights, activations of 4
bits; every search starts from its float weights and may spend the size of uniform 2-bit weights.
Losses are cross-entropies of hard labels in nats, on the test and on the training images. Times
are of the processor.
"""

import copy
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from toy import A_BITS, DATA, phase, posed, pretrained

from bitfold.data import Split
from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, quantise
from bitfold.runfile import SearchSdq
from bitfold.search.batches import steps_of
from bitfold.search.evaluate import accuracy
from bitfold.search.hooks import Hooks
from bitfold.search.method import Released
from bitfold.search.problem import Problem
from bitfold.search.sdq import SDQ
from bitfold.search.sdq.bins import BinRegularisation
from bitfold.search.weights import fit

TARGET, DRAWS = 2, 3  # bits; random policies a seed
SEARCHED, FINETUNED = 20, 20  # epochs
EPOCH = steps_of(DATA.train, 64)
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "error": {},
    "budget": {"regulariser": "budget"},
    "interpolation": {"estimator": "interpolation"},
}
Policy = Mapping[str, LayerBits]
Rows = dict[str, list[Sequence[float]]]


@final
@dataclass(frozen=True, eq=False)
class Steps:
    """Progress that keeps the loss and the processor's time of every step."""

    losses: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def start(self, phase: str, total: int) -> None:
        """Nothing to show."""

    def advance(self, loss: float, accuracy: float) -> None:
        """Keep both."""
        self.losses.append(loss)
        self.clock.append(time.process_time())

    def done(self) -> None:
        """Nothing to show."""

    def roughness(self) -> float:
        """Variance of the losses about their moving average over an epoch."""
        values = np.array(self.losses)
        mean = np.convolve(values, np.ones(EPOCH) / EPOCH, mode="valid")
        return float((values[EPOCH // 2 :][: len(mean)] - mean).var())

    def step_ms(self) -> float:
        """Median time of a step."""
        return float(np.median(np.diff(self.clock))) * 1e3


@final
@dataclass(frozen=True, eq=False)
class Lab:
    """The float network and the problem of one seed."""

    seed: int
    model: nn.Module
    problem: Problem

    def search(self, changes: Mapping[str, Any]) -> tuple[SDQ, nn.Module, Steps]:
        """Phase 1 from the float network."""
        settings = SearchSdq(method="sdq", epochs=SEARCHED, a_bits=A_BITS, **changes)
        method, model, steps = SDQ(self.problem, settings, A_BITS), self.copy(), Steps()
        method.prepare(model)
        phase(model, method, steps, phase="search", seed=self.seed, epochs=SEARCHED, lr=0.01)
        return method, model, steps

    def finetune(
        self,
        policy: Policy,
        start: Released | None = None,
        hooks: Callable[[Sequence[QuantisedLayer]], Hooks] | None = None,
        distill: float = 0.0,
    ) -> tuple[nn.Module, Sequence[QuantisedLayer], Steps]:
        """Train at `policy` from `start`, or from the float network with fresh steps."""
        model, steps = copy.deepcopy(start.model) if start else self.copy(), Steps()
        bits = {name: (each.w_bits, each.a_bits) for name, each in policy.items()}
        handles = quantise(model, self.problem.costs.layers, bits)
        for handle in handles if start else ():
            assert start is not None
            handle.weight.start_at(start.w_steps[handle.layer.name])
            handle.act.start_at(start.a_steps[handle.layer.name])
        phase(
            model,
            hooks(handles) if hooks else Hooks(),
            steps,
            self.copy() if distill else None,
            phase="finetune",
            seed=self.seed,
            epochs=FINETUNED,
            lr=0.04,
            reestimate=True,
            distill=distill,
        )
        return model, handles, steps

    def copy(self) -> nn.Module:
        """The float network."""
        return copy.deepcopy(self.model)

    def level(self, bits: Sequence[int]) -> Policy:
        """A policy from the layers' weight bits."""
        layers = self.problem.costs.layers
        return {
            layer.name: LayerBits(w_bits=b, a_bits=A_BITS)
            for layer, b in zip(layers, bits, strict=True)
        }

    def random(self, draw: int) -> Policy:
        """Bits drawn uniformly from the candidates, brought onto the budget."""
        generator = np.random.default_rng((self.seed, draw))
        drawn = [int(b) for b in generator.choice(self.problem.bits, len(self.sizes))]
        harm = {layer.name: 1.0 for layer in self.problem.costs.layers}
        return fit(self.problem, self.level(drawn), harm, self.problem.bits)

    @property
    def sizes(self) -> list[int]:
        """Weights of each layer."""
        return [layer.outputs * layer.inputs for layer in self.problem.costs.layers]


def scores(model: nn.Module) -> tuple[float, float, float]:
    """Test accuracy, test loss, training loss."""
    return accuracy(model, DATA.test), loss(model, DATA.test), loss(model, DATA.train)


@torch.no_grad()
def loss(model: nn.Module, split: Split) -> float:
    """Mean cross-entropy of hard labels."""
    return cross_entropy(model.eval()(split.x), split.y).item()


def spread(model: nn.Module, handles: Sequence[QuantisedLayer]) -> tuple[float, float]:
    """Variance in the bins, summed over layers and bins, in squared steps; entropy of the integers.

    The entropy is a share of the layer's bits, averaged over the layers.
    """
    variance, entropy = 0.0, []
    for handle in handles:
        weight = model.get_submodule(handle.layer.name).get_parameter("weight").detach()
        whole = handle.weight.codes(weight).flatten()
        off = weight.flatten() / handle.weight.step().detach() - whole
        _, index, counts = whole.unique(return_inverse=True, return_counts=True)
        mean = torch.zeros(len(counts)).index_add(0, index, off) / counts
        square = torch.zeros(len(counts)).index_add(0, index, (off - mean[index]).square())
        variance += (square / counts).sum().item()
        chance: Tensor = counts.double() / counts.sum()
        entropy.append(-(chance * chance.log2()).sum().item() / handle.weight.bits[0])
    return variance, float(np.mean(entropy))


def strategy(lab: Lab, name: str, method: SDQ, policy: Policy) -> None:
    """Print one line: bits, target, correlation with the layers' sizes, monotony."""
    trail, sizes = np.array(method.trail), lab.sizes
    bits = [each.w_bits for each in policy.values()]
    own, mean = (float(np.dot(each, sizes) / sum(sizes)) for each in (trail[-1], bits))
    rank = spearmanr(sizes, bits).statistic
    falls = "yes" if (np.diff(trail, axis=0) <= 0).all() else "NO"
    print(
        f"{lab.seed:4}  {name:13}  {trail[-1].tolist()!s:15}  {bits!s:15}"
        f"  {own:.3f}  {mean:.3f}  {32 / mean:5.2f}  {rank:+.2f}  {falls}",
        flush=True,
    )


def phase_two(lab: Lab, method: SDQ, model: nn.Module, policy: Policy, rows: Rows) -> None:
    """Finetune the released network at one strategy: plain, EBR, distilled, both."""
    start = method.release(model)
    for name, ebr, distill in (
        ("plain QAT", 0.0, 0.0),
        ("EBR", 0.1, 0.0),
        ("KD", 0.0, 1.0),
        ("KD + EBR", 0.1, 1.0),
    ):

        def hooks(handles: Sequence[QuantisedLayer], strength: float = ebr) -> Hooks:
            return BinRegularisation(handles, strength=strength, warmup=0.25)

        done, handles, steps = lab.finetune(policy, start, hooks, distill)
        rows.setdefault(name, []).append((*scores(done), *spread(done, handles), steps.step_ms()))


def show(title: str, heads: str, rows: Rows) -> None:
    """Print means and standard deviations over the seeds."""
    print(f"\n{title}\n{'':15}{heads}")
    for name, values in rows.items():
        pairs = zip(np.mean(values, 0), np.std(values, 0), strict=True)
        print(f"{name:15}" + "  ".join(f"{m:8.4f} +- {s:.4f}" for m, s in pairs))


def main(seeds: Sequence[int]) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    benefit: Rows = {}
    first: Rows = {}
    second: Rows = {}
    print(f"strategies at the size of uniform {TARGET} bits\n")
    print("seed  variant        search ends      policy           its mean       32/m  rank  falls")
    for seed in seeds:
        model = pretrained(seed)
        problem = replace(posed(model, "size", TARGET, seed), bits=tuple(range(1, 9)))
        lab = Lab(seed, model, problem)
        count = len(lab.sizes)
        eight = lab.finetune(lab.level([8] * count))[2]
        first.setdefault("QAT at 8 bits", []).append((eight.roughness(), eight.step_ms()))
        fixed = {"uniform": [lab.level([TARGET] * count)]}
        fixed["random"] = [lab.random(draw) for draw in range(DRAWS)]
        for name, policies in fixed.items():
            done = [scores(lab.finetune(policy)[0]) for policy in policies]
            benefit.setdefault(name, []).append(tuple(np.mean(done, 0)))
        for name, changes in VARIANTS.items():
            method, searched, steps = lab.search(changes)
            policy = method.policy(searched)
            strategy(lab, name, method, policy)
            first.setdefault(name, []).append((steps.roughness(), steps.step_ms()))
            benefit.setdefault(f"SDQ {name}", []).append(scores(lab.finetune(policy)[0]))
            if name == "error":
                phase_two(lab, method, searched, policy, second)
    heads = "test accuracy       test loss           training loss"
    show(f"the policies, finetuned alike from float, {FINETUNED} epochs", heads, benefit)
    show("steps: variance of the loss about its epoch's mean; ms", "variance            ms", first)
    heads += "       bin variance        entropy             ms"
    show("phase 2 at one strategy, from the released network", heads, second)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [0, 1, 2])

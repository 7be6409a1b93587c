"""What SDQ must show on the digits, over three seeds: strategies, their benefit, its second phase.

python scripts/acceptance/sdq.py [SEEDS]   (default 3, seeds 0, 1, ...; some minutes on one core)

One network of six convolutions and a dense layer (72 to 9216 weights each), four activation bits,
the weight size of uniform 2 bits. Losses are cross-entropies on the whole split, in nats.
"""

import copy
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from lightning_fabric import Fabric
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bitfold.data import DataSet, Split, load
from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, quantise, trace
from bitfold.runfile import RunFile, SearchSdq, parse_run
from bitfold.search.build import build
from bitfold.search.evaluate import accuracy, logits
from bitfold.search.hooks import Hooks
from bitfold.search.loop import Trained, train
from bitfold.search.method import Released
from bitfold.search.phases import recipes
from bitfold.search.problem import Problem, pose
from bitfold.search.sdq.bins import BinRegularisation
from bitfold.search.sdq.method import SDQ
from bitfold.search.weights import fit

A_BITS, TARGET, RANDOM = 4, 2, 3  # RANDOM: policies drawn per seed
Policy = Mapping[str, LayerBits]


@final
class Losses:
    """Progress that keeps the loss of every step."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def start(self, phase: str, total: int) -> None:
        """Nothing to show."""

    def advance(self, loss: float, accuracy: float) -> None:
        """Keep it."""
        self.values.append(loss)

    def done(self) -> None:
        """Nothing to show."""

    def roughness(self, window: int = 19) -> float:
        """Variance of the losses about their moving average over an epoch."""
        values = np.array(self.values)
        mean = np.convolve(values, np.ones(window) / window, mode="valid")
        return float((values[window // 2 : window // 2 + len(mean)] - mean).var())


@final
@dataclass(frozen=True, eq=False)
class Found:
    """A search of one seed."""

    method: SDQ
    model: nn.Module
    policy: Policy
    losses: Losses
    seconds: float


@final
class Lab:
    """Data, float network and problem of one seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder, self.count = seed, folder, 0
        self.data: DataSet = load("digits", None)
        self.run = run_file(seed)
        self.model = build(self.run.model, self.data, seed)
        self.layers = trace(self.model, self.data.shape)
        self.problem: Problem = pose(
            self.layers,
            kind="size",
            value=None,
            like_uniform=TARGET,
            bits=self.run.search.bits,
            first_last="search",
            target="ecp5",
            seed=seed,
        )
        self.train(self.model, "float")

    def train(
        self,
        model: nn.Module,
        phase: str,
        hooks: Hooks | None = None,
        losses: Losses | None = None,
        distill: float = 0.0,
    ) -> Trained:
        """Train `model` in place by the recipe of `phase`."""
        self.count += 1
        return train(
            model,
            self.data,
            replace(recipes(self.run)[phase], distill=distill),
            hooks=hooks or Hooks(),
            fabric=Fabric(accelerator="cpu", devices=1),
            path=self.folder / f"{self.seed}-{self.count}.pt",
            identity="acceptance",
            progress=losses or Losses(),
            teacher=copy.deepcopy(self.model) if distill else None,
        )

    def search(self, **changes: Any) -> Found:
        """Phase 1 with changed settings, from the float network."""
        chosen = self.run.search
        assert isinstance(chosen, SearchSdq)
        method, model = SDQ(self.problem, chosen.model_copy(update=changes), A_BITS), None
        model = copy.deepcopy(self.model)
        method.prepare(model)
        losses = Losses()
        seconds = self.train(model, "search", method, losses).seconds
        return Found(method, model, method.policy(model), losses, seconds)

    def finetune(
        self,
        policy: Policy,
        start: Released | None = None,
        hooks: Callable[[tuple[QuantisedLayer, ...]], Hooks] | None = None,
        distill: float = 0.0,
    ) -> tuple[nn.Module, tuple[QuantisedLayer, ...], Trained]:
        """Train at `policy` from `start`, or from the float network with fresh steps."""
        start = start or Released(model=self.model)
        model = copy.deepcopy(start.model)
        handles = quantise(model, self.layers, {n: (b.w_bits, b.a_bits) for n, b in policy.items()})
        for handle in handles:
            if handle.layer.name in start.w_steps:
                handle.weight.start_at(start.w_steps[handle.layer.name])
                handle.act.start_at(start.a_steps[handle.layer.name])
        done = self.train(model, "finetune", hooks(handles) if hooks else None, distill=distill)
        return model, handles, done

    def scores(self, model: nn.Module) -> tuple[float, float, float]:
        """Test accuracy, test loss, training loss."""
        return (
            accuracy(model, self.data.test),
            loss(model, self.data.test),
            loss(model, self.data.train),
        )


def run_file(seed: int) -> RunFile:
    """The settings of the measurement."""
    return parse_run(
        {
            "data": {"name": "digits", "augment": "shift"},
            "model": {
                "name": "convnet",
                "channels": [8, 8, 16, 16, 32, 32],
                "pools": [2, 4, 6],
            },
            "train": {
                "seed": seed,
                "weight_decay": 5e-4,
                "float_epochs": 30,
                "finetune_epochs": 12,
                "threads": 1,
            },
            "search": {"method": "sdq", "epochs": 20, "first_last": "search", "a_bits": A_BITS},
            "budget": {"kind": "size", "like_uniform": TARGET},
        }
    )


def loss(model: nn.Module, split: Split) -> float:
    """Mean cross-entropy of hard labels."""
    return cross_entropy(logits(model, split.x), split.y).item()


def in_bin_variance(model: nn.Module, handles: tuple[QuantisedLayer, ...]) -> float:
    """Sum over layers and bins of the variance in a bin, in squared steps."""
    total = 0.0
    for handle in handles:
        weight = model.get_submodule(handle.layer.name).get_parameter("weight").detach()
        whole = handle.weight.codes(weight).flatten()
        off = weight.flatten() / handle.weight.step().detach() - whole
        _, index = whole.unique(return_inverse=True)
        counts = torch.bincount(index)
        sums = torch.zeros(len(counts)).index_add(0, index, off)
        squares = torch.zeros(len(counts)).index_add(0, index, (off - (sums / counts)[index]) ** 2)
        total += (squares / counts).sum().item()
    return total


def code_entropy(model: nn.Module, handles: tuple[QuantisedLayer, ...]) -> float:
    """Entropy of the integers, as a share of the layer's bits; mean over layers."""
    shares = []
    for handle in handles:
        weight = model.get_submodule(handle.layer.name).get_parameter("weight").detach()
        counts = handle.weight.codes(weight).unique(return_counts=True)[1].double()
        chance: Tensor = counts / counts.sum()
        shares.append(-(chance * chance.log2()).sum().item() / handle.weight.bits[0])
    return float(np.mean(shares))


def strategy(lab: Lab, found: Found, name: str) -> None:
    """Print bits, whether they fell monotonically, the target, the correlation with size."""
    trail = np.array(found.method.trail)
    bits = [b.w_bits for b in found.policy.values()]
    sizes = [layer.outputs * layer.inputs for layer in lab.layers]
    mean = float(np.dot(bits, sizes) / sum(sizes))
    own = found.method.findings(found.model)
    rank = spearmanr(sizes, bits).statistic
    rising = bool((np.diff(trail, axis=0) > 0).any())
    print(
        f"{lab.seed}  {name:13}  {trail[-1].tolist()!s:22}  {bits!s:22}"
        f"  {own['mean_bits_of_searched_weights']:6.3f}  {mean:6.3f}  {32 / mean:6.2f}"
        f"  {rank:+.2f}  {'no' if rising else 'yes'}",
        flush=True,
    )


def uniform(lab: Lab, bits: int) -> Policy:
    """The same weight bits everywhere."""
    return {layer.name: LayerBits(w_bits=bits, a_bits=A_BITS) for layer in lab.layers}


def random_policy(lab: Lab, draw: int) -> Policy:
    """Bits drawn uniformly from the candidates, brought onto the budget."""
    generator = np.random.default_rng((lab.seed, draw))
    bits = lab.problem.bits
    wanted = {
        layer.name: LayerBits(w_bits=int(generator.choice(bits)), a_bits=A_BITS)
        for layer in lab.layers
    }
    return fit(lab.problem, wanted, {layer.name: 1.0 for layer in lab.layers}, bits)


def phase_two(lab: Lab, found: Found, rows: dict[str, list[tuple[float, ...]]]) -> None:
    """Finetune at one strategy from one start: plain, EBR, distilled, both."""
    start = found.method.release(copy.deepcopy(found.model))
    for name, ebr, distill in (
        ("plain", 0.0, 0.0),
        ("EBR", 0.1, 0.0),
        ("KD", 0.0, 1.0),
        ("KD + EBR", 0.1, 1.0),
    ):

        def hooks(handles: tuple[QuantisedLayer, ...], ebr: float = ebr) -> Hooks:
            return BinRegularisation(handles, strength=ebr, warmup=0.25)

        model, handles, done = lab.finetune(found.policy, start, hooks, distill)
        spread, entropy = in_bin_variance(model, handles), code_entropy(model, handles)
        rows.setdefault(name, []).append((*lab.scores(model), spread, entropy, done.seconds))


def main(seeds: int) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    benefit: dict[str, list[tuple[float, ...]]] = {}
    second: dict[str, list[tuple[float, ...]]] = {}
    rough: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}
    clock = time.monotonic()
    print(f"strategies: size of uniform {TARGET} bits, {A_BITS} activation bits")
    print(
        "seed  regulariser  bits of the search      policy                  own     mean"
        "    32/m    rank   monotone"
    )
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            lab = Lab(seed, Path(folder))

            def add(name: str, model: nn.Module, lab: Lab = lab) -> None:
                benefit.setdefault(name, []).append(lab.scores(model))

            add("float", lab.model)
            add(f"uniform {TARGET}", lab.finetune(uniform(lab, TARGET))[0])
            for draw in range(RANDOM):
                add("random", lab.finetune(random_policy(lab, draw))[0])
            for name, changes in (
                ("error", {}),
                ("budget", {"regulariser": "budget"}),
                ("interpolation", {"estimator": "interpolation"}),
            ):
                found = lab.search(**changes)
                strategy(lab, found, name)
                rough.setdefault(name, []).append(found.losses.roughness())
                seconds.setdefault(name, []).append(found.seconds / 20)
                add(f"SDQ {name}", lab.finetune(found.policy)[0])
                if name == "error":
                    phase_two(lab, found, second)
            plain = lab.finetune(uniform(lab, 8))[2]
            seconds.setdefault("8-bit QAT", []).append(plain.seconds / 12)
    print("\nbenefit: same budget, finetuned alike from the float network (12 epochs)")
    print("policy               accuracy        test loss         training loss")
    for name, rows in benefit.items():
        mean, std = np.mean(rows, 0), np.std(rows, 0)
        print(
            f"{name:18}  "
            + "  ".join(f"{m:.4f} +- {s:.4f}" for m, s in zip(mean, std, strict=True))
        )
    print("\nphase 1: variance of the step loss about its moving average; seconds an epoch")
    for name, values in seconds.items():
        shown = f"{np.mean(rough[name]):.6f}" if name in rough else "        "
        print(f"{name:14} {shown}  {np.mean(values):.2f} s")
    print("\nphase 2: from the released network, at its policy (12 epochs)")
    print("                accuracy  test loss  train loss  in-bin var  entropy  s/epoch")
    for name, rows in second.items():
        a, t, r, v, e, s = np.mean(rows, 0)
        print(
            f"{name:14}  {a:.4f}    {t:.4f}     {r:.4f}      {v:7.4f}     {e:.3f}    {s / 12:.2f}"
        )
    print(f"\n{seeds} seeds, {time.monotonic() - clock:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

"""BSQ on the digits: bits against alpha, what reweighing does, and budgets that steering meets.

.venv/bin/python scripts/acceptance/bsq.py [SEED ...]    (default: seeds 0 1; minutes on one core)

The network is convnet 8-16-16-32, 8,456 weights, activations of 4 bits; every search starts from
its float weights. The first table has the authors' penalty ("memory") at fixed alphas, 80 epochs,
an interval of 20, and finetuning at the bits found; the second steers alpha, with the defaults.
Bits are of magnitudes, as the paper counts; averages are over weights.
"""

import copy
import dataclasses
import itertools
import sys
from typing import Any

import numpy as np
import torch
from torch import nn
from toy import A_BITS, DATA, finetuned, phase, posed, pretrained

from bitfold.policy import LayerBits
from bitfold.runfile import SearchBsq
from bitfold.search.bsq import BSQ
from bitfold.search.evaluate import accuracy
from bitfold.search.problem import KINDS

ALPHAS = (2e-3, 6e-3, 2e-2, 6e-2, 2e-1)
SWEEP = {"epochs": 80, "interval": 20}
FINETUNING = {"epochs": 30, "lr": 0.05}


def search(
    start: nn.Module, seed: int, kind: str, like_uniform: int, **settings: Any
) -> tuple[BSQ, nn.Module]:
    """Search a copy of the float network `start`."""
    made, model = SearchBsq(method="bsq", **settings), copy.deepcopy(start)
    method = BSQ(posed(model, kind, like_uniform, seed), made, A_BITS)
    method.prepare(model)
    phase(model, method, phase="search", epochs=made.epochs, lr=made.lr, seed=seed)
    return method, model


def fixed(start: nn.Module, seed: int, alpha: float, reweigh: str) -> tuple[float, list[int]]:
    """Print one line of the first table; return average and bits."""
    method, model = search(start, seed, "size", 8, alpha=alpha, reweigh=reweigh, **SWEEP)
    found, before = method.findings(model), accuracy(model, DATA.test)
    bits = [row["paper"] for row in found["layers"].values()]
    stored = {
        name: LayerBits(w_bits=row["stored"], a_bits=A_BITS)
        for name, row in found["layers"].items()
    }
    limit = method.problem.costs.total(stored)  # so that finetuning has these bits and no more
    method.problem = dataclasses.replace(method.problem, limit=limit)
    assert method.policy(model) == stored
    tuned = finetuned(method, model, method.problem, stored, seed=seed, **FINETUNING)
    mean = found["mean_bits"]["paper"]
    print(
        f"{reweigh:7} {seed:4} {alpha:6g}  {mean:5.2f}  {100 * before:6.2f} "
        f"{100 * accuracy(tuned, DATA.test):6.2f}  {' '.join(map(str, bits))}",
        flush=True,
    )
    return mean, bits


def steered(start: nn.Module, seed: int, kind: str, like_uniform: int, reweigh: str) -> None:
    """Print one line of the second table."""
    method, model = search(start, seed, kind, like_uniform, reweigh=reweigh)
    problem, policy = method.problem, method.policy(model)
    rows = method.findings(model)["layers"]
    wanted = {name: LayerBits(w_bits=row["stored"], a_bits=A_BITS) for name, row in rows.items()}
    largest = max(entry["alpha"] for entry in method.trail)
    spent = [100 * problem.costs.total(each) / problem.limit for each in (wanted, policy)]
    tuned = finetuned(method, model, problem, policy, seed=seed, **FINETUNING)
    print(
        f"{kind:12} {like_uniform:4} {reweigh:7} {seed:4}  {largest:7.3f}  {spent[0]:6.1f} "
        f"{spent[1]:6.1f}  {100 * accuracy(tuned, DATA.test):6.2f}  "
        f"{' '.join(str(row['stored']) for row in rows.values())}  ->  "
        f"{' '.join(str(each.w_bits) for each in policy.values())}",
        flush=True,
    )


def correlation(bits: list[int], weights: list[int]) -> float:
    """Of bits with the logarithm of the layers' sizes."""
    return float(np.corrcoef(bits, np.log(weights))[0, 1])


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in sys.argv[1:]] or [0, 1]
    starts = {seed: pretrained(seed) for seed in seeds}
    sizes = [p.numel() for n, p in starts[seeds[0]].named_parameters() if p.ndim > 1]
    print(f"weights by layer: {sizes}; accuracy in % of 360 test images, before finetuning, after")
    print("reweigh seed  alpha   bits  before  after  by layer")
    for seed, start in starts.items():
        print(f"float   {seed:4} {100 * accuracy(start, DATA.test):29.2f}")
        found = {alpha: fixed(start, seed, alpha, "memory") for alpha in ALPHAS}
        falls = all(a[0] > b[0] for a, b in itertools.pairwise(found.values()))
        alike = fixed(start, seed, 2e-2, "none")
        print(f"        bits fall with every alpha: {falls}")
        print("        correlation of bits with size at alpha 0.02: ", end="")
        print(f"{correlation(found[2e-2][1], sizes):+.2f} memory, ", end="")
        print(f"{correlation(alike[1], sizes):+.2f} none", flush=True)
    print("\ncost in % of the budget, that of a width everywhere: of the bits found, of the policy")
    print("kind         like reweigh seed  alpha<=   found policy   after  stored bits")
    for seed, start in starts.items():
        for kind in KINDS:
            for reweigh in ("memory", "budget") if kind in ("bitops", "cycles") else ("memory",):
                # Mean bits, or LUTs, of 3 leave at most 2 to weights beside activations of 4.
                bits = 4 if kind in {"average_bits", "luts"} else 3
                steered(start, seed, kind, bits, reweigh)
        steered(start, seed, "size", 4, "memory")


if __name__ == "__main__":
    main()

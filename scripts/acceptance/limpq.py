"""LIMPQ on the digits: the shape of its indicators, what they predict, the order of policies.

.venv/bin/python scripts/acceptance/limpq.py [SEED ...]    (default: 0 1 2; minutes each on a core)

The network is convnet 4-4-8-8-8-8; first and last layer are fixed at 8 bits (float while indicators
train), the others have 2 to 6. The budget is the BitOps of 3 bits.

Sensitivity is measured in the network that the indicators were trained in: all searched layers at 6
bits but one, whose weights, or activations, or both go to 2; its BatchNorm copy is that of its
weight bits. Correlations are Spearman's over layers with the steps at 2 bits (2 s_w + s_a for
both); "all" ranks the weights and activations of all layers together.

Policies are compared as they stand in that network, and after finetuning from the float one.
"""

import copy
import statistics
import sys
from collections.abc import Mapping

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.nn.functional import cross_entropy
from toy import DATA, phase

from bitfold.data import Split
from bitfold.models import convnet
from bitfold.policy import LayerBits
from bitfold.quant import quantise, trace
from bitfold.search.evaluate import accuracy
from bitfold.search.hooks import Hooks
from bitfold.search.ilp import Floats
from bitfold.search.limpq import LIMPQ
from bitfold.search.problem import Problem, pose
from bitfold.search.random import Random

BITS = (2, 3, 4, 5, 6)
ALPHA = 2.0
DRAWS = 3  # random policies of a seed
EPOCHS = {"float": 30, "search": 60, "finetune": 20}
MEASURES = ("training loss", "test loss", "test accuracy")


def pretrained(seed: int) -> nn.Module:
    """The float network."""
    torch.manual_seed(seed)
    model = convnet(DATA.shape, 10, (4, 4, 8, 8, 8, 8), (2, 4, 6))
    phase(model, Hooks(), seed=seed, epochs=EPOCHS["float"])
    return model


def posed(model: nn.Module, seed: int) -> Problem:
    """BitOps of 3 bits."""
    return pose(
        trace(model, DATA.shape),
        kind="bitops",
        value=None,
        like_uniform=3,
        bits=BITS,
        first_last=8,
        target="ecp5",
        seed=seed,
    )


def searched(model: nn.Module, problem: Problem, seed: int) -> tuple[LIMPQ, nn.Module]:
    """A copy of `model` in which the indicators have been trained."""
    method, model = LIMPQ(problem, alpha=ALPHA, tied=False), copy.deepcopy(model)
    method.prepare(model)
    phase(model, method, phase="search", seed=seed, epochs=EPOCHS["search"], lr=0.01)
    return method, model


@torch.no_grad()
def loss(model: nn.Module, split: Split) -> float:
    """Mean cross-entropy, in evaluation mode."""
    return cross_entropy(model.eval()(split.x), split.y).item()


def measure(model: nn.Module) -> Floats:
    """In the order of MEASURES, so that more is worse."""
    losses = (loss(model, DATA.train), loss(model, DATA.test))
    return np.array([*losses, -accuracy(model, DATA.test)])


def drops(method: LIMPQ, model: nn.Module, w_bits: int, a_bits: int) -> Floats:
    """What one layer at these bits makes worse, others at the widest. Shape (measures, layers)."""
    widest = BITS[-1]
    for handle in method.handles:
        handle.select(widest, widest)
    base, rows = measure(model), []
    for handle in method.handles:
        handle.select(w_bits, a_bits)
        rows.append(measure(model) - base)
        handle.select(widest, widest)
    return np.array(rows).T


def rank(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation; 0 where one of them is constant."""
    constant = np.ptp(x) == 0 or np.ptp(y) == 0
    return 0.0 if constant else float(spearmanr(x, y).statistic)


def print_shape(seed: int, name: str, steps: Floats) -> None:
    """Share of neighbours that fall, means of ratios, least rank correlation with 2 bits."""
    falling = 100 * float((steps[:, :-1] > steps[:, 1:]).mean())
    ratios = np.exp(np.log(steps[:, :-1] / steps[:, 1:]).mean(0))
    least = min(rank(steps[:, 0], column) for column in steps.T[1:])
    print(
        f"seed {seed} {name:11} falling {falling:5.1f} %  s_b / s_(b+1) for b = 2..5: "
        f"{' '.join(f'{r:.2f}' for r in ratios)}  least rank correlation {least:.3f}"
    )


def sensitivity(method: LIMPQ, model: nn.Module) -> dict[str, list[float]]:
    """Rank correlations of steps at 2 bits with what 2 bits do, by what is lowered."""
    w, a = (steps[:, 0] for steps in method.indicators())
    low, widest = BITS[0], BITS[-1]
    by_weights, by_acts = drops(method, model, low, widest), drops(method, model, widest, low)
    both, every = drops(method, model, low, low), np.concatenate([by_weights, by_acts], axis=1)
    pairs = {
        "weights": (w, by_weights),
        "activations": (a, by_acts),
        "both": (ALPHA * w + a, both),
        "all": (np.concatenate([w, a]), every),
    }
    return {name: [rank(steps, row) for row in rows] for name, (steps, rows) in pairs.items()}


def policies(method: LIMPQ, model: nn.Module) -> dict[str, dict[str, LayerBits]]:
    """The policies that are compared, all within one budget."""
    problem = method.problem
    reverse = LIMPQ(problem, alpha=ALPHA, tied=False, reverse=True)
    reverse.handles = method.handles
    return {
        "LIMPQ": method.policy(model),
        "uniform": problem.uniform(3),
        **{f"random {k}": Random(problem, draw=k, tied=False).policy(model) for k in range(DRAWS)},
        "reversed": reverse.policy(model),
    }


def finetuned(model: nn.Module, policy: Mapping[str, LayerBits], seed: int) -> nn.Module:
    """A copy of the float `model`, trained at the policy."""
    model = copy.deepcopy(model)
    bits = {name: (each.w_bits, each.a_bits) for name, each in policy.items()}
    quantise(model, trace(model, DATA.shape), bits)
    recipe = {"seed": seed, "epochs": EPOCHS["finetune"], "lr": 0.04, "reestimate": True}
    phase(model, Hooks(), phase="finetune", **recipe)
    return model


def compare(seed: int, model: nn.Module, method: LIMPQ, joint: nn.Module) -> dict[str, Floats]:
    """Measures of each policy, in the trained network and finetuned. Shape (2, measures)."""
    found, problem = {}, method.problem
    for name, policy in policies(method, joint).items():
        for handle in method.handles:
            bits = policy[handle.layer.name]
            handle.select(bits.w_bits, bits.a_bits)
        found[name] = np.array([measure(joint), measure(finetuned(model, policy, seed))])
        share = 100 * problem.costs.total(policy) / problem.limit
        bits_of = " ".join(f"{b.w_bits}x{b.a_bits}" for b in policy.values())
        print(f"seed {seed} {name:10} {share:6.2f} %  {bits_of}  {text(found[name])}", flush=True)
    return found


def text(measures: Floats) -> str:
    """Losses, and accuracies in %, of the trained network and of the finetuned one."""
    return "  ".join(
        f"{name}: loss {row[0]:.4f} training {row[1]:.4f} test, accuracy {-100 * row[2]:.2f}"
        for name, row in zip(("as searched", "finetuned"), measures, strict=True)
    )


def main() -> None:
    """Measure seed by seed, then print means."""
    seeds = [int(seed) for seed in sys.argv[1:]] or [0, 1, 2]
    ranks: list[dict[str, list[float]]] = []
    compared: list[dict[str, Floats]] = []
    for seed in seeds:
        model = pretrained(seed)
        print(f"seed {seed} float accuracy {100 * accuracy(model, DATA.test):.2f}")
        method, joint = searched(model, posed(model, seed), seed)
        for name, steps in zip(("weights", "activations"), method.indicators(), strict=True):
            print_shape(seed, name, steps)
        ranks.append(sensitivity(method, joint))
        for name, row in ranks[-1].items():
            print(f"seed {seed} rank correlation, {name:11}", *(f"{value:6.2f}" for value in row))
        compared.append(compare(seed, model, method, joint))
    print(f"\nrank correlation, mean of seeds {seeds}: {', '.join(MEASURES)}")
    for name in ranks[0]:
        means = [statistics.mean(each[name][i] for each in ranks) for i in range(len(MEASURES))]
        print(f"{name:11}", *(f"{value:6.2f}" for value in means))
    print("\npolicies, means of the seeds (and draws)")
    for name in ("LIMPQ", "uniform", "random", "reversed"):
        rows = [v for each in compared for key, v in each.items() if key.startswith(name)]
        print(f"{name:9} {text(np.mean(rows, axis=0))}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()

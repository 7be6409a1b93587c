"""The integer program: against brute force, and against the authors' published policy."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from bitfold.errors import BudgetError
from bitfold.search.ilp import Limit, choose, total
from bitfold.search.limpq import erase_outliers, objective

# The indicators that LIMPQ's authors published for ResNet-50 (MIT licence); not part of this
# repository. Beside it, the test below is collected.
INDICATORS = Path(__file__).parents[4] / "shared" / "methods" / "limpq_resnet50_indicators.json"

WEIGHT_BITS = "6345445445434333443443432323233223" + "2" * 18
ACT_BITS = "6466634634535563453453444655455465356356364462646646"


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("least", [-np.inf, 20.0])
def test_choice_equals_brute_force(seed: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    layers, candidates = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    shape = (layers, candidates, candidates)
    value, cost, size = rng.random(shape), rng.integers(1, 50, shape), rng.integers(1, 9, shape)
    allowed = rng.random(shape) < 0.9
    limits = [
        Limit(table=cost.astype(float), most=24.0 * layers, least=least * layers),
        Limit(table=size.astype(float), most=5.0 * layers),
    ]
    pairs = list(itertools.product(range(candidates), repeat=2))
    best = np.inf
    for picks in itertools.product(pairs, repeat=layers):
        fits = all(limit.holds(picks) for limit in limits)
        if fits and all(allowed[layer, w, a] for layer, (w, a) in enumerate(picks)):
            best = min(best, total(value, picks))
    if np.isinf(best):
        with pytest.raises(BudgetError):
            choose(value, limits, allowed)
    else:
        picks = choose(value, limits, allowed)
        assert all(allowed[layer, w, a] for layer, (w, a) in enumerate(picks))
        assert all(limit.holds(picks) for limit in limits)
        assert total(value, picks) == pytest.approx(best, abs=1e-9)


def test_a_budget_that_is_met_exactly_is_met() -> None:
    cost = np.arange(1.0, 9).reshape(2, 2, 2) * 1e10
    allowed = np.ones(cost.shape, dtype=np.bool_)
    assert choose(-cost, [Limit(table=cost, most=6e10)], allowed) == ((0, 0), (0, 0))


def test_objective_adds_activation_step_and_alpha_times_weight_step() -> None:
    w, a = np.array([[0.3, 0.2]]), np.array([[0.5, 0.4]])
    np.testing.assert_allclose(objective(w, a, 2.0), [[[1.1, 1.0], [0.9, 0.8]]])


def test_a_narrower_width_with_a_smaller_step_is_erased() -> None:
    steps = np.array([[0.4, 0.1, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    erased = erase_outliers(steps)
    assert (erased != steps).tolist() == [[False, True, False, False], [False] * 4]
    assert erased[0, 1] > steps.sum()


def resnet50() -> dict[str, tuple[int, float]]:
    """Layer -> (weights, MACs) as the authors count them: output sizes are not rounded down."""
    layers: dict[str, tuple[int, float]] = {}
    inputs, size = 64, 56
    for stage, (planes, blocks, first) in enumerate(
        ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)), start=1
    ):
        for block in range(blocks):
            stride = first if block == 0 else 1
            name = f"module.layer{stage}.{block}"
            middle, side = (size - 1) / stride + 1, (size - 1) / stride + 1
            parts = {
                "conv1": (inputs * planes, float(size)),
                "conv2": (9 * planes * planes, middle),
                "conv3": (4 * planes * planes, float(size // stride)),
            }
            if block == 0:
                parts["downsample.0"] = (4 * inputs * planes, side)
            for part, (weights, width) in parts.items():
                layers[f"{name}.{part}"] = (weights, weights * width**2)
            inputs, size = 4 * planes, size // stride
    return layers


if INDICATORS.exists():

    def test_authors_resnet50_policy_is_reproduced_whole() -> None:
        """alpha 2, BitOps of W3A4, compression 12.2, first and last layer at 8 bits."""
        steps = json.loads(INDICATORS.read_text())["indicators"]
        bits, names = (2, 3, 4, 5, 6), list(steps["weight"])
        w, a = (
            np.array([[steps[kind][name][str(b)] for b in bits] for name in names])
            for kind in ("weight", "act")
        )
        geometry = resnet50()
        weights = np.array([float(geometry[name][0]) for name in names])
        macs = np.array([geometry[name][1] for name in names])
        width = np.array(bits, dtype=np.float64)
        bitops = macs[:, None, None] * width[None, :, None] * width[None, None, :]
        size = np.broadcast_to(weights[:, None, None] * width[None, :, None], bitops.shape)
        ends = 64 * 147 + 2048 * 1000
        limits = [
            Limit(table=bitops, most=float(macs.sum() * 3 * 4)),
            Limit(table=size, most=32 * (weights.sum() + ends) / 12.2 - 8 * ends),
        ]
        value = objective(w, a, 2.0)
        picks = choose(value, limits, np.ones(value.shape, dtype=np.bool_))
        assert "".join(str(bits[i]) for i, _ in picks) == WEIGHT_BITS
        assert "".join(str(bits[j]) for _, j in picks) == ACT_BITS
        assert round(total(value, picks), 6) == 4.617439

"""LIMPQ's integer program on what its authors published for ResNet-50: their policy, whole."""

import json
from pathlib import Path

import numpy as np
import pytest

from bitfold.search.ilp import Floats, Limit, choose, highs, total
from bitfold.search.limpq import objective

# The published step sizes rounded to five decimals (their licence stands in the file), which leave
# every bit as it is; and the file itself, not part of this repository.
ROUNDED = Path(__file__).parent / "limpq_resnet50.json"
INDICATORS = Path(__file__).parents[5] / "shared" / "methods" / "limpq_resnet50_indicators.json"

BITS = (2, 3, 4, 5, 6)
WEIGHT_BITS = "6345445445434333443443432323233223" + "2" * 18
ACT_BITS = "6466634634535563453453444655455465356356364462646646"


def resnet50() -> dict[str, tuple[int, float]]:
    """Layer -> (weights, MACs) as the authors count them: output sizes are not rounded down."""
    layers: dict[str, tuple[int, float]] = {}
    inputs, size = 64, 56
    for stage, (planes, blocks, first) in enumerate(
        ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)), start=1
    ):
        for block in range(blocks):
            stride = first if block == 0 else 1
            name = f"layer{stage}.{block}"
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


def limits(names: list[str]) -> list[Limit]:
    """BitOps of 3-bit weights and 4-bit activations, compression 12.2, first and last at 8 bits."""
    geometry = resnet50()
    weights = np.array([float(geometry[name][0]) for name in names])
    macs = np.array([geometry[name][1] for name in names])
    width = np.array(BITS, dtype=np.float64)
    bitops = macs[:, None, None] * width[None, :, None] * width[None, None, :]
    size = np.broadcast_to(weights[:, None, None] * width[None, :, None], bitops.shape)
    ends = 64 * 147 + 2048 * 1000
    return [
        Limit(table=bitops, most=float(macs.sum() * 3 * 4)),
        Limit(table=size, most=32 * (weights.sum() + ends) / 12.2, fixed=(8.0 * ends,)),
    ]


def policy(value: Floats, names: list[str], solve: object = choose) -> tuple[str, str, float]:
    """Weight bits, activation bits, and the objective."""
    picks = solve(value, limits(names), np.ones(value.shape, dtype=np.bool_))
    w, a = ("".join(str(BITS[i]) for i in column) for column in zip(*picks, strict=True))
    return w, a, total(value, picks)


@pytest.mark.parametrize("solve", [choose, highs.choose])
def test_the_authors_policy_is_reproduced_whole(solve: object) -> None:
    steps = json.loads(ROUNDED.read_text())
    w, a = (np.array([*steps[kind].values()]) / 1e5 for kind in ("weight", "act"))
    found = policy(objective(w, a, 2.0), list(steps["weight"]), solve)
    assert found[:2] == (WEIGHT_BITS, ACT_BITS)
    assert found[2] == pytest.approx(4.617439, abs=1e-4)  # the rounding leaves so much


def published() -> tuple[Floats, Floats]:
    """Weight and activation steps as published. Shape (layers, bits)."""
    steps = json.loads(INDICATORS.read_text())["indicators"]
    w, a = (
        np.array([[steps[kind][f"module.{name}"][str(b)] for b in BITS] for name in resnet50()])
        for kind in ("weight", "act")
    )
    return w, a


if INDICATORS.exists():

    def test_the_objective_of_the_published_file_is_reproduced_to_the_last_digit() -> None:
        found = policy(objective(*published(), 2.0), list(resnet50()))
        assert found[:2] == (WEIGHT_BITS, ACT_BITS)
        assert round(found[2], 6) == 4.617439

    def test_another_alpha_changes_as_many_entries_as_it_should() -> None:
        """No figures of the authors: what both solvers find to be the best."""
        counts = {}
        for alpha in (1.0, 1.5, 2.5, 3.0, 5.0):
            value, names = objective(*published(), alpha), list(resnet50())
            found = policy(value, names)
            assert found == policy(value, names, highs.choose)
            counts[alpha] = [
                sum(x != y for x, y in zip(came, wanted, strict=True))
                for came, wanted in zip(found[:2], (WEIGHT_BITS, ACT_BITS), strict=True)
            ]
        assert counts == {1.0: [20, 23], 1.5: [7, 12], 2.5: [0, 0], 3.0: [9, 11], 5.0: [15, 13]}

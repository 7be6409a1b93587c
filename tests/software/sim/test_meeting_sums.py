"""Sums that no quantiser stands behind meet: added, subtracted, side by side; cycles and all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.compile import compile_model
from bitfold.sim.verify import verify_design
from qonnx_nets import Net, grid

pytestmark = pytest.mark.rtl


def two(net: Net, rng: np.random.Generator, scales: tuple[float, float], signed: int = 1) -> str:
    """Two convolutions of one value; the name of the first, and the second last."""
    start = net.last
    wide, point = rng.normal(size=(4, 2, 3, 3)), rng.normal(size=(4, 2, 1, 1))
    if not signed:
        wide, point = abs(wide), abs(point)
    more = {"signed": signed, "narrow": signed}
    net.conv(wide, 3, scales[0], pads=[1, 1, 1, 1], **more)
    first = net.last
    net.last = start
    net.conv(point, 4, scales[1], **more)
    return first


def added(net: Net, rng: np.random.Generator) -> None:
    net.node("Add", two(net, rng, (0.5, 0.125))).node("Relu").quant(3, 0.5)


def positive(net: Net, rng: np.random.Generator) -> None:
    net.node("Add", two(net, rng, (0.25, 0.25), signed=0)).quant(3, 0.5)


def with_codes(net: Net, rng: np.random.Generator) -> None:
    """And what scales that float32 rounds: the sum is rounded once."""
    net.conv(rng.normal(size=(4, 2, 1, 1)), 3, 0.3).quant(4, 0.1, signed=1)
    codes = net.last
    net.conv(rng.normal(size=(4, 4, 1, 1)), 3, 1.0).node("Sub", codes).quant(3, 0.7, signed=1)


def beside(net: Net, rng: np.random.Generator) -> None:
    net.node("Concat", two(net, rng, (0.5, 0.125)), axis=1).node("Relu").quant(3, 0.5)
    net.conv(rng.normal(size=(2, 8, 1, 1)), 3, 0.25)


def leaving(net: Net, rng: np.random.Generator) -> None:
    net.node("Concat", two(net, rng, (0.25, 0.25)), axis=1)


@pytest.mark.parametrize("joined", [added, positive, with_codes, beside, leaving])
def test_integers_and_cycles(
    joined: Callable[[Net, np.random.Generator], None], tmp_path: Path, verilator_cache: Path
) -> None:
    rng = np.random.default_rng(0)
    net = Net(2, 5, 5).quant(4, 0.25)
    joined(net, rng)
    path = net.save(tmp_path, rank=4)
    design = compile_model(path, tmp_path / "design", fps=20_000)
    x = grid(rng, (40, 2, 5, 5), 0.25)
    assert compare(path, design.graph(), x, qonnx_samples=1).mismatches == 0
    verified = verify_design(
        tmp_path / "design", frames=6, protocol_frames=2, cache=verilator_cache
    )
    assert verified.exact

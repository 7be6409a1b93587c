"""Files that pad, repeat and rearrange pixels: the accelerator's integers and cycles."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.compile import compile_model
from bitfold.cost.stages import Pad, Upscale
from bitfold.sim.verify import verify_design
from qonnx_nets import Net, grid, random_bn

pytestmark = pytest.mark.rtl


def network(rng: np.random.Generator, mode: str) -> Net:
    """Convolutions with depth to space, nearest neighbour and zeros around between them."""
    net = Net(2, 3, 4).quant(4, 0.25, signed=1)
    net.conv(rng.normal(size=(8, 2, 3, 3)), 3, 0.25, pads=[1, 1, 1, 1]).bn(*random_bn(rng, 8))
    net.node("Relu").quant(3, 0.5).node("DepthToSpace", blocksize=2, mode=mode)
    net.conv(rng.normal(size=(4, 2, 2, 2)), 3, 0.25).quant(2, 0.5)
    net.node(
        *("Resize", np.zeros(0), np.array([1.0, 1, 2, 3])),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    net.shape_node("Pad", [0, 0, 1, 0, 0, 0, 2, 1]).conv(rng.normal(size=(3, 4, 1, 1)), 3, 0.25)
    return net.quant(3, 0.5, signed=1).shape_node("Pad", [0, 1, 1, 2, 0, 0, 0, 1])


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_integers_and_cycles(mode: str, tmp_path: Path, verilator_cache: Path) -> None:
    rng = np.random.default_rng(0)
    path = network(rng, mode).save(tmp_path, rank=4)
    design = compile_model(path, tmp_path / "design", fps=2_000)
    kinds = [type(stage) for stage in design.stages]
    assert kinds.count(Upscale) == 2
    assert kinds.count(Pad) == 2
    x = grid(rng, (8, 2, 3, 4), 0.25, -9, 9)
    assert compare(path, design.graph(), x, qonnx_samples=1).mismatches == 0
    verified = verify_design(
        tmp_path / "design", frames=8, protocol_frames=3, cache=verilator_cache
    )
    assert verified.exact

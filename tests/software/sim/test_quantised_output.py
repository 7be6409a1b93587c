"""Networks that end in a quantiser: QONNX to the accelerator's integers and cycles."""

from pathlib import Path

import numpy as np
import pytest

from bitfold.compiler.compile import compile_model
from bitfold.sim.verify import verify_design
from qonnx_nets import Net

pytestmark = pytest.mark.rtl
RNG = np.random.default_rng(5)


def unsigned_dense() -> Net:
    net = Net(12).quant(3, 1.0, signed=1).gemm(RNG.normal(0, 2, (8, 12)), 3, 1.0)
    net.node("Relu").quant(2, 4.0)
    return net.gemm(RNG.normal(0, 2, (6, 8)), 3, 1.0).node("Relu").quant(4, 1.5)


def signed_convolution() -> Net:
    net = Net(2, 5, 4).quant(3, 1.0).conv(RNG.normal(0, 2, (6, 2, 3, 2)), 3, 1.0, pads=[1, 0, 1, 1])
    return net.quant(5, 3.0, signed=1, narrow=1)


def pooled() -> Net:
    """Signed codes with a pool behind them, scaled for the host."""
    net = Net(1, 6, 6).quant(2, 1.0).conv(RNG.normal(0, 2, (4, 1, 3, 3)), 4, 1.0)
    net.quant(3, 4.0, signed=1).node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    return net.node("Mul", 0.5)


def bipolar() -> Net:
    """Signs behind a layer of signs; several words a vector."""
    net = Net(16).bipolar().gemm(RNG.normal(0, 1, (12, 16)), 0, 1.0).bipolar()
    return net.gemm(RNG.normal(0, 2, (9, 12)), 2, 1.0).node("Add", 0.5).bipolar(0.25)


@pytest.mark.parametrize(
    ("net", "bits", "signed", "fps"),
    [
        (unsigned_dense, 4, False, 3_000_000),
        (signed_convolution, 5, True, 100_000),
        (pooled, 3, True, 20_000),
        (bipolar, 2, True, 4_000_000),
    ],
    ids=["unsigned", "signed", "pooled", "bipolar"],
)
def test_codes_leave_as_integers_in_their_cycles(
    *, net, bits, signed, fps, tmp_path: Path, verilator_cache: Path
) -> None:
    made = net()
    model = made.save(tmp_path, rank=len(made.shape) + 1)
    x = RNG.normal(0, 4, (30, *made.shape)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    samples = tmp_path / "x.npz"
    design = compile_model(model, tmp_path / "design", fps=fps, samples=samples)
    assert (design.output["bits"], design.output["signed"]) == (bits, signed)
    assert design.checked is not None
    assert design.checked["mismatches"] == design.checked["qonnx_mismatches"] == 0
    found = verify_design(
        design.folder, samples=samples, frames=16, protocol_frames=4, cache=verilator_cache
    )
    assert found.exact
    assert found.outputs == design.output["count"] * (16 + 2 * 4)

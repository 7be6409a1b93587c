"""A convolutional network of the demo's shape (runs/digits.toml), with drawn weights, as QONNX."""

from pathlib import Path

import numpy as np
import onnx

from qonnx_nets import Net, random_bn

CHANNELS = (16, 16, 32)
POOLED = (2, 3)  # layers with a pool behind them
BITS = ((4, 3), (3, 2), (2, 4), (5, 0))  # of weights, of the activations behind; 0: integers


def demo_model(path: Path, *, seed: int = 0) -> Path:
    """Write the network to `path`: 5-bit digits of 8 x 8 pixels in, 10 integers out.

    Weights are normal, as trained ones are, and the batch norms spread what they give over the
    codes.
    """
    rng = np.random.default_rng(seed)
    net = Net(1, 8, 8).quant(5, 0.5)
    inputs = 1
    for number, outputs in enumerate(CHANNELS, start=1):
        w_bits, a_bits = BITS[number - 1]
        weights = rng.normal(0, 0.25 * 2**w_bits, (outputs, inputs, 3, 3))
        net.conv(weights, w_bits, 1.0, pads=[1, 1, 1, 1]).bn(*_spread(rng, outputs, inputs * 9))
        net.node("Relu").quant(a_bits, 0.25)
        if number in POOLED:
            net.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        inputs = outputs
    w_bits = BITS[-1][0]
    net.shape_node("Flatten")
    net.gemm(rng.normal(0, 0.25 * 2**w_bits, (10, 4 * inputs)), w_bits, 1.0)
    path.write_bytes(net.model().SerializeToString())
    onnx.checker.check_model(onnx.load(path))
    return path


def _spread(rng: np.random.Generator, channels: int, inputs: int) -> tuple[np.ndarray, ...]:
    """A batch norm that brings the sums of `inputs` products into the range of small codes."""
    gamma, beta, mean, variance = random_bn(rng, channels)
    return gamma, beta, mean * inputs**0.5, variance * 8 * inputs

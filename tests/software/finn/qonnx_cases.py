"""Small QONNX networks that FINN's default steps take, or leave layers of unmapped."""

from collections.abc import Callable

import numpy as np
import onnx

from qonnx_nets import Net


def _weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-3, 4, shape) * 0.25


def _conv(net: Net, group: int = 1) -> Net:
    window = {"kernel_shape": [3, 3], "pads": [1] * 4, "group": group}
    return net.conv(_weights(4, 4 // group, 3, 3), 3, 0.25, **window)


def _codes(net: Net, scale: object) -> Net:
    return net.node("Relu").quant(4, scale)


def _start(scale: object) -> Net:
    return _codes(_conv(Net(4, 6, 6).quant(4, 0.5)), scale)


def _end(net: Net) -> onnx.ModelProto:
    _codes(net, 0.6).shape_node("Flatten").gemm(_weights(3, 144), 3, 0.25)
    return net.model()


def chain() -> onnx.ModelProto:
    return _end(_conv(_conv(_start(0.3), 4).quant(4, 0.3)))


def branches(scale: float = 0.3) -> onnx.ModelProto:
    net = _start(scale)
    other = net.last
    return _end(_conv(net).quant(5, scale, signed=1).node("Add", other))


def branches_of_scale_one() -> onnx.ModelProto:
    return branches(1.0)


def channels() -> onnx.ModelProto:
    return _end(_conv(_start(np.array([0.3, 0.2, 0.4, 0.5]).reshape(1, 4, 1, 1)), 4))


def padded_signs() -> onnx.ModelProto:
    return _end(_conv(_conv(Net(4, 6, 6).quant(4, 0.5)).bipolar()))


TAKEN: tuple[Callable[[], onnx.ModelProto], ...] = (chain, branches_of_scale_one)
LEFT: tuple[Callable[[], onnx.ModelProto], ...] = (branches, channels)

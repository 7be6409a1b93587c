"""Branching networks as Brevitas exports them, by its older exporter and by its newer one."""

import contextlib
import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.export import to_qonnx
from bitfold.ir import quantise_input, run
from bitfold.ir.ops import Concat, Conv, Sum, SumPool, Threshold, Upsample
from bitfold.models import cifar_resnet, mobilenet_v2
from bitfold.quant import quantise, settle, trace

with contextlib.suppress(DeprecationWarning):
    import brevitas.nn as qnn
    import brevitas.quant as bq

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def unsigned(bits: int) -> nn.Module:
    kind = bq.Uint8ActPerTensorFloat
    return qnn.QuantIdentity(act_quant=kind, bit_width=bits, return_quant_tensor=True)


def signed(bits: int, **more) -> nn.Module:
    return qnn.QuantIdentity(bit_width=bits, return_quant_tensor=True, **more)


def relu(bits: int, **more) -> nn.Module:
    return qnn.QuantReLU(bit_width=bits, return_quant_tensor=True, **more)


def conv(inputs: int, outputs: int, kernel: int, bits: int = 4, **more) -> nn.Module:
    more = {"bias": False, **more}
    return qnn.QuantConv2d(inputs, outputs, kernel, weight_bit_width=bits, **more)


def dense(inputs: int, outputs: int, **more) -> nn.Module:
    return qnn.QuantLinear(inputs, outputs, weight_bit_width=4, **{"bias": True, **more})


class Residual(nn.Module):
    """A block whose sum is made by QuantEltwiseAdd, or by one quantiser on both branches."""

    def __init__(self, eltwise: bool) -> None:
        super().__init__()
        self.start = nn.Sequential(
            unsigned(8), conv(2, 6, 3, padding=1), nn.BatchNorm2d(6), relu(4)
        )
        self.body = nn.Sequential(conv(6, 6, 3, padding=1), nn.BatchNorm2d(6))
        kind = bq.Int8ActPerTensorFloat
        eltwise_add = qnn.QuantEltwiseAdd(input_quant=kind, output_quant=None)
        self.eltwise, self.join = eltwise, eltwise_add if eltwise else signed(8)
        self.end = nn.Sequential(
            relu(4), nn.AdaptiveAvgPool2d(1), unsigned(6), nn.Flatten(), dense(6, 5)
        )

    def forward(self, x):
        x = self.start(x)
        y = self.body(x)
        return self.end(self.join(y, x) if self.eltwise else self.join(y) + self.join(x))


class Joined(nn.Module):
    """Two branches behind one another, quantised alike or once more behind."""

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.quant = unsigned(8)
        self.left, self.right = conv(3, 4, 1), conv(3, 5, 3, padding=1)
        self.relus = nn.ModuleList([relu(4)] * 2 if shared else [relu(4), relu(5)])
        self.behind = None if shared else unsigned(4)
        self.end = nn.Sequential(conv(9, 4, 3), relu(4), nn.Flatten(), dense(16, 3))

    def forward(self, x):
        x = self.quant(x)
        pair = zip(self.relus, (self.left, self.right), strict=True)
        codes = [relu(layer(x)) for relu, layer in pair]
        x = torch.cat([getattr(c, "value", c) for c in codes], 1)
        return self.end(x if self.behind is None else self.behind(x))


def depthwise() -> nn.Module:
    return nn.Sequential(
        *(signed(8), conv(3, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), relu(3)),
        *(conv(6, 6, 3, groups=6, padding=1), nn.BatchNorm2d(6), relu(4)),
        *(conv(6, 8, 1), nn.BatchNorm2d(8), relu(5), nn.AvgPool2d(2), relu(4), nn.Flatten()),
        dense(32, 4, bias_quant=bq.Int32Bias),
    )


def truncated(**more) -> nn.Module:
    pool = qnn.TruncAvgPool2d(3, bit_width=4, **more)
    return nn.Sequential(
        *(signed(8), conv(3, 6, 3), nn.BatchNorm2d(6), relu(4), pool),
        *(conv(6, 4, 1), relu(4), nn.Flatten(), dense(16, 4)),
    )


def one_dimensional() -> nn.Module:
    first = qnn.QuantConv1d(3, 6, 3, weight_bit_width=4, bias=False, padding=1)
    second = qnn.QuantConv1d(6, 6, 3, groups=6, weight_bit_width=4, bias=True)
    return nn.Sequential(
        *(signed(8), first, nn.BatchNorm1d(6), relu(4), nn.MaxPool1d(2)),
        *(second, relu(4), nn.AvgPool1d(2), relu(4), nn.Flatten(), dense(12, 4)),
    )


def rounded() -> nn.Module:
    return nn.Sequential(
        *(signed(8, float_to_int_impl_type="floor"), conv(3, 6, 3), nn.BatchNorm2d(6)),
        *(relu(4, float_to_int_impl_type="ceil"), conv(6, 6, 1)),
        *(relu(4, float_to_int_impl_type="round_to_zero"), nn.Flatten(), dense(216, 4)),
    )


def larger() -> nn.Module:
    first = conv(3, 6, 3, weight_quant=bq.Int8WeightPerChannelFloat, bias=True)
    return nn.Sequential(
        *(signed(8), first, relu(4), nn.Upsample(scale_factor=2, mode="nearest")),
        *(conv(6, 4, 3), relu(4), nn.PixelShuffle(2)),
    )


def bipolar() -> nn.Module:
    sign, kind = bq.SignedBinaryActPerTensorConst, bq.SignedBinaryWeightPerTensorConst
    ternary = bq.SignedTernaryWeightPerTensorConst
    return nn.Sequential(
        *(qnn.QuantIdentity(act_quant=sign), conv(3, 6, 3, 1, weight_quant=kind, padding=1)),
        *(nn.BatchNorm2d(6), qnn.QuantIdentity(act_quant=sign), nn.MaxPool2d(2), nn.Flatten()),
        qnn.QuantLinear(96, 4, weight_quant=ternary, bias=False),
    )


Make = Callable[[], nn.Module]
NETS: dict[str, tuple[Make, tuple[int, ...], dict[type, int]]] = {
    "eltwise": (lambda: Residual(True), (2, 8, 8), {Sum: 1, SumPool: 1}),
    "shared quantiser": (lambda: Residual(False), (2, 8, 8), {Sum: 1, SumPool: 1}),
    "concatenation": (lambda: Joined(True), (3, 4, 4), {Concat: 1}),
    "concatenation, then quantised": (lambda: Joined(False), (3, 4, 4), {Concat: 1}),
    "depthwise": (depthwise, (3, 8, 8), {SumPool: 1, Conv: 3}),
    "truncated": (truncated, (3, 8, 8), {SumPool: 1}),
    "truncated, floor": (
        lambda: truncated(float_to_int_impl_type="floor"),
        (3, 8, 8),
        {SumPool: 1},
    ),
    "one-dimensional": (one_dimensional, (3, 12), {SumPool: 1}),
    "rounding": (rounded, (3, 8, 8), {Threshold: 2}),
    "larger": (larger, (3, 6, 6), {Upsample: 1}),
    # The padded convolution reads signs that have a zero: thresholds behind the input.
    "bipolar": (bipolar, (3, 8, 8), {Threshold: 2}),
}


def settled(model: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """A few passes for the scales, and batch norms of both signs."""
    for _ in range(3):
        model(torch.rand(8, *shape))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias, std=0.1)
    return model.eval()


NEWER = ("eltwise", "concatenation", "depthwise", "truncated", "larger")


@pytest.mark.parametrize(
    ("name", "dynamo"), [*((name, False) for name in NETS), *((name, True) for name in NEWER)]
)
def test_integers_equal_qonnx_and_torch(tmp_path, name, dynamo):
    from brevitas.export import export_qonnx

    make, shape, counts = NETS[name]
    torch.manual_seed(0)
    model = settled(make(), shape)
    path = tmp_path / "m.onnx"
    with contextlib.redirect_stdout(io.StringIO()):
        export_qonnx(model, args=torch.rand(1, *shape), export_path=str(path), dynamo=dynamo)
    x = torch.rand(20, *shape) * 1.5 - 0.5
    with torch.no_grad():
        want = model(x)
    graph = run_pipeline(read_qonnx(path))
    found = compare(path, graph, x.numpy(), qonnx_samples=1)
    assert (found.mismatches, found.qonnx_mismatches) == (0, 0)
    for kind, count in counts.items():
        assert sum(isinstance(n.op, kind) for n in graph.nodes) == count
    ours = graph.output_map.to_real(run(graph, quantise_input(graph, x.numpy())))
    reals = getattr(want, "value", want).numpy().reshape(ours.shape)
    np.testing.assert_allclose(ours, reals, rtol=1e-4, atol=1e-5)
    assert len(np.unique(ours)) > 10


SHAPE = (3, 16, 16)
OURS: dict[str, Make] = {
    "resnet20": lambda: cifar_resnet(SHAPE, 10, 20, 4),
    "mobilenet_v2": lambda: mobilenet_v2(SHAPE, 10, 0.25, ((1, 16, 1, 1), (6, 24, 2, 2))),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_our_networks_at_a_random_mixed_policy(tmp_path, name):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = OURS[name]()
    layers = trace(model, SHAPE)
    bits = {layer.name: tuple(int(b) for b in rng.integers(2, 5, 2)) for layer in layers}
    bits[layers[0].name] = bits[layers[-1].name] = (8, 8)
    handles = quantise(model, layers, bits)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    model.train()
    for _ in range(2):
        optimiser.zero_grad()
        model(torch.rand(8, *SHAPE)).square().mean().backward()
        optimiser.step()
    settle(model, handles)
    path = tmp_path / "m.onnx"
    path.write_bytes(to_qonnx(model.eval(), SHAPE).SerializeToString())
    graph = run_pipeline(read_qonnx(path))
    x = rng.random((4, *SHAPE), dtype=np.float32)
    found = compare(path, graph, x, qonnx_samples=1)
    assert (found.mismatches, found.qonnx_mismatches) == (0, 0)
    widths = [n.op.weights.bits for n in graph.nodes if isinstance(n.op, Conv)]
    wanted = [bits[layer.name][0] for layer in layers[:-1]]
    assert sorted(widths) == sorted(wanted)
    ours = graph.output_map.to_real(run(graph, quantise_input(graph, x)))
    with torch.no_grad():
        want = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours, want, rtol=1e-4, atol=1e-5)

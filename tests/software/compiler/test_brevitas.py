"""What Brevitas exports: accumulators, scales and names as it writes them."""

import numpy as np
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import UnsupportedOp

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def export(path, *layers, shape):
    import torch
    from brevitas.export import export_qonnx

    torch.manual_seed(0)
    model = torch.nn.Sequential(*layers)
    for _ in range(3):
        model(torch.rand(8, *shape))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias, std=0.1)
    export_qonnx(model.eval(), args=torch.rand(1, *shape), export_path=str(path), dynamo=False)
    x = torch.rand(60, *shape)
    return x.numpy(), model(x).detach().numpy()


def test_convnet_with_batch_norm_and_an_integer_bias(tmp_path):
    import brevitas.nn as qnn
    from brevitas.quant import Int32Bias, Uint8ActPerTensorFloat
    from torch import nn

    x, want = export(
        tmp_path / "m.onnx",
        qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=5, return_quant_tensor=True),
        qnn.QuantConv2d(1, 6, 3, padding=1, bias=False, weight_bit_width=3),
        nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=3, return_quant_tensor=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        qnn.QuantLinear(96, 10, bias=True, weight_bit_width=4, bias_quant=Int32Bias),
        shape=(1, 8, 8),
    )
    graph = run_pipeline(read_qonnx(tmp_path / "m.onnx"))
    found = compare(tmp_path / "m.onnx", graph, x)
    assert (found.mismatches, found.qonnx_mismatches) == (0, 0)
    from bitfold.ir import quantise_input, run

    ours = graph.output_map.to_real(run(graph, quantise_input(graph, x)))
    np.testing.assert_allclose(ours, want, rtol=1e-4, atol=1e-5)


def test_one_bit_relu_is_refused(tmp_path):
    import brevitas.nn as qnn

    export(
        tmp_path / "m.onnx",
        qnn.QuantIdentity(bit_width=4, return_quant_tensor=True),
        qnn.QuantLinear(6, 5, bias=False, weight_bit_width=3),
        qnn.QuantReLU(bit_width=1, return_quant_tensor=True),
        qnn.QuantLinear(5, 4, bias=False, weight_bit_width=3),
        shape=(6,),
    )
    with pytest.raises(UnsupportedOp, match="stands behind a Relu"):
        read_qonnx(tmp_path / "m.onnx")

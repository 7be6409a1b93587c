"""Brevitas layers with our LSQ quantiser injected.

Brevitas supplies the layers, the bias quantiser and the QONNX export; LSQ goes in as the
`tensor_quant` of its proxies. Brevitas' own learned scale has neither a step per bit-width nor
LSQ's gradient scale, which LIMPQ's indicators are made of.
"""

import warnings
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import relu6

with warnings.catch_warnings():
    # Brevitas warns of an optional package and of its own syntax while it is imported.
    warnings.simplefilter("ignore")
    from brevitas.inject import ExtendedInjector
    from brevitas.nn import (
        QuantConv2d,
        QuantIdentity,
        QuantLinear,
        QuantReLU,
    )
    from brevitas.nn.quant_layer import (
        QuantNonLinearActLayer,
    )
    from brevitas.proxy import (
        ActQuantProxyFromInjector,
        WeightQuantProxyFromInjector,
    )
    from brevitas.quant import Int32Bias

    # Its layers strip tensor names at every call, of which torch warns once per process: here.
    torch.zeros(1).rename(None)

from bitfold.quant.lsq import LSQ

_WEIGHT = ExtendedInjector.let(
    proxy_class=WeightQuantProxyFromInjector,
    signed=True,
    narrow_range=False,
    float_to_int_impl_type="ROUND",
)
_ACTIVATION = ExtendedInjector.let(
    proxy_class=ActQuantProxyFromInjector,
    narrow_range=False,
    float_to_int_impl_type="ROUND",
)


@final
class _Clip(nn.Module):
    """ReLU6 under another name: Brevitas drops nn.ReLU6 and leaves the range to the quantiser.

    The clip must stay, so that large values saturate as in the float network.
    """

    def __init__(self) -> None:  # without it, Brevitas' injector refuses the class
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """x limited to 0..6."""
        return relu6(x)


def quant_layer(layer: nn.Module, quantiser: LSQ, *, whole_bias: bool) -> nn.Module:
    """The Brevitas layer for a Conv2d or Linear, with its weights and `quantiser` for them.

    With `whole_bias` a bias is rounded to multiples of input scale x weight scale, so that the
    outputs are integers times one scale; the input must then carry its scale.
    """
    bias = layer.bias is not None
    bias_quant = Int32Bias if bias and whole_bias else None
    weight_quant = _WEIGHT.let(tensor_quant=quantiser)
    made: nn.Module
    if isinstance(layer, nn.Conv2d):
        made = QuantConv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
            bias=bias,
            weight_quant=weight_quant,
            bias_quant=bias_quant,
        )
    else:
        assert isinstance(layer, nn.Linear)
        made = QuantLinear(
            layer.in_features,
            layer.out_features,
            bias=bias,
            weight_quant=weight_quant,
            bias_quant=bias_quant,
        )
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            made.get_parameter(name).copy_(parameter)
    return made


def quant_activation(layer: nn.Module, quantiser: LSQ, *, scaled: bool) -> nn.Module:
    """A quantiser behind the ReLU, the ReLU6 or the Identity that `layer` is.

    `scaled` outputs carry their scale.
    """
    quantiser.of_batch = True
    act_quant = _ACTIVATION.let(tensor_quant=quantiser, signed=quantiser.signed)
    made: nn.Module
    if isinstance(layer, nn.ReLU6):
        made = QuantNonLinearActLayer(
            act_impl=_Clip,
            passthrough_act=True,
            input_quant=None,
            act_quant=act_quant,
            return_quant_tensor=scaled,
        )
    else:
        kind = QuantReLU if isinstance(layer, nn.ReLU) else QuantIdentity
        made = kind(act_quant=act_quant, return_quant_tensor=scaled)
    return made

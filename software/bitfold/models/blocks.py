"""What the convolutional networks are put together from."""

from torch import nn


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution with zero padding of kernel // 2 and no bias, because BatchNorm follows."""
    return nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )


def initialise(model: nn.Module) -> None:
    """Draw convolution weights after He et al. 2015, arXiv:1502.01852 (backward form), in place."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

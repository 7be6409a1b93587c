"""[model] of the run file: one class a network family."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bitfold.runfile.section import Section

Width = Annotated[float, Field(gt=0, le=4)]


class Network(Section):
    """What the sections of all networks share."""

    weights: Path | None = Field(
        default=None,
        description="float weights to start from: a state dict of this very network, in a .pt, "
        ".pth or .safetensors file; relative to the run file",
    )


class ConvNet(Network):
    """[model] name = "convnet": convolutions with BatchNorm and ReLU, pools, one dense layer."""

    name: Literal["convnet"] = Field(description="network family")
    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(16, 16, 32), min_length=1, description="output channels of each convolution"
    )
    pools: tuple[int, ...] = Field(
        default=(2, 3), description="convolutions (from 1) that a 2x2 max-pool follows"
    )
    kernel: Literal[1, 3, 5, 7] = Field(default=3, description="kernel height and width")


class Mlp(Network):
    """[model] name = "mlp": dense layers with BatchNorm and ReLU."""

    name: Literal["mlp"] = Field(description="network family")
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(64, 64), min_length=1, description="widths of the hidden layers"
    )


class CifarResNet(Network):
    """[model] name = "resnet20" and its like: small ResNets for images of about 32x32."""

    name: Literal["resnet8", "resnet20", "resnet32", "resnet44", "resnet56"] = Field(
        description="network family and depth"
    )
    width: int = Field(default=16, ge=2, description="channels of the first of three stages")
    option: Literal["A", "B"] = Field(
        default="A", description="shortcuts that change size: A without weights, B convolutions"
    )


class ResNet(Network):
    """[model] name = "resnet18" or "resnet50": torchvision's ResNets, for images of 224x224."""

    name: Literal["resnet18", "resnet50"] = Field(description="network family and depth")
    width: int = Field(default=64, ge=1, description="channels of the first of four stages")


class Vgg19(Network):
    """[model] name = "vgg19": 16 convolutions with BatchNorm, one dense layer; 32x32 images."""

    name: Literal["vgg19"] = Field(description="network family")
    width: Width = Field(default=1.0, description="multiplies all channels")


class MobileNet(Network):
    """[model] name = "mobilenet_v1" or "mobilenet_v2": depthwise-separable convolutions."""

    name: Literal["mobilenet_v1", "mobilenet_v2"] = Field(description="network family")
    width: Width = Field(default=1.0, description="multiplies all channels")


Model = ConvNet | Mlp | CifarResNet | ResNet | Vgg19 | MobileNet

"""[model] of the run file: one class a network."""

from typing import Annotated, Literal

from pydantic import Field

from bitfold.runfile.section import Section


class ConvNet(Section):
    """[model] name = "convnet": convolutions with BatchNorm and ReLU, pools, one dense layer."""

    name: Literal["convnet"] = Field(description="network family")
    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(16, 16, 32), min_length=1, description="output channels of each convolution"
    )
    pools: tuple[int, ...] = Field(
        default=(2, 3), description="convolutions (from 1) that a 2x2 max-pool follows"
    )
    kernel: Literal[1, 3, 5, 7] = Field(default=3, description="kernel height and width")


class Mlp(Section):
    """[model] name = "mlp": dense layers with BatchNorm and ReLU."""

    name: Literal["mlp"] = Field(description="network family")
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(64, 64), min_length=1, description="widths of the hidden layers"
    )

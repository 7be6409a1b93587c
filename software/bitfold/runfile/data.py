"""[data] of the run file."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from bitfold.runfile.section import Section


class Data(Section):
    """[data]: what to learn from."""

    name: Literal[
        "digits", "mnist", "fashion_mnist", "cifar10", "mnist16", "fashion_mnist16", "cifar16"
    ] = Field(description="data set; those that end in 16 are resized to 16x16")
    root: Path | None = Field(
        default=None, description="folder with torchvision's files; else the variable BITFOLD_DATA"
    )
    augment: Literal["none", "shift", "shift_flip"] = Field(
        default="none", description="change of training images: by 1 pixel, or by 1/8 and mirrored"
    )

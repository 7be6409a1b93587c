"""[data] of the run file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bitfold.runfile.section import Section

Quality = Annotated[str, Field(pattern="^(clean|[a-z_]+:[1-5])$")]


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
    images: int | None = Field(
        default=None,
        ge=2,
        description="first images of each split to use, to try a run; else all",
    )
    qualities: tuple[Quality, ...] = Field(
        default=(),
        description='every image in each of these: "clean", or a corruption of CIFAR-10-C and its '
        'severity, "gaussian_noise:3"; none leaves the data as it is',
    )

    @field_validator("qualities")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("must not name a quality twice")
        return value

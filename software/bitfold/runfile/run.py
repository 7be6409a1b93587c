"""The whole run file, and the tables that the parser reads it by."""

from collections.abc import Mapping

from pydantic import Field

from bitfold.runfile.budget import BudgetSection
from bitfold.runfile.data import Data
from bitfold.runfile.hardware import Hardware
from bitfold.runfile.model import (
    CifarResNet,
    ConvNet,
    Mlp,
    MobileNet,
    Model,
    ResNet,
    Vgg19,
)
from bitfold.runfile.search import SEARCHES, Search
from bitfold.runfile.section import Section
from bitfold.runfile.train import Train


class RunFile(Section):
    """A whole run file."""

    data: Data = Field(description="what to learn from")
    model: Model = Field(description="the network")
    train: Train = Field(default=Train(), description="phases that every method shares")
    search: Search = Field(description="how bits are found")
    budget: BudgetSection = Field(description="what the bits may cost")
    hardware: Hardware = Field(default=Hardware(), description="what the design is for")


SECTIONS: Mapping[str, type[Section]] = {
    "data": Data,
    "train": Train,
    "budget": BudgetSection,
    "hardware": Hardware,
}
# Sections of several kinds: the key that chooses, and the kinds.
CHOICES: Mapping[str, tuple[str, Mapping[str, type[Section]]]] = {
    "model": (
        "name",
        {
            "convnet": ConvNet,
            "mlp": Mlp,
            "resnet8": CifarResNet,
            "resnet20": CifarResNet,
            "resnet32": CifarResNet,
            "resnet44": CifarResNet,
            "resnet56": CifarResNet,
            "resnet18": ResNet,
            "resnet50": ResNet,
            "vgg19": Vgg19,
            "mobilenet_v1": MobileNet,
            "mobilenet_v2": MobileNet,
        },
    ),
    "search": ("method", SEARCHES),
}

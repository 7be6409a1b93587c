"""The run file: TOML read into frozen models. An unknown key is an error with a suggestion."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bitfold.errors import ConfigError

Bits = Annotated[int, Field(ge=2, le=8)]


class Section(BaseModel):
    """A table of the run file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(Section):
    """[data]: what to learn from."""

    name: Literal["digits", "mnist", "fashion_mnist", "cifar10"] = Field(description="data set")
    root: Path | None = Field(
        default=None, description="folder with torchvision's files; else the variable BITFOLD_DATA"
    )
    augment: Literal["none", "shift", "shift_flip"] = Field(
        default="none", description="change of training images: by 1 pixel, or by 1/8 and mirrored"
    )


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


class Train(Section):
    """[train]: the phases that every method shares."""

    seed: int = Field(default=0, ge=0, description="seed of every random draw")
    batch: int = Field(default=64, ge=2, description="images per step")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="SGD momentum (Nesterov)")
    weight_decay: float = Field(default=2.5e-5, ge=0, description="of weights; not of steps, norms")
    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="of the cross-entropy")
    float_epochs: int = Field(default=20, ge=1, description="epochs of float pretraining")
    float_lr: float = Field(default=0.1, gt=0, description="its first learning rate (cosine)")
    finetune_epochs: int = Field(default=20, ge=1, description="epochs at the frozen policy")
    finetune_lr: float = Field(default=0.04, gt=0, description="their first learning rate (cosine)")
    compare_epochs: int = Field(
        default=5, ge=0, description="epochs of the 8-bit comparison; 0 leaves it out"
    )
    accelerator: Literal["cpu", "cuda", "auto"] = Field(default="cpu", description="where to train")
    threads: int = Field(
        default=0, ge=0, description="CPU threads; 0 is torch's choice. Part of reproducibility"
    )


class _Search(Section):
    bits: tuple[Bits, ...] = Field(
        default=(2, 3, 4, 5, 6), min_length=1, description="candidate bit-widths"
    )
    first_last: Bits | Literal["search"] = Field(
        default=8, description='fixed bits of the first and the last layer, or "search"'
    )

    @model_validator(mode="after")
    def _ascending(self) -> "_Search":
        if list(self.bits) != sorted(set(self.bits)):
            raise ValueError(f"bits must ascend without repetition, got {list(self.bits)}")
        return self


class SearchUniform(_Search):
    """[search] method = "uniform": the most bits, the same everywhere, that the budget allows."""

    method: Literal["uniform"] = Field(description="search method")


class TrainedSearch(_Search):
    """What the methods that train a search phase share."""

    epochs: int = Field(default=5, ge=1, description="epochs of the search phase")
    lr: float = Field(default=0.01, gt=0, description="its first learning rate (cosine)")


class SearchLimpq(TrainedSearch):
    """[search] method = "limpq": learned step sizes as importance, one integer program."""

    method: Literal["limpq"] = Field(description="search method")
    tied: bool = Field(
        default=False, description="one width for weights and activations of a layer"
    )
    alpha: float = Field(default=2.0, gt=0, description="weight importance against activations'")


BudgetKind = Literal["average_bits", "size", "bitops", "luts", "cycles"]


class BudgetSection(Section):
    """[budget]: what the bits may cost; `value`, or `like_uniform` to take it from a width."""

    kind: BudgetKind = Field(
        description="average_bits (over weights and over activations, averaged), size (bits of all "
        "weights), bitops (of a frame), luts (all layers), cycles (of the slowest layer)"
    )
    value: float | None = Field(default=None, gt=0, description="the limit, in the kind's unit")
    like_uniform: Bits | None = Field(
        default=None, description="limit = the cost of this width everywhere that is searched"
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "BudgetSection":
        if (self.value is None) == (self.like_uniform is None):
            raise ValueError("give exactly one of 'value' and 'like_uniform'")
        return self


class Hardware(Section):
    """[hardware]: what the design is for."""

    target: Literal["ecp5", "xc7", "xcup", "ice40"] = Field(
        default="ecp5", description="FPGA family that LUT costs are of"
    )
    clock_mhz: float = Field(default=50, gt=0, description="clock of the design, MHz")
    fps: float | None = Field(default=None, gt=0, description="frames per second to fold for")
    luts: int | None = Field(default=None, gt=0, description="LUTs to fold within")
    board: str = Field(default="ulx3s", description="board whose bitstream is made")


class RunFile(Section):
    """A whole run file."""

    data: Data = Field(description="what to learn from")
    model: ConvNet | Mlp = Field(description="the network")
    train: Train = Field(default=Train(), description="phases that every method shares")
    search: SearchUniform | SearchLimpq = Field(description="how bits are found")
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
    "model": ("name", {"convnet": ConvNet, "mlp": Mlp}),
    "search": ("method", {"limpq": SearchLimpq, "uniform": SearchUniform}),
}


def read_run(path: Path, environ: Mapping[str, str] | None = None) -> RunFile:
    """Read a run file; `environ` (default: the process's) supplies BITFOLD_DATA.

    A relative [data] root is taken from the run file's folder. Raises: ConfigError.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; expected a run file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a readable TOML file ({error})") from None
    run = parse_run(value, str(path))
    fallback = (os.environ if environ is None else environ).get("BITFOLD_DATA")
    root = path.parent / run.data.root if run.data.root is not None else None
    if root is None and fallback:
        root = Path(fallback)
    return run.model_copy(update={"data": run.data.model_copy(update={"root": root})})


def parse_run(value: Mapping[str, Any], where: str = "run file") -> RunFile:
    """Check a parsed run file; `where` names it in messages. Raises: ConfigError."""
    for name in value:
        if name not in RunFile.model_fields:
            raise ConfigError(f"{where}: unknown section [{name}]; {_near(name, RunFile)}")
    made: dict[str, Section] = {}
    for name, field in RunFile.model_fields.items():
        if name in value:
            made[name] = _parse_section(name, value[name], where)
        elif field.is_required():
            raise ConfigError(f"{where}: section [{name}] is missing: {field.description}")
    return RunFile.model_construct(**{**_defaults(), **made})


def _defaults() -> dict[str, Any]:
    fields = RunFile.model_fields.items()
    return {name: field.default for name, field in fields if not field.is_required()}


def _parse_section(name: str, value: Any, where: str) -> Section:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: {name} must be a section [{name}], got {value!r}")
    if name in CHOICES:
        key, kinds = CHOICES[name]
        if not isinstance(value.get(key), str) or value[key] not in kinds:
            came = f"got {value[key]!r}" if key in value else "it is missing"
            raise ConfigError(f"{where}: [{name}] {key} must be one of {', '.join(kinds)}; {came}")
        kind = kinds[value[key]]
    else:
        kind = SECTIONS[name]
    try:
        # As JSON, because strict checking of Python values would want tuples and Paths.
        return kind.model_validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        raise ConfigError(f"{where}: [{name}] {_explain(error, kind)}") from None


def _explain(error: ValidationError, kind: type[Section]) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}; {_near(key, kind)}"
    if first["type"] == "missing":
        return f"key {key!r} is missing: {kind.model_fields[key].description}"
    rule = first["msg"].removeprefix("Value error, ")
    if not key:
        return rule
    rule = rule.removeprefix("Input ")
    return f"{key} {rule}, got {first['input']!r} ({kind.model_fields[key].description})"


def _near(key: str, kind: type[Section]) -> str:
    near = difflib.get_close_matches(key, kind.model_fields, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kind.model_fields)}"

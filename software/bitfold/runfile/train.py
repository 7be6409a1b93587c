"""[train] of the run file."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bitfold.runfile.section import Section


class Train(Section):
    """[train]: the phases that every method shares."""

    seed: int = Field(default=0, ge=0, lt=2**63, description="seed of every random draw")
    batch: int = Field(default=64, ge=2, description="images per step, over all processes")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="SGD momentum (Nesterov)")
    weight_decay: float = Field(default=2.5e-5, ge=0, description="of weights; not of steps, norms")
    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="of the cross-entropy")
    float_epochs: int = Field(
        default=20, ge=0, description="epochs of float pretraining; 0 only with [model] weights"
    )
    float_lr: float = Field(default=0.1, gt=0, description="its first learning rate")
    float_warmup: int = Field(default=0, ge=0, description="its first epochs, of a rising rate")
    search_warmup: int = Field(default=0, ge=0, description="the same of the search phase")
    finetune_epochs: int = Field(default=20, ge=1, description="epochs at the frozen policy")
    finetune_lr: float = Field(default=0.04, gt=0, description="their first learning rate")
    finetune_warmup: int = Field(default=0, ge=0, description="of them, those of a rising rate")
    compare_epochs: int = Field(
        default=5,
        ge=0,
        description="epochs of the 8-bit comparison, else finetuned alike; 0 leaves it out",
    )
    schedule: Literal["cosine", "step"] = Field(
        default="cosine", description="how every learning rate falls: to 0, or at milestones"
    )
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(), description='of schedule "step": where, as fractions of the phase'
    )
    factor: float = Field(
        default=0.1, gt=0, lt=1, description='of schedule "step": by what the rate is multiplied'
    )
    clip_norm: float = Field(
        default=0, ge=0, description="largest norm of all gradients together; 0: any"
    )
    ema: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="decay of the averaged weights that the float network and finetuning end "
        "with; 0: no average",
    )
    keep: Literal["last", "best"] = Field(
        default="last", description="the epoch that these end with: last, or best in validation"
    )
    search_distill: float = Field(
        default=0, ge=0, le=1, description="weight of the float network's soft labels in the search"
    )
    finetune_distill: float = Field(
        default=0, ge=0, le=1, description="the same in finetuning; 1: no other labels"
    )
    distill_temperature: float = Field(
        default=1, gt=0, description="temperature of the soft labels"
    )
    accelerator: Literal["cpu", "cuda", "auto"] = Field(default="cpu", description="where to train")
    precision: Literal["32", "bf16"] = Field(
        default="32", description="of forward passes in training; weights are float32 always"
    )
    compile: bool = Field(default=False, description="float training through torch.compile")
    threads: int = Field(
        default=0, ge=0, description="CPU threads; 0 is torch's choice. Part of reproducibility"
    )

    tensorboard: bool = Field(
        default=False,
        description="write TensorBoard's events of every phase beside the results",
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Train":
        if (self.schedule == "step") != bool(self.milestones):
            raise ValueError(
                'schedule = "step" and milestones go together, '
                f"got {self.schedule!r} and {list(self.milestones)}"
            )
        if any(a >= b for a, b in pairwise(self.milestones)):
            raise ValueError(f"milestones must ascend, got {list(self.milestones)}")
        for phase, epochs, warmup in (
            ("float", self.float_epochs, self.float_warmup),
            ("finetune", self.finetune_epochs, self.finetune_warmup),
        ):
            if warmup and warmup >= epochs:
                raise ValueError(
                    f"{phase}_warmup must be less than {phase}_epochs = {epochs}, got {warmup}"
                )
        return self

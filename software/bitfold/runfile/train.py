"""[train] of the run file."""

from typing import Literal

from pydantic import Field

from bitfold.runfile.section import Section


class Train(Section):
    """[train]: the phases that every method shares."""

    seed: int = Field(default=0, ge=0, description="seed of every random draw")
    batch: int = Field(default=64, ge=2, description="images per step")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="SGD momentum (Nesterov)")
    weight_decay: float = Field(default=2.5e-5, ge=0, description="of weights; not of steps, norms")
    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="of the cross-entropy")
    float_epochs: int = Field(
        default=20, ge=0, description="epochs of float pretraining; 0 only with [model] weights"
    )
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

"""The settings of one phase of training."""

from dataclasses import dataclass
from typing import Literal, final

from bitfold.errors import ConfigError


@final
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one phase; names as in the run file.

    Raises: ConfigError when the warm-up leaves nothing of the phase.
    """

    phase: str
    epochs: int
    lr: float
    batch: int  # images per step, over all processes
    seed: int
    momentum: float
    weight_decay: float
    label_smoothing: float
    augment: str
    validate: bool = True
    reestimate: bool = False  # BatchNorm statistics, before each validation
    schedule: Literal["cosine", "step"] = "cosine"
    milestones: tuple[float, ...] = ()  # of "step", as fractions of the phase
    factor: float = 0.1  # of "step": the rate at a milestone is multiplied by it
    warmup: float = 0.0  # epochs in which the rate rises linearly
    clip_norm: float = 0.0  # largest norm of all gradients together; 0: any
    ema: float = 0.0  # decay of the averaged weights; 0: none
    keep: Literal["last", "best"] = "last"  # which epoch's model the phase ends with
    distill: float = 0.0  # weight of the teacher's labels in the loss, 0..1
    temperature: float = 1.0  # of both softmaxes in distillation
    compile: bool = False  # forward passes through torch.compile

    def __post_init__(self) -> None:
        if self.warmup >= self.epochs:
            raise ConfigError(
                f"[train] warm-up of phase {self.phase!r} is {self.warmup:g} of its {self.epochs} "
                "epochs; it must end before the phase does"
            )

"""Distillation: the float network's soft labels as part of the loss.

Hinton et al. 2015, arXiv:1503.02531, Sec. 2: both softmaxes at a temperature, the term multiplied
by its square so that its gradient keeps its size. In the form -sum p_teacher log p_student, which
differs from the Kullback-Leibler divergence by a constant; with weight 1 and temperature 1 it is
the whole loss that SDQ's co-authors train with.
"""

from typing import final

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax, softmax


def soft_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Mean over the batch of -sum softmax(teacher/T) log_softmax(student/T), times T^2.

    Logits (N, classes) -> scalar.
    """
    wanted = softmax(teacher / temperature, 1)
    told = log_softmax(student / temperature, 1)
    return -(wanted * told).sum(1).mean() * temperature**2


@final
class TaskLoss:
    """(1 - weight) * cross-entropy + weight * distillation, of one batch after another."""

    def __init__(
        self,
        *,
        label_smoothing: float,
        weight: float,
        temperature: float,
        teacher: nn.Module | None,
        fabric: Fabric,
    ) -> None:
        assert teacher is not None or weight == 0, "distillation wants a teacher"
        self.label_smoothing, self.weight, self.temperature = label_smoothing, weight, temperature
        self.teacher = teacher.requires_grad_(False).eval() if teacher and weight else None
        self.fabric = fabric
        self.soft = torch.empty(0)

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """A new batch x (N, C, H, W): ask the teacher, once for all passes of the step."""
        if self.teacher is not None:
            with self.fabric.autocast():
                self.soft = full_precision(self.teacher(x))

    def __call__(self, out: Tensor, y: Tensor) -> Tensor:
        """Loss of the logits `out` (N, classes) for labels y (N,); scalar."""
        if self.teacher is None:
            return cross_entropy(out, y, label_smoothing=self.label_smoothing)
        soft = soft_loss(out, self.soft, self.temperature)
        if self.weight == 1:
            return soft
        hard = cross_entropy(out, y, label_smoothing=self.label_smoothing)
        return (1 - self.weight) * hard + self.weight * soft


def full_precision(x: Tensor) -> Tensor:
    """x in float32 if it is of a shorter type."""
    return x.to(torch.promote_types(x.dtype, torch.float32))

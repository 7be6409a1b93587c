"""Soft labels."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from bitfold.search.distill import TaskLoss, soft_loss

from .nets import data, net

STUDENT = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]], requires_grad=True)
TEACHER = torch.tensor([[0.5, 2.5, 0.0], [1.0, 0.0, 2.0]])


def task_loss(teacher: nn.Module | None, weight: float, temperature: float = 1.0) -> TaskLoss:
    return TaskLoss(
        label_smoothing=0.1,
        weight=weight,
        temperature=temperature,
        teacher=teacher,
        fabric=Fabric(accelerator="cpu", devices=1),
    )


def test_at_temperature_one_it_is_the_cross_entropy_with_the_teachers_labels() -> None:
    wanted = -(TEACHER.softmax(1) * STUDENT.softmax(1).log()).sum(1).mean()
    torch.testing.assert_close(soft_loss(STUDENT, TEACHER, 1.0), wanted)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_its_gradient_is_that_of_the_divergence_times_the_squared_temperature(
    temperature: float,
) -> None:
    t = temperature
    other = t**2 * kl_div(
        (STUDENT / t).log_softmax(1), (TEACHER / t).softmax(1), reduction="batchmean"
    )
    (wanted,) = torch.autograd.grad(other, STUDENT)
    (came,) = torch.autograd.grad(soft_loss(STUDENT, TEACHER, t), STUDENT)
    torch.testing.assert_close(came, wanted)


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_the_weight_shares_the_loss_between_both_kinds_of_labels(weight: float) -> None:
    x, y = data().train.x[:8], data().train.y[:8]
    teacher, out = net(1), torch.randn(8, 10, generator=torch.Generator().manual_seed(0))
    loss = task_loss(teacher, weight, 2.0)
    loss.begin(x)
    soft = soft_loss(out, teacher(x), 2.0)
    wanted = (1 - weight) * cross_entropy(out, y, label_smoothing=0.1) + weight * soft
    torch.testing.assert_close(loss(out, y), wanted)


def test_without_weight_no_teacher_is_asked() -> None:
    x, y = data().train.x[:8], data().train.y[:8]

    def asked(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        raise AssertionError("asked")

    teacher = net(1)
    teacher.register_forward_pre_hook(asked)
    loss, out = task_loss(teacher, 0.0), torch.zeros(8, 10)
    loss.begin(x)
    torch.testing.assert_close(loss(out, y), cross_entropy(out, y, label_smoothing=0.1))


def test_the_teacher_is_asked_once_a_batch_and_does_not_learn() -> None:
    teacher = net(1).train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    calls: list[bool] = []
    teacher.register_forward_pre_hook(lambda module, given: calls.append(module.training))
    loss = task_loss(teacher, 1.0)
    student = net(2)
    x, y = data().train.x[:8], data().train.y[:8]
    loss.begin(x)
    for _ in range(3):
        loss(student(x), y).backward()
    assert calls == [False]
    assert all(torch.equal(v, teacher.state_dict()[n]) for n, v in before.items())
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in student.parameters())

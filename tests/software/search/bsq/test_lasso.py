"""The group lasso: values, gradients, and what each layer weighs."""

import pytest
import torch

from bitfold.search.bsq.lasso import EPSILON, group_norms, lasso, layer_weights
from bitfold.search.weights import Reweigh

from .toy import PLANES, planed, put_codes


def test_a_group_is_a_plane_of_both_signs() -> None:
    _, layer = planed()
    put_codes(layer, [3, -1], 3)  # 576 weights: plane 0 has all, plane 1 the positive half
    wanted = torch.tensor([576.0, 288.0, 0, 0, 0, 0, 0]) + EPSILON
    wanted[3:] = 0  # not in use
    torch.testing.assert_close(group_norms(layer), wanted.sqrt())


def test_the_gradient_of_a_plane_in_use_has_the_size_of_its_weight() -> None:
    """Whatever is left in it; that drives planes to zero. Planes not in use have none."""
    _, layer = planed()
    put_codes(layer, [3, -1, 0, 0], 3)
    with torch.no_grad():
        layer.positive[1] *= 0.01
    (0.7 * lasso([layer], [0.25], but_largest=False)).backward()
    assert layer.positive.grad is not None
    assert layer.negative.grad is not None
    sizes = (layer.positive.grad.flatten(1).square() + layer.negative.grad.flatten(1).square()).sum(
        1
    )
    torch.testing.assert_close(sizes.sqrt(), torch.tensor([0.175, 0.175, 0, 0, 0, 0, 0]))


def test_the_gradient_is_that_of_the_formula() -> None:
    _, layer = planed()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        layer.positive.copy_(torch.rand(layer.positive.shape, generator=generator) * 2)
        layer.negative.copy_(torch.rand(layer.negative.shape, generator=generator) * 2)
    layer.form.use(4)
    lasso([layer], [2.0], but_largest=False).backward()
    both = torch.stack([layer.positive.detach(), layer.negative.detach()]).double()
    both.requires_grad_()
    groups = both[:, :4].transpose(0, 1).flatten(1)
    (2.0 * (groups.square().sum(1) + EPSILON).sqrt().sum()).backward()
    assert both.grad is not None
    for parameter, wanted in zip((layer.positive, layer.negative), both.grad, strict=True):
        torch.testing.assert_close(parameter.grad, wanted.float(), rtol=1e-5, atol=1e-8)


def test_the_largest_group_of_each_layer_may_be_left_out() -> None:
    layers = [planed(index)[1] for index in (1, 2)]
    put_codes(layers[0], [3, -1, 0, 0], 3)  # plane 0 has 288 digits of 576, plane 1 144
    put_codes(layers[1], [2], 3)  # plane 1 alone
    value = lasso(layers, [0.5, 9.0], but_largest=True)
    small = 2 * EPSILON**0.5 * 9.0 + EPSILON**0.5 * 0.5
    assert value.item() == pytest.approx(0.5 * 144**0.5 + small, rel=1e-5)
    value.backward()
    assert layers[0].positive.grad is not None
    assert layers[1].positive.grad is not None
    assert [bool(plane.any()) for plane in layers[0].positive.grad[:3]] == [False, True, False]
    assert not layers[1].positive.grad.any()


def test_an_empty_group_has_a_finite_gradient() -> None:
    _, layer = planed()
    put_codes(layer, [0], PLANES)
    lasso([layer], [1.0], but_largest=False).backward()
    assert layer.positive.grad is not None
    assert not layer.positive.grad.any()


@pytest.mark.parametrize("reweigh", ["memory", "budget"])
def test_layers_weigh_by_their_share_and_bits(reweigh: Reweigh) -> None:
    """With shares of memory the authors' #Para(l) #Bit(l) / #Para(all)."""
    weights = layer_weights([72 / 968, 576 / 968, 320 / 968], [7, 2, 1], reweigh)
    assert weights == pytest.approx((72 * 7 / 968, 576 * 2 / 968, 320 / 968))


def test_none_weighs_all_layers_alike() -> None:
    assert layer_weights([0.1, 0.9], [7, 1], "none") == (1.0, 1.0)

"""The decision policy: its distributions, what it sees, and what it does not."""

import pytest
import torch

from bitfold.search.dqmq.decision import LEAST_SIGMA, Decision

BITS = (2, 3, 4, 6)


def images(count: int = 5, channels: int = 1, size: int = 8) -> torch.Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def decision(**keys: bool) -> Decision:
    torch.manual_seed(0)
    made = Decision(3, BITS, **keys)
    with torch.no_grad():
        made.last.weight.mul_(20)
    return made.eval()


def test_probabilities_are_a_gaussian_on_the_bit_axis() -> None:
    policy, x = decision(), images()
    mu, sigma = policy.moments(x)
    assert mu.shape == sigma.shape == (5, 3)
    assert ((mu >= 2) & (mu <= 6)).all()
    assert (sigma > LEAST_SIGMA).all()
    density = torch.exp(-((torch.tensor(BITS) - mu[..., None]) ** 2) / (2 * sigma[..., None] ** 2))
    torch.testing.assert_close(policy(x).exp(), density / density.sum(2, keepdim=True))


@pytest.mark.parametrize("categorical", [False, True])
def test_the_policy_sees_the_image(categorical: bool) -> None:
    log_p = decision(categorical=categorical)(images())
    assert log_p.shape == (5, 3, 4)
    torch.testing.assert_close(log_p.exp().sum(2), torch.ones(5, 3))
    assert log_p.std(0).max() > 0.01


def test_two_outputs_a_layer_serve_any_number_of_candidates() -> None:
    assert decision().last.out_features == 3 * 2
    assert decision(categorical=True).last.out_features == 3 * 4


def test_a_blind_policy_says_the_same_of_every_image() -> None:
    log_p = decision(blind=True)(images())
    assert torch.equal(log_p, log_p[:1].expand_as(log_p))


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_judged_alone_even_in_training(channels: int) -> None:
    policy, x = decision().train(), images(channels=channels)
    torch.testing.assert_close(policy(x)[2:3], policy(x[2:3]), rtol=1e-4, atol=1e-5)


def test_features_are_standardised_by_what_the_warm_up_saw() -> None:
    policy, x = decision().train(), images(40)
    policy.standardise.learning = True
    for part in x.split(8):
        policy(part)
    policy.standardise.learning = False
    raw = policy.features(x).detach()
    seen = policy.standardise(raw)
    assert seen.mean(0).abs().max() < 1e-2
    torch.testing.assert_close(seen.std(0, correction=0), torch.ones(18), rtol=1e-2, atol=1e-2)
    before = policy.standardise.mean.clone()
    policy(images(3))
    assert torch.equal(policy.standardise.mean, before)


def test_features_tell_noise_and_blur() -> None:
    from bitfold.data.corrupt import corrupt

    x = images(200)
    smooth = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
    noisy = torch.from_numpy(corrupt(smooth.numpy(), "gaussian_noise:5", 0))
    policy = decision()
    gap = (policy.features(noisy) - policy.features(smooth)).mean(0)
    assert (gap[2:].abs() / policy.features(smooth).std(0)[2:]).max() > 1

"""The greedy baseline."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bitfold.policy import LayerBits
from bitfold.quant import trace
from bitfold.search.costs import KINDS
from bitfold.search.evaluate import batch_statistics
from bitfold.search.greedy import Greedy
from bitfold.search.problem import Problem, pose

from .nets import SHAPE, data, net

BITS = (2, 3, 4, 5, 6)
NAMES = ["conv1", "conv2", "dense"]


def problem(kind: str = "bitops", first_last: int | str = "search", **changes: object) -> Problem:
    settings: dict[str, object] = {
        "kind": kind,
        "value": None,
        "like_uniform": 3,
        "bits": BITS,
        "first_last": first_last,
        "target": "ecp5",
        "seed": 0,
    }
    return pose(trace(net(), SHAPE), **{**settings, **changes})


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    """A float model after a hundred plain steps."""
    model, split = net(), data().train
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(100):
        optimiser.zero_grad()
        cross_entropy(model(split.x), split.y).backward()
        optimiser.step()
    return model.eval()


def measured(posed: Problem, model: nn.Module, images: int = 96) -> tuple[Greedy, nn.Module]:
    method, searched = Greedy(posed, images=images), copy.deepcopy(model)
    method.prepare(searched)
    method.measure(searched, data())
    return method, searched


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first_last", ["search", 8])
def test_every_kind_of_budget_is_met(trained: nn.Module, kind: str, first_last: int | str) -> None:
    posed = problem(kind, first_last)
    method, model = measured(posed, trained)
    policy = method.policy(model)
    assert list(policy) == NAMES
    assert posed.keeps(policy)
    if kind not in ("luts", "cycles") and first_last == "search":
        assert posed.costs.total(policy) >= 0.98 * posed.limit
    if first_last == 8:
        assert policy["conv1"] == policy["dense"] == LayerBits(w_bits=8, a_bits=8)


def test_several_budgets_are_met_at_once(trained: nn.Module) -> None:
    posed = problem(also=[("size", None, 2), ("cycles", None, 4)])
    method, model = measured(posed, trained)
    assert posed.keeps(method.policy(model))


def test_each_step_takes_what_harms_least_for_what_it_saves(trained: nn.Module) -> None:
    """The first step against all others; every step goes to the next candidate."""
    posed = problem()
    method, model = measured(posed, trained)
    x, y = data().train.x, data().train.y
    bits = {(name, kind): 6 for name in NAMES for kind in "wa"}
    first = {}
    with torch.no_grad(), batch_statistics(model):
        base = method.loss(model, x, y, bits)
        for name, kind in bits:
            layer = next(each for each in posed.searched if each.name == name)
            rise = method.loss(model, x, y, {**bits, (name, kind): 5}) - base
            first[name, kind] = rise / (layer.outputs * layer.inputs * layer.pixels * 6)
    assert method.taken[0][:2] == min(first, key=lambda key: first[key])
    assert method.taken[0][2] == 5
    for name, kind, narrower in method.taken:
        assert narrower == bits[name, kind] - 1
        bits[name, kind] = narrower


def test_weights_on_a_coarse_grid_lose_their_bits_first(trained: nn.Module) -> None:
    model = copy.deepcopy(trained)
    weight = model.get_submodule("conv2").get_parameter("weight")
    with torch.no_grad():
        weight.copy_(torch.where(weight > 0, 0.05, -0.05))
    method, _ = measured(problem("size", like_uniform=4), model)
    assert method.bits["conv2", "w"] == 2
    assert min(method.bits["conv1", "w"], method.bits["dense", "w"]) > 4
    assert all(kind == "w" for _, kind, _ in method.taken)  # activations have no size


def test_few_passes_are_needed(trained: nn.Module) -> None:
    """Fewer than one of every quantiser at every step."""
    method, model = measured(problem(), trained)
    assert method.findings(model)["passes"] == method.passes
    assert 6 < method.passes < len(method.taken) * 4
    assert len(method.taken) > 10


def test_the_result_depends_on_the_seed_alone(trained: nn.Module) -> None:
    (one, a), (two, b) = (measured(problem(), trained, images=40) for _ in range(2))
    assert one.taken == two.taken
    assert one.policy(a) == two.policy(b)
    other = measured(problem(seed=1), trained, images=40)[0]
    assert [trial.rise for trial in other.trials.values()] != [
        trial.rise for trial in one.trials.values()
    ]


def test_measuring_leaves_the_float_parts_as_they_are(trained: nn.Module) -> None:
    method, model = measured(problem(first_last=8), trained)
    assert [handle.layer.name for handle in method.handles] == ["conv2"]
    for name in ("norm1.running_mean", "norm1.running_var"):
        assert torch.equal(model.get_buffer(name), trained.get_buffer(name))
    assert model.get_submodule("norm1").momentum == trained.get_submodule("norm1").momentum
    assert not any(module.training for module in model.modules())

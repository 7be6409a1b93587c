"""CSQ as a phase of the training loop: its budget, its masks, what it reports."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bitfold.policy import LayerBits
from bitfold.search.csq import CSQ
from bitfold.search.csq.gates import PLANES
from bitfold.search.problem import KINDS

from ..nets import data
from .conftest import Search
from .runs import A_BITS, EPOCHS, method, phase, prepared, problem, twin


def test_the_policy_spends_the_budget_of_every_kind(searched: tuple[CSQ, nn.Module]) -> None:
    made, model = searched
    for kind in KINDS:
        posed = problem(kind)
        again = method(posed)
        again.layers = made.layers
        policy = again.policy(model)
        assert list(policy) == ["conv1", "conv2", "dense"]
        spent = posed.costs.total(policy)
        assert spent <= posed.limit
        assert {bits.a_bits for bits in policy.values()} == {A_BITS}
        # One bit more in the cheapest place breaks the budget, or 98 % of it is spent.
        more = [
            posed.costs.total({**policy, n: LayerBits(w_bits=b.w_bits + 1, a_bits=A_BITS)})
            for n, b in policy.items()
            if b.w_bits < 8
        ]
        assert spent >= 0.98 * posed.limit or min(more) > posed.limit, kind


@pytest.mark.parametrize("kind", ["size", "bitops"])
def test_masks_end_near_the_target_of_the_budget(search: Search, kind: str) -> None:
    made, model = search(problem(kind), reweigh="budget")
    found = made.findings(model)
    assert made.target == pytest.approx(3)
    largest = max(made.shares)
    assert abs(found["r"] - found["r_target"]) * PLANES <= largest


def test_masks_grow_when_few_are_on(pretrained: nn.Module, tmp_path: Path) -> None:
    made, model = prepared(pretrained, problem(width=6))
    for layer in made.layers:
        with torch.no_grad():
            layer.gates.mask_logits[:-1] = -0.05
    phase(made, model, tmp_path / "search.pt", epochs=EPOCHS)
    assert made.trail[-1] > 3
    assert abs(made.trail[-1] - 5) < 1


def test_frozen_masks_stay_put_whatever_momentum_and_decay_want(
    pretrained: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, model = prepared(pretrained, decay=True)
    seen: list[Tensor] = []
    before_step = made.before_step

    def watch(model: nn.Module, step: int) -> None:
        seen.append(torch.stack([each.gates.mask_logits.detach() for each in made.layers]))
        before_step(model, step)

    monkeypatch.setattr(made, "before_step", watch)
    phase(made, model, tmp_path / "search.pt", epochs=12)
    soft = made.schedule.soft_steps
    assert soft == 30 < len(seen) == 36
    assert all(torch.equal(masks, seen[soft]) for masks in seen[soft:])
    assert not torch.equal(seen[soft - 1], seen[soft])
    last = torch.stack([each.gates.mask_logits.detach() for each in made.layers])
    assert torch.equal(last, seen[soft])
    saved = torch.load(tmp_path / "search.pt", weights_only=True)["optimiser"]["state"]
    momenta = [entry["momentum_buffer"] for entry in saved.values()]
    assert any(each.shape == (PLANES,) and each.any() for each in momenta)


def test_the_network_that_is_trained_gets_the_temperature(
    searched: tuple[CSQ, nn.Module],
) -> None:
    """The release sets it on a wrapper, and the network inside stays at 1."""
    made, model = searched
    for layer in ("conv1", "conv2", "dense"):
        gates = model.get_submodule(layer).get_submodule("parametrizations.weight.0")
        wanted = made.schedule.temperature(3 * EPOCHS - 1)
        assert gates.get_buffer("temperature").item() == pytest.approx(wanted)
        assert gates.get_buffer("frozen")
        assert wanted > 1e4


def test_every_searched_layer_reads_quantised_activations(
    pretrained: nn.Module, searched: tuple[CSQ, nn.Module]
) -> None:
    made, model = twin(pretrained, searched)
    levels: dict[str, int] = {}
    for layer in made.layers:

        def count(_: nn.Module, inputs: tuple[Tensor], name: str = layer.layer.name) -> None:
            levels[name] = len(inputs[0].unique())

        layer.module.register_forward_pre_hook(count)
    model.eval()
    model(data().test.x)
    assert levels.keys() == {"conv1", "conv2", "dense"}
    assert all(2 < count <= 2**A_BITS for count in levels.values())


def test_settings_reach_every_layer(pretrained: nn.Module) -> None:
    made, _ = prepared(pretrained, margin=0.25)
    for layer in made.layers:
        assert layer.logits.abs().unique().tolist() == [0.25]


def test_fixed_layers_stay_float(pretrained: nn.Module) -> None:
    made, model = prepared(pretrained, problem(first_last=8))
    assert [layer.layer.name for layer in made.layers] == ["conv2"]
    assert type(model.get_submodule("conv1")) is nn.Conv2d


def test_only_with_scratch_the_pretrained_weights_are_left(pretrained: nn.Module) -> None:
    weight = pretrained.get_submodule("conv2").get_parameter("weight").detach()
    for scratch in (False, True):
        made, _ = prepared(pretrained, scratch=scratch)
        layer = made.layers[1]
        start = layer.hard_codes() * layer.gates.step()
        near = (start - weight).abs().max() <= 0.501 * layer.gates.step()
        assert bool(near) is not scratch


def test_lambda_grows_to_its_end_while_masks_are_soft(pretrained: nn.Module) -> None:
    made, model = prepared(pretrained, strength=0.02, growth=9.0)
    made.start(model, 120, 40)
    strengths = []
    for step in (0, 50, 100, 119):
        made.before_step(model, step)
        strengths.append(made.strength)
    assert strengths == pytest.approx([0.02, 0.06, 0.18, 0.18])


def test_temperature_and_bits_are_there_to_watch(searched: tuple[CSQ, nn.Module]) -> None:
    made, model = searched
    watched = made.scalars(model)
    assert watched["target_bits"] == pytest.approx(3)
    assert watched["mean_bits"] == made.findings(model)["bits_by_epoch"][-1]
    assert watched["temperature"] == pytest.approx(made.schedule.temperature(3 * EPOCHS - 1))


def test_findings_are_the_papers_bits_and_the_codes(searched: tuple[CSQ, nn.Module]) -> None:
    made, model = searched
    found = made.findings(model)
    assert found == json.loads(json.dumps(found))
    rows, weights = found["layers"], {"conv1": 72, "conv2": 576, "dense": 320}
    assert rows.keys() == weights.keys()
    for row in rows.values():
        assert row["count"] == row["masks"].count("1") >= 1
        assert row["span"] == len(row["masks"].strip("0"))
        assert row["codes"] <= row["span"]
        assert row["moved_codes"] == 0
    for kind, averages in found["magnitude_bits"].items():
        total = sum(row[kind] * weights[name] for name, row in rows.items())
        assert averages["over_weights"] == pytest.approx(total / 968)
        assert averages["over_layers"] == pytest.approx(sum(r[kind] for r in rows.values()) / 3)
    assert found["r"] == pytest.approx(found["magnitude_bits"]["count"]["over_weights"] / PLANES)
    assert found["r_target"] == pytest.approx(3 / PLANES)
    assert found["compression"] == 32 / found["magnitude_bits"]["count"]["over_weights"]
    assert len(found["bits_by_epoch"]) == EPOCHS
    assert found["bits_by_epoch"][-1] == found["magnitude_bits"]["count"]["over_weights"]

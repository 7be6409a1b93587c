"""The dynamic network: truncated planes of one set of weights, a mode for each input."""

import numpy as np
import torch

from bitfold.policy import LayerBits
from bitfold.search.dqmq.dynamic import PlaneLayer

from .conftest import PICKS, Made, dynamic
from .toy import BITS


def test_every_input_runs_in_the_mode_that_the_policy_picks(made: Made) -> None:
    network, x = made.network, made.data.test.x
    modes = network.choose(x)
    with torch.no_grad():
        came = network(x)
        for mode in modes.unique().tolist():
            mine = modes == mode
            torch.testing.assert_close(came[mine], network.run(x[mine], mode))
    assert network.picked == 3
    assert modes.max() < 3


def test_scores_are_those_that_the_modes_were_chosen_by(made: Made) -> None:
    from bitfold.search.dqmq.method import log_probabilities

    method, network = made.method, made.network
    assert method.modes is not None
    x = made.data.test.x
    wanted = method.modes.scores(log_probabilities(network.policy.decision, x), method.costs)
    with torch.no_grad():
        came = network.policy(x).double().numpy()
    np.testing.assert_allclose(came, wanted, rtol=1e-4, atol=1e-4)


def test_two_evaluations_are_identical(made: Made) -> None:
    network, x = made.network, made.data.test.x
    with torch.no_grad():
        assert torch.equal(network(x), network(x))
    for per_batch in (False, True):
        first = network.choose(x, per_batch=per_batch)
        assert torch.equal(first, network.choose(x, per_batch=per_batch))
    assert len(network.choose(x, per_batch=True).unique()) == 1


def test_a_stored_precision_that_no_mode_has_is_a_mode_of_its_own(made: Made) -> None:
    network = made.network
    assert network.modes == 4
    assert network.stored == 3
    bits = [[b.w_bits for b in network.bits(mode).values()] for mode in range(4)]
    assert bits == [*[[BITS[i] for i in row] for row in PICKS], [3, 6, 4]]
    assert network.bits(3) == made.method.policy(network)


def test_a_mode_that_dominates_is_the_stored_precision() -> None:
    found = dynamic(np.array([[0, 1, 0], [1, 2, 2]]))
    assert found.network.modes == found.network.picked == 2
    assert found.network.stored == 1


def test_layers_multiply_the_leading_planes_exactly(made: Made) -> None:
    """Integers from shifts of the stored codes; floats that hold them to the last bit."""
    torch.manual_seed(0)
    network = made.network
    for name in ("conv1", "conv2"):
        layer = network.layer(name)
        x = torch.rand(3, layer.layer.in_channels, 6, 6)
        for mode in range(network.modes):
            layer.mode = mode
            bits, stored = layer.bits[mode], layer.stored
            acts = layer.act_planes.codes(x, stored.a_bits) >> (stored.a_bits - bits.a_bits)
            codes = layer.weight_planes.codes(layer.layer.weight, stored.w_bits)
            weight = codes >> (stored.w_bits - bits.w_bits)
            sums = torch.nn.functional.conv2d(acts.double(), weight.double(), padding=1)
            assert torch.equal(sums, sums.round())
            unit = layer.act_planes.scale(bits.a_bits) * layer.weight_planes.scale(bits.w_bits)
            with torch.no_grad():
                norm = layer.norms[mode]
                torch.testing.assert_close(layer(x), norm((sums * unit).float()))


def test_a_mode_changes_nothing_but_planes_norms_and_biases(made: Made) -> None:
    for name in made.network.names:
        layer = made.network.layer(name)
        own = {n.split(".")[0] for n, _ in layer.named_parameters()}
        assert own <= {"layer", "weight_planes", "act_planes", "norms", "biases"}
        assert layer.layer.weight.shape == layer.weight_planes(layer.layer.weight, 2).shape
        assert len(layer.norms or layer.biases) == made.network.modes


def test_biases_lie_on_the_grid_of_their_modes_accumulators(made: Made) -> None:
    layer = made.network.layer("dense")
    for mode, bits in enumerate(layer.bits):
        layer.mode = mode
        bias = layer.bias()
        assert bias is not None
        unit = layer.act_planes.scale(bits.a_bits) * layer.weight_planes.scale(bits.w_bits)
        whole = bias.detach().double() / unit
        torch.testing.assert_close(whole, whole.round(), rtol=0, atol=1e-3)


def test_fixed_layers_have_their_bits_in_every_mode() -> None:
    found = dynamic(PICKS[:2, :1], first_last=8)
    eight = LayerBits(w_bits=8, a_bits=8)
    for mode in range(found.network.modes):
        bits = found.network.bits(mode)
        assert bits["conv1"] == bits["dense"] == eight
    assert found.network.bits(0)["conv2"].w_bits == 2


def test_training_gives_small_groups_company_and_the_stored_mode_its_share(made: Made) -> None:
    found = dynamic(PICKS)
    network = found.network.train()
    seen: list[tuple[int, int]] = []
    run = network.run

    def record(x: torch.Tensor, mode: int, rows: int) -> torch.Tensor:
        seen.append((mode, len(x)))
        return run(x, mode, rows)

    network.run = record
    modes = torch.zeros(64, dtype=torch.int64)
    modes[5] = 1
    network.choose = lambda x, per_batch=False: modes
    network(torch.rand(64, 1, 8, 8))
    assert seen == [(0, 55), (1, 8), (3, 8)]


def test_the_policy_is_frozen_and_keeps_its_statistics(made: Made) -> None:
    found = dynamic(PICKS[:2])
    network = found.network.train()
    assert not network.policy.training
    assert not any(p.requires_grad for p in network.policy.parameters())
    before = {n: v.clone() for n, v in network.policy.state_dict().items()}
    from bitfold.search.evaluate import reestimate_norms

    reestimate_norms(network, found.data.train.x)
    after = network.policy.state_dict()
    assert all(torch.equal(v, after[n]) for n, v in before.items())


def test_finetuning_starts_from_the_weights_and_steps_of_the_search() -> None:
    from bitfold.runfile import SearchDqmq
    from bitfold.search.dqmq import DQMQ
    from bitfold.search.dqmq.mixed import MixedLayer
    from bitfold.search.dqmq.modes import ModeSet

    from .toy import mixed_data, problem, settings, train_a_little

    method, data = DQMQ(problem(), SearchDqmq(**settings())), mixed_data()
    model = train_a_little(method, data)
    method.modes = ModeSet(picks=PICKS, price=0.0)
    mixed = {name: model.get_submodule(name) for name in ("conv1", "conv2", "dense")}
    kept = {}
    for name, layer in mixed.items():
        assert isinstance(layer, MixedLayer)
        kept[name] = (layer.layer.weight.clone(), layer.weight_planes.scale(6))
    network = method.release(model).model
    for (name, (weight, step)), stored in zip(kept.items(), (3, 6, 4), strict=True):
        layer = network.body.get_submodule(name)
        assert isinstance(layer, PlaneLayer)
        assert torch.equal(layer.layer.weight, weight)
        assert layer.weight_planes.bits == stored
        assert layer.weight_planes.scale(stored) == step * 2 ** (6 - stored)

"""Every mode as a network of its own: QONNX, integers, design."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from bitfold.compiler.compile import compile_model
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.export import check_equal, run_qonnx, to_qonnx, write_onnx
from bitfold.ir.interp import quantise_input, run
from bitfold.quant.settle import quantiser_of
from bitfold.search.dqmq.grids import grids_in
from bitfold.search.dqmq.single import single_mode
from bitfold.search.dqmq.write import InMode

from .conftest import PICKS, Made, dynamic
from .toy import separable

MODES = range(4)


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_exports_to_qonnx_that_computes_what_the_dynamic_network_does(
    made: Made, mode: int
) -> None:
    graph = to_qonnx(single_mode(made.network, made.problem.costs.layers, mode), made.data.shape)
    agreement = check_equal(InMode(made.network, mode), graph, made.data.test.x.numpy())
    assert agreement.images == len(made.data.test)
    widths = [
        float(onnx.numpy_helper.to_array(value))
        for node in graph.graph.node
        if node.op_type == "Quant"
        for value in graph.graph.initializer
        if value.name == node.input[3]
    ]
    bits = made.network.bits(mode).values()
    assert sorted(widths) == sorted([float(b.w_bits) for b in bits] * 2 + [32.0])


def test_modes_differ_from_each_other(made: Made) -> None:
    x = made.data.test.x
    with torch.no_grad():
        outs = [made.network.run(x, mode) for mode in MODES]
    assert all(not torch.allclose(outs[0], other, atol=1e-3) for other in outs[1:])


@pytest.mark.parametrize("mode", range(3))
def test_modes_of_a_network_with_additions_keep_its_grids_and_export(
    branched: Made, mode: int
) -> None:
    network, layers = branched.network, branched.problem.costs.layers
    plain = single_mode(network, layers, mode)
    for name, grid in grids_in(network.body).items():
        assert quantiser_of(plain, name).step() == grid.quantiser.step()
    assert len(grids_in(network.body)) == 3
    x = branched.data.test.x.numpy()
    check_equal(InMode(network, mode), to_qonnx(plain, branched.data.shape), x)


def test_in_a_network_with_additions_lower_modes_read_leading_planes(branched: Made) -> None:
    """Also where the quantiser reads a sum, whose step is settled once for all modes."""
    network, x = branched.network, branched.data.test.x
    layer = network.layer("layer2.0.conv1")
    assert [b.a_bits for b in layer.bits] == [2, 4, 4]
    seen: list[torch.Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        network.run(x, 0)
    handle.remove()
    plain = single_mode(network, branched.problem.costs.layers, 0)
    codes: list[torch.Tensor] = []
    reader = plain.get_submodule("layer2.0.conv1")
    step = layer.act_planes.scale(2)
    reader.register_forward_pre_hook(lambda _, args: codes.append(args[0] / step))
    with torch.no_grad():
        plain(x)
    kept = layer.act_planes.codes(seen[0], 2)
    assert len(kept.unique()) > 1
    np.testing.assert_array_equal(codes[0].round().numpy(), kept.numpy())


def test_networks_with_fixed_ends_export_too() -> None:
    found = dynamic(PICKS[:2, :1], first_last=8)
    for mode in range(found.network.modes):
        plain = single_mode(found.network, found.problem.costs.layers, mode)
        graph = to_qonnx(plain, found.data.shape)
        check_equal(InMode(found.network, mode), graph, found.data.test.x.numpy())


def test_modes_of_a_separable_network_keep_its_saturation_and_export() -> None:
    found = dynamic(np.array([[0, 1, 0, 2], [2, 0, 3, 1]]), make=separable)
    network, x = found.network, found.data.test.x
    seen: list[torch.Tensor] = []
    rectifier = network.body.get_submodule("conv_relu")
    handle = rectifier.register_forward_hook(lambda _, args, out: seen.append(args[0] > 6))
    with torch.no_grad():
        network.run(x, network.stored)
    handle.remove()
    assert seen[0].float().mean() > 0.05
    for mode in range(network.modes):
        plain = single_mode(network, found.problem.costs.layers, mode)
        check_equal(InMode(network, mode), to_qonnx(plain, found.data.shape), x.numpy())


def test_exporting_a_mode_leaves_the_dynamic_network_alone(made: Made) -> None:
    before = {n: v.clone() for n, v in made.network.state_dict().items()}
    single_mode(made.network, made.problem.costs.layers, 0)
    after = made.network.state_dict()
    assert all(torch.equal(v, after[n]) for n, v in before.items())


@pytest.mark.parametrize("mode", [0, 3])
def test_a_mode_compiles_and_its_integers_are_the_graphs(
    made: Made, mode: int, tmp_path: Path
) -> None:
    plain = single_mode(made.network, made.problem.costs.layers, mode)
    graph = to_qonnx(plain, made.data.shape)
    write_onnx(graph, tmp_path / "mode.onnx")
    design = compile_model(tmp_path / "mode.onnx", tmp_path / "design", fps=None)
    assert (design.folder / "manifest.json").exists()
    integers = read_qonnx(tmp_path / "mode.onnx")
    x = made.data.test.x.numpy()
    codes = quantise_input(integers, x)
    # The host's integers at this mode are the leading planes of those at the stored precision.
    first = made.network.layer("conv1")
    kept = first.act_planes.codes(torch.from_numpy(x), first.bits[mode].a_bits)
    np.testing.assert_array_equal(codes, kept.numpy())
    outputs = run(integers, codes)
    reals = outputs * integers.output_map.scale + integers.output_map.bias
    np.testing.assert_allclose(reals, run_qonnx(graph, x), atol=1e-4)

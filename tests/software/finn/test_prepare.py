"""`bitfold export --for finn`: what FINN takes, and what it would trip over."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from bitfold.cli.main import cli, run
from bitfold.export.qonnx import run_qonnx
from bitfold.finn.accepts import findings
from bitfold.finn.prepare import export_qonnx, spell_out

sys.path.insert(0, str(Path(__file__).parent))
from qonnx_cases import LEFT, TAKEN, padded_signs

from qonnx_nets import Net

pytestmark = pytest.mark.filterwarnings("ignore")  # qonnx warns of its own parts


def test_the_input_quantiser_becomes_a_scale_and_a_type(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "finn.onnx"
    export_qonnx(demo, out)
    before, after = onnx.load(demo), onnx.load(out)
    kinds = [node.op_type for node in after.graph.node]
    assert kinds.count("Quant") == [n.op_type for n in before.graph.node].count("Quant") - 1
    notes = {
        a.tensor_name: a.quant_parameter_tensor_names[0].value
        for a in after.graph.quantization_annotation
    }
    assert notes == {after.graph.input[0].name: "UINT5"}
    integers = np.random.default_rng(0).integers(0, 32, (4, 1, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(run_qonnx(after, integers), run_qonnx(before, 0.5 * integers))


def test_top_k_gives_the_class(demo: Path, tmp_path: Path) -> None:
    export_qonnx(demo, tmp_path / "finn.onnx", top_k=True)
    integers = np.random.default_rng(0).integers(0, 32, (1, 1, 8, 8)).astype(np.float32)
    outputs = run_qonnx(onnx.load(demo), 0.5 * integers)
    found = run_qonnx(onnx.load(tmp_path / "finn.onnx"), integers)
    assert found.shape == (1, 1)
    assert found.item() == outputs.argmax()


def pooled(net: Net) -> None:
    net.node("GlobalAveragePool")


def grouped(net: Net) -> None:
    net.conv(np.ones((4, 1, 1, 1)), 3, 1.0, group=2)


def unequal(net: Net) -> None:
    start = net.last
    net.quant(4, 0.5)
    other = net.last
    net.last = start
    net.quant(4, 0.25).node("Add", other)


def unquantised(net: Net) -> None:
    other = net.last
    net.node("Relu").node("Add", other)


def averaged(pool: str, mode: str) -> Callable[[Net], object]:
    return lambda net: net.node(pool).node("Trunc", 0.5, 0.0, 6.0, 0.5, 4.0, rounding_mode=mode)


BAD: dict[str, tuple[Callable[[Net], object], str]] = {
    "pool": (pooled, "GlobalAveragePool without Trunc"),
    "rounded mean": (averaged("AveragePool", "ROUND"), "Trunc with rounding mode ROUND"),
    "mean of a map": (averaged("GlobalAveragePool", "FLOOR"), "Trunc behind GlobalAveragePool"),
    "signs": (lambda net: net.bipolar(0.5), "a bipolar activation whose scale is not 1"),
    "groups": (grouped, "2 groups of 4 outputs"),
    "scales": (unequal, "branches of different scales"),
    "zero point": (lambda net: net.quant(4, 0.5, zero=3.0), "zero point is not 0"),
    "rounding": (lambda net: net.quant(4, 0.5, mode="FLOOR"), "rounding mode FLOOR"),
    "bits": (lambda net: net.quant(12, 0.5), "12 bits"),
    "operation": (lambda net: net.node("LeakyRelu"), "no rule for LeakyRelu; --integers"),
    "nowhere": (
        lambda net: net.node("DepthToSpace", blocksize=2),
        "no rule for DepthToSpace; networks with it run on bitfold's own accelerator",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_finn_would_trip_over_is_named(name: str) -> None:
    change, words = BAD[name]
    net = Net(2, 4, 4).quant(4, 0.5)
    change(net)
    found = findings(net.model())
    assert len(found) == 1
    assert words in str(found[0])


def test_all_findings_stand_in_one_message_and_nothing_is_written(tmp_path: Path) -> None:
    net = Net(2, 4, 4).quant(4, 0.5)
    unequal(net)
    pooled(net.quant(4, 0.5))
    net.shape_node("Flatten").gemm(np.ones((3, 2)), 3, 1.0)
    path, out = tmp_path / "bad.onnx", tmp_path / "out.onnx"
    path.write_bytes(net.model().SerializeToString())
    done = CliRunner().invoke(cli, ["export", str(path), "-o", str(out)])
    said = str(done.exception)
    assert "different scales" in said
    assert "without Trunc" in said
    assert not out.exists()
    done = CliRunner().invoke(cli, ["export", str(path), "--integers", "-o", str(out)])
    assert done.exit_code == 0
    assert out.exists()


def test_what_does_not_depend_on_the_input_is_folded_by_finn(tmp_path: Path) -> None:
    """Brevitas writes a flattening as Shape, Gather, ..., and scales as powers."""
    net = Net(2, 4, 4).quant(4, 0.5)
    size = net.node("Shape", source=net.last)
    batch = net.node("Gather", net.constant([0], np.int64), source=size, axis=0)
    shape = net.node("Concat", net.constant([-1], np.int64), source=batch, axis=0)
    net.node("Reshape", shape)
    scale = net.node("Pow", 2.0, source=net.constant(0.5))
    net.gemm(np.ones((3, 32)), 3, scale)
    assert findings(net.model()) == ()


@pytest.mark.parametrize("make", [*TAKEN, *LEFT])
def test_what_takes_more_than_finns_default_steps_is_said(make, tmp_path, capsys) -> None:
    path, out = tmp_path / "model.onnx", tmp_path / "finn.onnx"
    path.write_bytes(make().SerializeToString())
    assert run(["export", str(path), "-o", str(out)]) == 0
    said = capsys.readouterr().err
    assert ("warning: FINN's default steps do not take" in said) == (make in LEFT)
    assert ("--integers, or steps of your own" in said) == (make in LEFT)
    assert out.exists()


def test_signs_that_are_padded_are_refused() -> None:
    (found,) = findings(padded_signs())
    assert "pads bipolar values with zeros" in str(found)


def test_the_greatest_of_a_map_is_refused(tmp_path: Path, capsys) -> None:
    path = Net(2, 4, 4).quant(4, 0.5).conv(np.ones((2, 2, 1, 1)), 3, 1.0).save(tmp_path, 4)
    assert run(["export", str(path), "--top-k", "-o", str(tmp_path / "out.onnx")]) == 2
    assert "--top-k is of classifiers; this network's outputs are (2, 4, 4)" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out.onnx").exists()


def test_what_onnx_lets_one_leave_out_is_written_down() -> None:
    net = Net(2, 4, 4).quant(4, 0.5).conv(np.ones((2, 2, 3, 3)), 3, 1.0)
    net.node("MaxPool", kernel_shape=[2, 2]).shape_node("Flatten").gemm(np.ones((3, 2)), 3, 1.0)
    model = net.model()
    spell_out(model)
    conv, pool, gemm = (
        next(node for node in model.graph.node if node.op_type == kind)
        for kind in ("Conv", "MaxPool", "Gemm")
    )
    windows = {"strides": [1, 1], "pads": [0, 0, 0, 0]}
    given = {"kernel_shape": [3, 3], "group": 1, "dilations": [1, 1]}
    assert {a.name: onnx.helper.get_attribute_value(a) for a in conv.attribute} == windows | given
    found = {a.name: onnx.helper.get_attribute_value(a) for a in pool.attribute}
    assert found == windows | {"kernel_shape": [2, 2]}
    (bias,) = (t for t in model.graph.initializer if t.name == gemm.input[2])
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(bias), np.zeros(3, np.float32))

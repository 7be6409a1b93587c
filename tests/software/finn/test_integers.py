"""FINN-ONNX of integer graphs: QONNX's own execution gives the golden model's integers."""

import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from bitfold.compiler.pipeline import run_pipeline
from bitfold.errors import UnsupportedOp
from bitfold.finn.estimate import finn_samples
from bitfold.finn.integers import to_finn
from bitfold.ir import Graph
from bitfold.ir.ops import DepthToSpace

sys.path.insert(0, str(Path(__file__).parent))
from finn_graphs import bipolar, flattened, residual, windows

from integer_graphs import ChainBuilder, digits_like, mlp

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx


def without_head(graph: Graph) -> Graph:
    """Up to the layers that are FINN's own hardware and run nowhere else."""
    kept = [n.name for n in graph.nodes]
    end = kept.index("q_last")
    return Graph(
        nodes=graph.nodes[: end + 1],
        input=graph.input,
        output="q_last",
        input_map=graph.input_map,
        output_map=graph.output_map,
    )


GRAPHS: dict[str, Callable[[int], Graph]] = {
    "digits_like": digits_like,
    "mlp": mlp,
    "bipolar mlp": lambda seed: mlp(seed, bipolar=True),
    "residual": lambda seed: without_head(residual(seed)),
    "windows": windows,
    "flattened": flattened,
    "bipolar": bipolar,
}


@pytest.mark.filterwarnings("ignore")  # qonnx warns of its own parts
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", GRAPHS)
def test_execution_gives_the_golden_integers(name: str, seed: int) -> None:
    graph = run_pipeline(GRAPHS[name](seed))
    model = ModelWrapper(to_finn(graph))
    samples = np.load(io.BytesIO(finn_samples(graph, 3)))
    read, made = model.graph.input[0].name, model.graph.output[0].name
    assert len(np.unique(samples["y"])) > 2
    for x, y in zip(samples["x"], samples["y"], strict=True):
        assert model.get_tensor_shape(read) == [1, *x.shape]
        found = execute_onnx(model, {read: x[None]})[made]
        np.testing.assert_array_equal(found, y[None])


def test_types_are_annotated() -> None:
    model = ModelWrapper(to_finn(run_pipeline(residual())))
    onnx.checker.check_model(model.model)
    kinds = {n.name: model.get_tensor_datatype(n.name).name for n in model.graph.value_info}
    assert kinds["q_depthwise"] == "INT2"
    assert kinds["q_last"] == "UINT8"
    assert model.get_tensor_datatype("stem_weights").name == "INT3"
    assert model.get_tensor_sparsity("depthwise_weights") == {"dw": {"kernel_shape": [3, 3]}}
    assert model.get_tensor_sparsity("pointwise_weights") is None


def refused(change: Callable[[ChainBuilder], None]) -> str:
    b = ChainBuilder(np.random.default_rng(0))
    b.input((4, 6, 6), 4, signed=True)
    change(b)
    with pytest.raises(UnsupportedOp) as error:
        to_finn(b.graph())
    return str(error.value)


def test_what_finn_has_no_layer_for_is_refused_by_name() -> None:
    assert "FINN has no layer for DepthToSpace" in refused(
        lambda b: b.add("shuffled", DepthToSpace(b.last.name, 2, "DCR"))
    )
    padded = refused(lambda b: b.pool("pool", (2, 2), (2, 2), (1, 1, 1, 1)))
    assert "'pool'" in padded
    assert "pads with zeros" in padded
    assert "longer than its kernel" in refused(lambda b: b.pool("pool", (2, 2), (3, 3)))
    assert "flattened map leaves" in refused(lambda b: b.flatten())
    flips = refused(lambda b: b.thresholds("q", 2, flips=True))
    assert "fall as the sum grows" in flips


def test_sums_beyond_float32_are_refused() -> None:
    def wide(b: ChainBuilder) -> None:
        b.flatten()
        for number in range(3):
            b.dense(f"fc{number}", 64, 8)

    assert "exact to 24" in refused(wide)

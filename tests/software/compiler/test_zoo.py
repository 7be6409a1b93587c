"""Networks made by others, where they lie beside the checkout; test_read_qonnx has their likes."""

import numpy as np
import pytest

from bitfold.compiler.check import compare
from bitfold.compiler.input_quantiser import add_input_quantiser
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError
from zoo import ZOO, needs_zoo

pytestmark = needs_zoo


@pytest.mark.parametrize("name", ["zoo_mnist_tfc_1w1a", "zoo_unsw_nb15_mlp_w2a2"])
def test_compiled_integers_equal_the_file(name):
    path = ZOO / f"{name}.onnx"
    graph = run_pipeline(read_qonnx(path))
    x = np.random.default_rng(0).random((100, *graph.input_type.shape), dtype=np.float32)
    if "unsw" in name:  # states in the file that it is fed -1 and +1
        x = np.where(x < 0.5, -1, 1).astype(np.float32)
    found = compare(path, graph, x)
    assert (found.mismatches, found.float32_mismatches, found.qonnx_mismatches) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("qonnx_residual_block_clean", "a float model"),
        ("zoo_jettagging_qkeras_w6a6", r"'MatMul_0': the input reaches it without a quantiser"),
    ],
)
def test_refused(name, match):
    with pytest.raises(ModelError, match=match):
        read_qonnx(ZOO / f"{name}.onnx")


def test_jet_tagging_compiles_once_its_input_is_quantised(tmp_path):
    path = tmp_path / "jet.onnx"
    add_input_quantiser(ZOO / "zoo_jettagging_qkeras_w6a6.onnx", path, bits=8, scale=1 / 16)
    graph = run_pipeline(read_qonnx(path))
    x = np.random.default_rng(0).normal(0, 2, (400, 16)).astype(np.float32)
    found = compare(path, graph, x)
    # Every scale is a power of two, so that float32 sums are exact and ties are many.
    assert (found.mismatches, found.float32_mismatches, found.qonnx_mismatches) == (0, 0, 0)
    assert graph.notes == ("left to the host: Softmax_0; outputs are the values before",)

"""The claim that tests of the reader make: compiled integers are those of the file."""

import numpy as np

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.ir import quantise_input, run


def assert_exact(path, x, *, float32=True, ties="even"):
    """Reader and pipeline both equal the file; with `float32` also under float32 sums."""
    graph = read_qonnx(path, ties)
    ready = run_pipeline(graph)
    found = compare(path, ready, x, qonnx_samples=3, ties=ties)
    assert (found.mismatches, found.argmax_mismatches, found.qonnx_mismatches) == (0, 0, 0)
    if float32:
        assert (found.float32_mismatches, found.float32_argmax_mismatches) == (0, 0)
    assert found.outputs == len(x) * np.prod(ready.output_type.shape)
    reals = graph.output_map.to_real(run(graph, quantise_input(graph, x)))
    again = ready.output_map.to_real(run(ready, quantise_input(ready, x)))
    np.testing.assert_array_equal(reals, again)
    return ready

"""Random networks with branches: the integer graph equals the file, before and after the passes."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings

from bitfold.compiler.check import compare
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from random_networks import networks


@given(made=networks())
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_integers_equal_the_file(tmp_path: Path, made) -> None:
    net, x = made
    path = net.save(tmp_path, rank=4 if net.nodes[-1].op_type == "Conv" else 2)
    graph = read_qonnx(path)
    ready = run_pipeline(graph)
    assert compare(path, graph, x, qonnx_samples=0).mismatches == 0
    found = compare(path, ready, x, qonnx_samples=1)
    assert (found.mismatches, found.qonnx_mismatches) == (0, 0)

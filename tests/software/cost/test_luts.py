"""Predictions against real synthesis."""

from pathlib import Path

import pytest

from bitfold.compiler.compile import compile_model
from bitfold.synth.flow import synth_design
from demo_net import demo_model

pytestmark = pytest.mark.synth


@pytest.mark.parametrize("target", ["xc7", "ecp5"])
def test_a_network_of_the_demos_shape_is_predicted_within_a_tenth(
    target: str, tmp_path: Path
) -> None:
    model = demo_model(tmp_path / "model.onnx")
    design = compile_model(model, tmp_path / "design", fps=10_000, target=target)
    made = synth_design(design, target, tmp_path / "synth", place=False, tree=False).totals
    assert design.predicted["luts"] == pytest.approx(made.luts, rel=0.1)
    assert design.predicted["brams"] == made.brams

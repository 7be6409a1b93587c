import numpy as np

from bitfold.cli import main
from bitfold.compiler.read_qonnx import FINN_TIES
from bitfold.ir.text import load
from qonnx_nets import Net, grid


def test_ties_of_finn_reach_the_design_and_its_check(tmp_path, capsys):
    rng = np.random.default_rng(0)
    net = Net(8).quant(4, 0.25, signed=1).gemm(rng.normal(size=(6, 8)), 4, 0.25)
    model = net.quant(3, 0.25, signed=1).gemm(rng.normal(size=(3, 6)), 4, 0.25).save(tmp_path)
    np.savez(tmp_path / "test.npz", x=grid(rng, (50, 8), 0.25, -8, 8))
    for ties, notes in (("even", ()), ("finn", (FINN_TIES,))):
        out = tmp_path / ties
        assert main.run(["compile", str(model), "-o", str(out), "--ties", ties]) == 0
        assert "50 samples through QONNX: 0 of 150 integers differ" in capsys.readouterr().out
        assert load(out).notes == notes
    even, finn = (load(tmp_path / ties) for ties in ("even", "finn"))
    steps = [graph.nodes[2].op.thresholds for graph in (even, finn)]
    assert (steps[0] != steps[1]).any()
    assert (steps[0] - steps[1] <= 1).all()

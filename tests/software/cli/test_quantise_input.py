from pathlib import Path

import numpy as np
import pytest

from bitfold.cli.main import run
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.errors import ModelError
from qonnx_nets import Net


def bare(folder: Path) -> Path:
    """A network whose input is real."""
    return Net(6).gemm(np.ones((3, 6)), 3, 1.0).save(folder)


def test_a_network_that_was_refused_is_read_afterwards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = bare(tmp_path)
    with pytest.raises(ModelError, match="bitfold quantise-input"):
        read_qonnx(path)
    assert run(["quantise-input", str(path), "--scale", "1/255"]) == 0
    made = path.with_name(f"{path.stem}_input.onnx")
    assert capsys.readouterr().out.strip() == str(made)
    graph = read_qonnx(made)
    assert (graph.input_type.bits, graph.input_type.signed) == (8, False)
    assert np.float32(graph.input_map.scale) == np.float32(1 / 255)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--scale", "0/0"], "is no number"),
        (["--scale", "-1"], "must be positive"),
        (["--scale", "1", "--bits", "9"], "from 1 to 8"),
        (["--bits", "4"], "--scale"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_written(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = bare(tmp_path)
    assert run(["quantise-input", str(path), *options]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]

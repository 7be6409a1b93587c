"""modes.json written by hand, badly: one message each, exit code 2."""

import json
from pathlib import Path

import numpy as np
import pytest

from bitfold.cli import main
from qonnx_nets import Net

FINE = {"layers": {}}
HEAD = b'{"kind": "modes", "schema": 1, "modes": '


def listing(*modes: object) -> bytes:
    return HEAD + json.dumps(modes).encode() + b"}"


def asking(**bits: object) -> bytes:
    return listing(FINE, {"layers": {"Gemm_10": bits}})


BAD: dict[str, tuple[bytes, str]] = {
    "empty file": (b"", "damaged modes file"),
    "not UTF-8": (b'{"kind": "modes\xff"}', "damaged modes file"),
    "deep": (b"[" * 200_000, "damaged modes file"),
    "twice": (
        HEAD + b'[{"layers": {"a": {"w_bits": 1}, "a": {"w_bits": 2}}}]}',
        "damaged modes file ('a' stands twice in one object)",
    ),
    "another schema": (b'{"kind": "modes", "schema": 2}', "modes schema 2, this bitfold reads 1"),
    "no modes": (b'{"kind": "modes", "schema": 1}', 'malformed: "modes" must be a list of objects'),
    "an object": (HEAD + b'{"a": 1}}', 'malformed: "modes" must be a list of objects'),
    "words": (listing("file", "file"), 'malformed: "modes" must be a list of objects'),
    "none": (listing(), "lists 0 modes, an accelerator has 2 to 256"),
    "too many": (listing(*[FINE] * 257), "lists 257 modes, an accelerator has 2 to 256"),
    "no layers": (listing(FINE, {}), 'mode 1: "layers" must be an object of layers, got None'),
    "a key of a mode": (
        listing(FINE, {"layer": {}}),
        "mode 1: unknown key 'layer'; did you mean 'layers'",
    ),
    "a key of a layer": (
        asking(w_bit=2),
        "mode 1: layer 'Gemm_10': unknown key 'w_bit'; did you mean 'w_bits'",
    ),
    "a bare number": (
        listing(FINE, {"layers": {"Gemm_10": 2}}),
        'layer \'Gemm_10\' must be an object of "w_bits" and "a_bits", got 2',
    ),
    "a float": (asking(w_bits=2.0), '"w_bits" must be a whole number, got 2.0'),
    "a word": (asking(a_bits="2"), "\"a_bits\" must be a whole number, got '2'"),
    "a truth": (asking(w_bits=True), '"w_bits" must be a whole number, got True'),
    "null": (asking(w_bits=None), '"w_bits" must be a whole number, got None'),
    "negative": (asking(w_bits=-1), "'Gemm_10' asks for -1 weight and 4 activation planes; there"),
    "huge": (asking(w_bits=10**30), f"'Gemm_10' asks for {10**30} weight and 4 activation planes"),
    "unknown layer": (
        listing(FINE, {"layers": {"fc9": {}}}),
        "modes.json: mode 1: no layer 'fc9'; there are: Gemm_10, Gemm_21",
    ),
    "files and layers": (
        listing({"file": "model.onnx"}, FINE),
        "malformed: mode 1 names no file, others do; all must, or none",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dense layers as QONNX."""
    rng = np.random.default_rng(0)
    net = Net(8).quant(4, 0.25)
    net.gemm(rng.normal(0, 0.4, (6, 8)), 4, 0.125).node("Relu").quant(3, 0.5)
    net.gemm(rng.normal(0, 0.4, (3, 6)), 3, 0.125)
    out = tmp_path_factory.mktemp("hand")
    net.save(out)
    return out


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_wrong_is_said_in_one_message(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, rule = BAD[name]
    path = folder / "modes.json"
    path.write_bytes(content)
    assert main.run(["compile", str(path), "-o", str(folder / "design")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"bitfold: {path}: ")
    assert said.count("\n") == 1
    assert rule in said
    assert not (folder / "design").exists()


def test_a_model_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "modes.json").write_bytes(listing(FINE, FINE))
    assert main.run(["cost", str(tmp_path / "modes.json")]) == 2
    assert f"{tmp_path / 'model.onnx'}: no such file" in capsys.readouterr().err

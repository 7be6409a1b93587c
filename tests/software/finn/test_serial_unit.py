"""A bit-serial layer for FINN as numbers: cycles, foldings, prices, the command line's spelling."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bitfold.cli.estimate import Backend
from bitfold.cli.main import cli
from bitfold.cost.memories import memories
from bitfold.cost.shape import Folding
from bitfold.errors import ConfigError
from bitfold.finn.carried import carried_files
from bitfold.finn.serial_unit import SerialUnit, cheapest, serial_foldings, target_of

UNIT = SerialUnit(
    inputs=12,
    outputs=8,
    pixels=10,
    planes=4,
    act_signed=False,
    w_planes=6,
    w_bipolar=False,
    folding=Folding(pe=2, simd=4),
    out_bits=14,
)


def test_a_frame_takes_the_products_of_its_bits() -> None:
    assert UNIT.cycles == 10 * (8 // 2) * (12 // 4) * 6 * 4
    parallel = replace(UNIT, folding=Folding(pe=2, simd=4, wp=6, ap=4))
    assert parallel.cycles == 10 * 4 * 3
    odd = replace(UNIT, folding=Folding(pe=2, simd=4, wp=4, ap=3))
    assert odd.cycles == 10 * 4 * 3 * 2 * 2


def test_it_has_memories_of_weights_vectors_and_results_alone() -> None:
    weights, vectors, results = memories(UNIT.stage)
    assert (weights.depth, weights.width, weights.writable) == (4 * 6 * 3, 2 * 4, False)
    assert (vectors.depth, vectors.width) == (2 * 3 * 4, 4)
    assert results.width == 2 * UNIT.out_bits


def test_foldings_are_all_pairs_of_divisors() -> None:
    found = list(serial_foldings(UNIT))
    assert len({each.folding for each in found}) == len(found) == 4 * 6 * 4 * 3


def test_the_cheapest_is_fast_enough_and_none_as_fast_is_cheaper() -> None:
    for cycles in (100, 480, 5_000, 30_000, 100_000):
        chosen = cheapest(UNIT, cycles, "xc7")
        assert chosen.cycles <= cycles
        others = [each for each in serial_foldings(UNIT) if each.cycles <= cycles]
        assert chosen.price("xc7") == min(each.price("xc7") for each in others)
    assert all(each.cycles <= 100_000 for each in serial_foldings(UNIT))  # so of all, the cheapest
    assert cheapest(UNIT, 100_000, "xc7").folding.lanes <= 3
    ten = replace(UNIT, inputs=10, folding=Folding(pe=2, simd=2))
    assert cheapest(ten, 100_000, "xc7").folding.lanes <= 2


def test_what_cannot_be_fast_enough_is_as_fast_as_can_be() -> None:
    assert cheapest(UNIT, 3, "xc7").cycles == UNIT.pixels


def test_a_faster_folding_takes_more_luts() -> None:
    luts = [cheapest(UNIT, cycles, "xc7").luts("xc7") for cycles in (10, 100, 1_000, 10_000)]
    assert luts == sorted(luts, reverse=True)
    assert len(set(luts)) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pe": 3}, "PE 3 must divide MH 8"),
        ({"simd": 5}, "SIMD 5 must divide MW 12"),
        ({"wp": 7}, "WP 7 is at most the 6 planes of a weight"),
        ({"ap": 5}, "AP 5 at most the 4"),
    ],
)
def test_foldings_that_do_not_fit_are_refused(change: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replace(UNIT, folding=Folding(**({"pe": 2, "simd": 4} | change)))


def test_parts_have_tables_or_are_refused() -> None:
    assert target_of("xc7z020clg400-1") == "xc7"
    assert target_of("xck26-sfvc784-2LV-c") == "xcup"
    with pytest.raises(ConfigError, match=r"xcvc1902.*no table of prices"):
        target_of("xcvc1902-vsva2197-2MP-e-S")


def test_a_top_pads_its_streams_to_bytes() -> None:
    text = UNIT.verilog("layer", "./w.mem")
    assert "input  wire [15:0] in0_V_TDATA" in text
    assert "output wire [31:0] out0_V_TDATA" in text
    assert "assign out0_V_TDATA = {4'b0, out};" in text
    assert "unused" not in text
    assert "unused = ^in0_V_TDATA[15:12]" in replace(UNIT, planes=3).verilog("layer", "./w.mem")


@pytest.mark.parametrize("bitserial", [False, True])
def test_what_goes_to_finn_imports_nothing_that_stays_here(bitserial: bool) -> None:
    files = carried_files(bitserial=bitserial)
    modules = {name.removesuffix(".py").replace("/", ".") for name in files}
    modules |= {name.removesuffix(".__init__") for name in modules}
    for name, data in files.items():
        if name.endswith(".py"):
            needed = re.findall(r"^\s*(?:from|import) (bitfold[\w.]*)", data.decode(), re.M)
            assert set(needed) <= modules, name
            assert b"import onnx\n" not in data
    assert ("bitfold/_hardware/rtl/bf_finn_mvu.sv" in files) is bitserial
    assert not any(os.path.isabs(name) for name in files)


CHECKED = """
[mypy]
python_version = 3.10
[mypy-finn.*,qonnx.*,onnx.*,scipy.*]
ignore_missing_imports = True
follow_imports = skip
"""


def test_what_goes_to_finn_is_python_3_10(tmp_path: Path) -> None:
    """That of FINN's container; a name of the library that is newer is an error."""
    for name, data in carried_files(bitserial=True).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "mypy.ini").write_text(CHECKED)
    cache = Path(__file__).parents[3] / "build" / "tests" / "mypy"
    words = ["-m", "mypy", "--config-file=mypy.ini", f"--cache-dir={cache}", "-p", "bitfold"]
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("finn", ()),
        ("finn-bitserial", "all"),
        ("finn-bitserial:smaller", "smaller"),
        ("finn-bitserial:MVAU_rtl_0,MVAU_hls_1", ("MVAU_rtl_0", "MVAU_hls_1")),
    ],
)
def test_layers_are_named_behind_the_backend(text: str, wanted: str | tuple[str, ...]) -> None:
    assert Backend().convert(text, None, None) == wanted


@pytest.mark.parametrize("text", ["hls4ml", "finn-bitserial:", "finn:all"])
def test_another_backend_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(click.BadParameter, match="is not one of finn, finn-bitserial"):
        Backend().convert(text, None, None)
    (tmp_path / "m.onnx").touch()
    done = CliRunner().invoke(cli, ["estimate", str(tmp_path / "m.onnx"), "--backend", text])
    assert done.exit_code == 2

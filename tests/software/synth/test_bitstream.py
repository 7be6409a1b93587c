"""Bitstreams for boards of each family; those of the ULX3S are in test_flow.py."""

from pathlib import Path

import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.errors import ConfigError
from bitfold.synth.bitstream import bitstream, check_style
from bitfold.synth.boards import load_board
from integer_graphs import mlp
from toy_design import toy_design

# Board, its clock, what its file begins with (the part; a preamble; the part's IDCODE), resources.
MADE = [
    ("orangecrab", None, b"\xff\x00Part: LFE5U-25F-8CSFBGA285", {"TRELLIS_IO": 7}),
    ("icebreaker", 18.0, b"\xff\x00\x00\xff\x7e\xaa\x99\x7e", {"ICESTORM_PLL": 1, "SB_IO": 6}),
    (
        "tang-nano-9k",
        None,
        f"\n{0x06 << 56 | 0x1100481B:064b}\n".encode(),
        {"IOB": 10, "RAM16SDP4": 12},
    ),
]


@pytest.mark.synth
@pytest.mark.parametrize(
    ("board", "clock_mhz", "mark", "used"), MADE, ids=["ecp5", "ice40", "gowin"]
)
def test_a_bitstream_is_made_for_every_family(
    board: str, clock_mhz: float | None, mark: bytes, used: dict[str, int], tmp_path: Path
) -> None:
    design = toy_design(tmp_path / "design")
    cache = tmp_path / "cache"
    made = bitstream(design, board, tmp_path / "bit", cache, clock_mhz=clock_mhz)
    data = (tmp_path / "bit" / made.file).read_bytes()
    assert mark in data[:400]
    assert made.size_bytes == len(data)
    assert made.fmax_mhz >= made.clock_mhz == (clock_mhz or load_board(board).clock_mhz)
    assert {name: made.placed.used[name] for name in used} == used


def test_cells_of_another_family_are_refused(tmp_path: Path) -> None:
    """Plain SystemVerilog, which is what ice40 gets, fits all."""
    fitting = {"xc7": (), "ecp5": ("ulx3s",), "ice40": ("ulx3s", "icebreaker", "tang-nano-9k")}
    for target, boards in fitting.items():
        design = compile_graph(mlp(), tmp_path / target, source={}, target=target)
        for board in boards:
            check_style(design, load_board(board))
        for board in {"ulx3s", "icebreaker", "tang-nano-9k"} - {*boards}:
            with pytest.raises(ConfigError, match=rf"compiled for {target}.*--target"):
                check_style(design, load_board(board))


def test_an_accelerator_for_another_board_is_not_started(tmp_path: Path) -> None:
    design = compile_graph(mlp(), tmp_path / "design", source={}, target="ecp5")
    with pytest.raises(ConfigError, match=r"the board has ice40\. Compile it with --target ice40"):
        bitstream(design, "icebreaker", tmp_path / "bit", tmp_path / "cache")
    assert not (tmp_path / "bit").exists()

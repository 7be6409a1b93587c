import re

import pytest

from bitfold.errors import ConfigError
from bitfold.synth.boards import (
    bit_cycles,
    board_flow,
    board_names,
    board_part,
    load_board,
    pll,
)
from bitfold.synth.target import load_target

BOARD = load_board("ulx3s")


@pytest.mark.parametrize("name", [n for n in board_names() if board_flow(n) == "open"])
def test_every_board_is_complete(name: str) -> None:
    board = load_board(name)
    target = load_target(board.target)
    assert target.place
    assert board.part in board.parts
    for part in board.parts:
        assert target.part(part).name == part
    for file in (*board.rtl, board.constraints):
        assert (board.folder / file).is_file()


def test_constraints_name_every_port_of_the_top_once() -> None:
    top = (BOARD.folder / "ulx3s_top.sv").read_text()
    ports = set()
    for width, name in re.findall(r"^  (?:input|output) +logic +(\[.*?\] )?(\w+)", top, re.M):
        bits = int(width[1:].split(":")[0]) + 1 if width else 0
        ports |= {f"{name}[{i}]" for i in range(bits)} if bits else {name}
    lpf = (BOARD.folder / BOARD.constraints).read_text()
    located = re.findall(r'^LOCATE COMP "(.*?)" SITE "(\w+)";', lpf, re.M)
    assert sorted(name for name, _ in located) == sorted(ports)
    assert len({site for _, site in located}) == len(located)
    assert set(re.findall(r'^IOBUF PORT "(.*?)"', lpf, re.M)) == ports


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="'ulx3' is unknown; did you mean 'ulx3s'"):
        load_board("ulx3")
    with pytest.raises(ConfigError, match="boards: kv260, pynq-z1, pynq-z2, ulx3s"):
        load_board("zzz")
    with pytest.raises(ConfigError, match="board 'kv260' is built by vivado"):
        load_board("kv260")
    with pytest.raises(ConfigError, match="has no 'up5k'; parts: lfe5u-12f"):
        board_part(BOARD, "up5k")
    assert board_part(BOARD, None) == "lfe5u-85f"


@pytest.mark.parametrize("clock_mhz", [12.5, 25.0, 37.5, 50.0, 62.5, 75.0, 100.0, 125.0, 200.0])
def test_pll_stays_in_its_ranges(clock_mhz: float) -> None:
    found = pll(BOARD, clock_mhz)
    assert found.clock_mhz == clock_mhz == 25.0 * found.feedback_div / found.in_div
    if clock_mhz != 25.0:
        assert 400 <= clock_mhz * found.out_div <= 800
        assert 25.0 / found.in_div >= 10
    else:
        assert found.out_div == 0


def test_pll_names_the_nearest_clock_that_there_is() -> None:
    with pytest.raises(ConfigError, match=r"no PLL dividers give 51 MHz from 25; nearest is 50"):
        pll(BOARD, 51.0)


def test_baud_must_divide_the_clock() -> None:
    assert bit_cycles(25.0, 1_000_000) == 25
    assert bit_cycles(25.0, 115_200) == 217
    with pytest.raises(ConfigError, match=r"8\.33 cycles"):
        bit_cycles(25.0, 3_000_000)
    with pytest.raises(ConfigError, match="at least 4"):
        bit_cycles(12.5, 12_500_000)

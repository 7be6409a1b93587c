import re
import tomllib

import pytest

from bitfold.cli.main import run
from bitfold.errors import ConfigError
from bitfold.hardware import hardware_folder
from bitfold.synth.boards import (
    Board,
    bit_cycles,
    board_flow,
    board_names,
    board_part,
    load_board,
    pll,
    usual_clock,
)
from bitfold.synth.target import load_target
from toy_design import toy_design

BOARD = load_board("ulx3s")
OPEN = [name for name in board_names() if board_flow(name) == "open"]
# How each kind of constraints gives a port its pin.
PINS = {
    ".lpf": re.compile(r'^LOCATE COMP "(.*?)" SITE "(\w+)";', re.M),
    ".pcf": re.compile(r"^set_io (?:-\w+ yes )*(\S+) (\d+)$", re.M),
    ".cst": re.compile(r'^IO_LOC "(.*?)" (\d+);', re.M),
}
# And its levels, where that must be said for each port.
LEVELS = {
    ".lpf": re.compile(r'^IOBUF PORT "(.*?)" .*IO_TYPE=', re.M),
    ".cst": re.compile(r'^IO_PORT "(.*?)" .*IO_TYPE=', re.M),
}


def ports(board: Board) -> set[str]:
    """Of the top, bit by bit, without those that the board lacks."""
    top = (hardware_folder() / "boards" / "common" / "board_top.sv").read_text()
    found = set(re.findall(r"^  (?:input|output) +logic +(\w+)", top, re.M)) - set(board.absent)
    assert re.search(r"^  output logic \[Leds-1:0\] led_o$", top, re.M)
    return found | {f"led_o[{i}]" for i in range(board.leds)}


@pytest.mark.parametrize("name", OPEN)
def test_every_board_is_complete(name: str) -> None:
    board = load_board(name)
    target = load_target(board.target)
    assert target.place
    assert target.pack
    assert board.part in board.parts
    for part in board.parts:
        assert target.part(part).name == part
    for modes in (False, True):
        assert all(file.is_file() for file in board.rtl(modes=modes))
    assert bit_cycles(board.clock_mhz, board.baud) >= 8


@pytest.mark.parametrize("name", OPEN)
def test_constraints_name_every_port_of_the_top_once(name: str) -> None:
    board = load_board(name)
    file = board.folder / board.constraints
    text = file.read_text()
    located = PINS[file.suffix].findall(text)
    assert sorted(port for port, _ in located) == sorted(ports(board))
    assert len({pin for _, pin in located}) == len(located)
    if file.suffix in LEVELS:
        assert sorted(LEVELS[file.suffix].findall(text)) == sorted(ports(board))
    assert re.search(r"^(#|//) Source: |^# ULX3S v2", text, re.M), "where the pins are from"


@pytest.mark.parametrize("name", OPEN)
def test_a_board_is_two_files(name: str) -> None:
    board = load_board(name)
    assert sorted(p.name for p in board.folder.rglob("*") if p.is_file()) == sorted(
        ["board.toml", board.constraints]
    )
    table = tomllib.loads((board.folder / "board.toml").read_text())
    text = (board.folder / board.constraints).read_text()
    stated = re.findall(r'^FREQUENCY PORT "clk_i" (\d+) MHZ;', text, re.M)
    assert all(float(mhz) == table["clock_mhz"] for mhz in stated)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="'ulx3' is unknown; did you mean 'ulx3s'"):
        load_board("ulx3")
    with pytest.raises(ConfigError, match=r"boards: .*kv260, .*pynq-z1, pynq-z2, .*ulx3s"):
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


@pytest.mark.parametrize("clock_mhz", [12.0, 18.0, 21.0, 24.0, 30.0, 39.75])
def test_pll_of_ice40_divides_behind_its_loop(clock_mhz: float) -> None:
    found = pll(load_board("icebreaker"), clock_mhz)
    assert found.clock_mhz == clock_mhz
    if clock_mhz == 12.0:
        assert found.out_div == 0
        return
    assert clock_mhz == 12.0 * found.feedback_div / found.in_div / found.out_div
    assert 533 <= clock_mhz * found.out_div <= 1066
    assert found.in_div == 1
    assert found.out_div in (2, 4, 8, 16, 32, 64)
    assert found.feedback_div <= 128


def test_a_family_without_pll_runs_at_the_oscillator() -> None:
    board = load_board("tang-nano-9k")
    assert pll(board, 27.0).out_div == 0
    with pytest.raises(ConfigError, match="PLLs of gowin are not used, so that the clock is 27"):
        pll(board, 54.0)


def test_pll_names_the_nearest_clock_that_there_is() -> None:
    with pytest.raises(ConfigError, match=r"no PLL dividers give 51 MHz from 25; nearest is 50"):
        pll(BOARD, 51.0)


def test_a_board_that_cannot_make_the_designs_clock_runs_at_its_own() -> None:
    assert usual_clock(BOARD, 50.0) == 50.0
    assert usual_clock(load_board("orangecrab"), 50.0) == 48.0
    assert usual_clock(load_board("orangecrab"), 24.0) == 24.0
    assert usual_clock(load_board("tang-nano-20k"), 50.0) == 27.0


@pytest.mark.parametrize("clock_mhz", [0.0, -25.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["ulx3s", "icebreaker", "tang-nano-9k"])
def test_what_is_no_clock_is_refused(name: str, clock_mhz: float) -> None:
    with pytest.raises(ConfigError, match=f"{name}: a clock must be positive and finite, got"):
        pll(load_board(name), clock_mhz)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--clock-mhz", "0"), "a clock must be positive and finite, got 0.0"),
        (("--clock-mhz", "nan"), "a clock must be positive and finite, got nan"),
        (("--baud", "0"), "baud must be 1 or more, got 0"),
        (("--board", "pynq-z1", "--clock-mhz", "0", "--dry-run"), "clock 0 MHz is outside 1 to"),
    ],
)
def test_a_zero_is_not_taken_for_the_default(given, words, tmp_path, capsys) -> None:
    design = toy_design(tmp_path / "design").folder
    assert run(["bitstream", str(design), *given]) == 2
    assert words in capsys.readouterr().err


def test_baud_must_divide_the_clock() -> None:
    assert bit_cycles(25.0, 1_000_000) == 25
    assert bit_cycles(25.0, 115_200) == 217
    with pytest.raises(ConfigError, match=r"8\.33 cycles"):
        bit_cycles(25.0, 3_000_000)
    with pytest.raises(ConfigError, match="at least 4"):
        bit_cycles(12.5, 12_500_000)


def measured(document: str) -> dict[tuple[str, ...], dict[str, str]]:
    """What the table of scripts/bench_boards says in a document, by board and part."""
    lines = (hardware_folder().parent / document).read_text().splitlines()
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    heads = next(row for row in cells if row[:3] == ["board", "part", "network"])
    rows = [row for row in cells[cells.index(heads) + 2 :] if len(row) == len(heads)]
    found = {tuple(row[:2]): dict(zip(heads[2:], row[2:], strict=True)) for row in rows}
    assert len(found) == len(rows), "a board's part stands twice"
    return found


def test_the_measured_tables_hold_every_part_of_every_board_and_agree() -> None:
    short, long = measured("README.md"), measured("hardware/boards/README.md")
    every = {(name, part) for name in OPEN for part in load_board(name).parts}
    assert set(short) == set(long) == every
    for key, row in short.items():
        assert row.items() <= long[key].items()
        assert int(row["inferences/s"]) > 0

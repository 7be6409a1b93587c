import pytest

from bitfold.amd.vivado_board import FLOW, check_clock, load_vivado_board
from bitfold.errors import ConfigError
from bitfold.synth.boards import board_flow, board_names
from bitfold.synth.target import load_target

NAMES = [name for name in board_names() if board_flow(name) == FLOW]


@pytest.mark.parametrize("name", NAMES)
def test_every_board_is_complete(name: str) -> None:
    board = load_vivado_board(name)
    part = load_target(board.target).part(board.part)
    assert board.device == part.vivado
    assert board.system in ("ps7", "ps8")
    assert board.board_files or board.processor, "the settings of the processor come from somewhere"
    assert all(isinstance(value, str) for value in board.processor.values())
    assert board.memory_mb & board.memory_mb - 1 == 0
    assert check_clock(board, board.clock_mhz) == board.clock_mhz


def test_all_three_are_there() -> None:
    assert NAMES == ["kv260", "pynq-z1", "pynq-z2"]


def test_unknown_boards_and_clocks_are_refused() -> None:
    with pytest.raises(ConfigError, match="'kv26' is unknown; did you mean 'kv260'"):
        load_vivado_board("kv26")
    with pytest.raises(ConfigError, match="not built by Vivado but by the open tools"):
        load_vivado_board("ulx3s")
    for clock_mhz in (0.5, 301.0, float("nan")):
        with pytest.raises(ConfigError, match="is outside 1 to 300"):
            check_clock(load_vivado_board("kv260"), clock_mhz)

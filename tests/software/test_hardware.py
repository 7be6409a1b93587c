import pytest

from bitfold.errors import ConfigError
from bitfold.hardware import hardware_folder, needed_files

RTL = hardware_folder() / "rtl"


def test_the_folder_holds_rtl_and_boards() -> None:
    assert (RTL / "bf_mvtu.sv").is_file()
    assert (hardware_folder() / "boards").is_dir()


def test_needed_files_follow_the_names_in_the_code() -> None:
    names = [path.stem for path in needed_files(RTL, "bf_frame_rx")]
    assert names == ["bf_crc16", "bf_frame_rx"]  # bf_uart_bridge is named in a comment alone


def test_needed_files_of_several_modules_are_those_of_each_once() -> None:
    one, other = needed_files(RTL, "bf_frame_rx"), needed_files(RTL, "bf_frame_tx")
    assert needed_files(RTL, "bf_frame_tx", "bf_frame_rx") == tuple(sorted({*one, *other}))


def test_a_module_without_a_file_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"has no file bf_nothing\.sv"):
        needed_files(RTL, "bf_frame_rx", "bf_nothing")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitfold.errors import ConfigError, ToolFailed
from bitfold.host.protocol import (
    FAULT,
    PING,
    PONG,
    RESULT,
    RUN,
    BoardInfo,
    Frame,
    crc16,
    decode,
    encode,
    expect,
    missing,
    pong,
    read_pong,
    unpack_result,
)
from serial_vectors import DESIGN_ID, FRAME, FRAME_BYTES, OUTPUTS, VECTORS

INFO = BoardInfo(frame_bytes=FRAME_BYTES, outputs=OUTPUTS, design_id=DESIGN_ID)


def test_crc_has_the_published_check_value() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_requests_are_the_bytes_that_the_hardware_takes() -> None:
    assert encode(PING).hex() == VECTORS["ping"][0]
    assert encode(RUN, FRAME).hex() == VECTORS["run"][0]


def test_answers_of_the_hardware_are_understood() -> None:
    answer = decode(bytes.fromhex(VECTORS["ping"][1]))
    assert read_pong(expect(answer, PONG)) == INFO
    assert pong(INFO) == answer.payload
    integers = unpack_result(expect(decode(bytes.fromhex(VECTORS["run"][1])), RESULT))
    np.testing.assert_array_equal(integers, np.arange(3) - 5 * sum(FRAME))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wrong checksum", "error 1: the checksum"),
        ("one byte short", "error 2: the frame's length"),
        ("broken off", "error 3: the frame broke off"),
        ("unknown command", "error 4: the command"),
    ],
)
def test_an_error_answer_is_told_in_words(name: str, words: str) -> None:
    with pytest.raises(ToolFailed, match=words):
        expect(decode(bytes.fromhex(VECTORS[name][1])), RESULT)


@given(st.integers(0, 255), st.binary(max_size=300), st.binary(max_size=20))
def test_a_frame_comes_back_after_garbage(command: int, payload: bytes, garbage: bytes) -> None:
    # Garbage that holds, or whose end begins, a magic number is a frame's beginning by definition.
    if b"\xb1\xf0" in garbage or garbage.endswith(b"\xb1"):
        garbage = b""
    assert decode(garbage + encode(command, payload)) == Frame(command, payload)


@given(st.binary(max_size=40))
def test_missing_counts_down_to_the_last_byte(payload: bytes) -> None:
    frame = encode(RUN, payload)
    have = 0
    while want := missing(frame[:have]):
        assert have + want <= len(frame)
        with pytest.raises(ToolFailed, match="broke off"):
            decode(frame[:have])
        have += want
    assert have == len(frame)


def test_every_flipped_bit_is_refused() -> None:
    frame = bytearray(encode(RESULT, b"abcd"))
    for bit in range(16, 8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ToolFailed):
            decode(bytes(damaged))


def test_refuses_what_is_no_answer() -> None:
    with pytest.raises(ToolFailed, match="0x81 where 0x82"):
        expect(Frame(PONG, b""), RESULT)
    with pytest.raises(ToolFailed, match="error 99: unknown"):
        expect(Frame(FAULT, b"\x63"), RESULT)
    with pytest.raises(ToolFailed, match="version 1"):
        read_pong(b"\x02" + pong(INFO)[1:])
    with pytest.raises(ToolFailed, match="nothing"):
        read_pong(b"")
    with pytest.raises(ToolFailed, match="5 bytes"):
        unpack_result(b"12345")


def test_a_payload_has_a_greatest_length() -> None:
    assert len(encode(RUN, bytes(65535))) == 65542
    with pytest.raises(ConfigError, match="65536"):
        encode(RUN, bytes(65536))

"""What host and board say to each other over the serial line, as bytes; no port, no clock.

A frame is 0xB1 0xF0 | command | length, low byte first | payload | CRC-16, high byte first. The
CRC (CCITT-FALSE: polynomial 0x1021, start 0xFFFF) covers command, length and payload. The other
end is hardware/rtl/bf_uart_bridge.sv, whose header lists the commands.
"""

from binascii import crc_hqx
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bitfold.errors import ConfigError, ToolFailed

MAGIC = b"\xb1\xf0"
PING, RUN, RUN_MODE = 0x01, 0x02, 0x03
PONG, RESULT, FAULT = 0x81, 0x82, 0xFF
VERSION = 1
MAX_PAYLOAD = 0xFFFF
_HEAD, _TAIL = 5, 2  # bytes before and after the payload

FAULTS = {
    1: "the checksum of the frame was wrong",
    2: "the frame's length is not what the design takes",
    3: "the frame broke off",
    4: "the command is unknown",
    5: "the accelerator gave another number of outputs than the design has",
    6: "the accelerator stopped",
    7: "a byte came without stop bit; do both ends use the same baud rate?",
    8: "the design has no such precision mode",
}


@final
@dataclass(frozen=True)
class Frame:
    """One frame, checked."""

    command: int
    payload: bytes


@final
@dataclass(frozen=True, kw_only=True)
class BoardInfo:
    """What a board answers to a ping: bytes of an input, integers of an output, design id."""

    frame_bytes: int
    outputs: int
    design_id: int


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE; 0x29B1 for b"123456789"."""
    return crc_hqx(data, 0xFFFF)


def encode(command: int, payload: bytes = b"") -> bytes:
    """A frame as bytes. Raises: ConfigError for a payload above 65535 bytes."""
    if len(payload) > MAX_PAYLOAD:
        raise ConfigError(f"a frame carries at most {MAX_PAYLOAD} bytes, got {len(payload)}")
    body = bytes([command]) + len(payload).to_bytes(2, "little") + payload
    return MAGIC + body + crc16(body).to_bytes(2, "big")


def missing(buffer: bytes) -> int:
    """How many bytes a frame that starts in `buffer` still lacks at least; 0 when it is whole."""
    start = buffer.find(MAGIC)
    if start < 0:
        return _HEAD + _TAIL - (1 if buffer.endswith(MAGIC[:1]) else 0)
    have = len(buffer) - start
    if have < _HEAD:
        return _HEAD + _TAIL - have
    length = int.from_bytes(buffer[start + 3 : start + 5], "little")
    return max(0, _HEAD + length + _TAIL - have)


def decode(buffer: bytes) -> Frame:
    """The frame in `buffer`; whatever stands before its magic number is skipped.

    Raises: ToolFailed when it is not whole or its checksum is wrong.
    """
    if missing(buffer):
        raise ToolFailed(f"the board's answer broke off after {len(buffer)} bytes")
    start = buffer.find(MAGIC)
    length = int.from_bytes(buffer[start + 3 : start + 5], "little")
    body = buffer[start + 2 : start + _HEAD + length]
    crc = int.from_bytes(buffer[start + _HEAD + length :][:_TAIL], "big")
    if crc16(body) != crc:
        raise ToolFailed(
            f"the board's answer has checksum {crc:#06x}, its bytes give {crc16(body):#06x}; "
            "is the line disturbed?"
        )
    return Frame(command=body[0], payload=body[3:])


def expect(frame: Frame, command: int) -> bytes:
    """Payload of an answer that must be `command`. Raises: ToolFailed with what it says else."""
    if frame.command == FAULT and len(frame.payload) == 1:
        code = frame.payload[0]
        raise ToolFailed(f"the board answers error {code}: {FAULTS.get(code, 'unknown to us')}")
    if frame.command != command:
        raise ToolFailed(f"the board answered {frame.command:#04x} where {command:#04x} is due")
    return frame.payload


def read_pong(payload: bytes) -> BoardInfo:
    """What a board says of itself. Raises: ToolFailed for another version of the protocol."""
    if payload[:1] != bytes([VERSION]) or len(payload) != 13:
        raise ToolFailed(
            f"the board answers a ping with {payload.hex() or 'nothing'}; this is not version "
            f"{VERSION} of the protocol. Load a bitstream made by this version of bitfold."
        )
    return BoardInfo(
        frame_bytes=int.from_bytes(payload[1:3], "little"),
        outputs=int.from_bytes(payload[3:5], "little"),
        design_id=int.from_bytes(payload[5:], "big"),
    )


def pong(info: BoardInfo) -> bytes:
    """Inverse of `read_pong`."""
    sizes = info.frame_bytes.to_bytes(2, "little") + info.outputs.to_bytes(2, "little")
    return bytes([VERSION]) + sizes + info.design_id.to_bytes(8, "big")


def unpack_result(payload: bytes) -> NDArray[np.int64]:
    """The integers (outputs,) of a result. Raises: ToolFailed for a length that is none."""
    if len(payload) % 4:
        raise ToolFailed(f"the board's result has {len(payload)} bytes, not four for each integer")
    return np.frombuffer(payload, dtype="<i4").astype(np.int64)

"""A board on a serial port: ping it, send it inputs, get its integers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import numpy as np
import serial
from numpy.typing import NDArray

from bitfold.errors import ConfigError, ToolFailed
from bitfold.host import protocol
from bitfold.host.protocol import BoardInfo, Frame


@final
@dataclass(frozen=True)
class Link:
    """An open port. Each request waits for its answer for `timeout_s` and is never sent twice."""

    port: serial.Serial
    timeout_s: float

    def ping(self) -> BoardInfo:
        """What the board is. Raises: ToolFailed."""
        answer = self._ask(protocol.encode(protocol.PING))
        return protocol.read_pong(protocol.expect(answer, protocol.PONG))

    def run(self, frame: bytes, mode: int | None = None) -> NDArray[np.int64]:
        """One input through the accelerator; its integers (outputs,).

        mode: of a design that has several, 0..255. Raises: ToolFailed.
        """
        if mode is None:
            request = protocol.encode(protocol.RUN, frame)
        else:
            request = protocol.encode(protocol.RUN_MODE, frame + bytes([mode]))
        answer = self._ask(request)
        return protocol.unpack_result(protocol.expect(answer, protocol.RESULT))

    def _ask(self, request: bytes) -> Frame:
        try:
            self.port.reset_input_buffer()
            self.port.write(request)
            return protocol.decode(self._answer(time.monotonic() + self.timeout_s))
        except (serial.SerialException, OSError) as error:
            raise ToolFailed(f"serial port {self.port.port} broke off: {error}") from error

    def _answer(self, deadline: float) -> bytes:
        buffer = b""
        while want := protocol.missing(buffer):
            left = deadline - time.monotonic()
            if left <= 0:
                got = f"{len(buffer)} bytes, no whole frame" if buffer else "nothing"
                raise ToolFailed(
                    f"the board on {self.port.port} answered {got} within {self.timeout_s:g} s. "
                    f"Is it powered, loaded with this design, and set to {self.port.baudrate} baud?"
                )
            self.port.timeout = left
            buffer += self.port.read(want)
        return buffer


@contextmanager
def open_link(port: str, *, baud: int = 1_000_000, timeout_s: float = 5.0) -> Iterator[Link]:
    """Open a serial port, as in /dev/ttyUSB0. Raises: ConfigError when it cannot be opened."""
    try:
        opened = serial.Serial(port, baud, timeout=timeout_s, write_timeout=timeout_s)
    except (serial.SerialException, OSError, ValueError) as error:
        raise ConfigError(
            f"serial port {port} cannot be opened ({error}). Is the board plugged in, and may you "
            "read the port (group dialout)?"
        ) from None
    with opened:
        yield Link(port=opened, timeout_s=timeout_s)


def check_board(link: Link, *, frame_bytes: int, outputs: int, design_id: int) -> None:
    """The board must carry the expected design. Raises: ConfigError, ToolFailed."""
    have = link.ping()
    if have == BoardInfo(frame_bytes=frame_bytes, outputs=outputs, design_id=design_id):
        return
    raise ConfigError(
        f"the board carries design {have.design_id:016x} ({have.frame_bytes} bytes in, "
        f"{have.outputs} integers out), expected {design_id:016x} ({frame_bytes} in, {outputs} "
        "out); load the bitstream that belongs to this design"
    )

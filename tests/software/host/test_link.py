"""The serial link against a pseudo-terminal with a board of Python at its other end."""

import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bitfold.errors import ConfigError, ToolFailed
from bitfold.host.link import Link, check_board, open_link
from bitfold.host.protocol import RUN_MODE, Frame, decode
from serial_vectors import DESIGN_ID, FRAME, FRAME_BYTES, OUTPUTS, VECTORS

Answer = Callable[[bytes], Iterable[bytes]]  # a request to the pieces of its answer


def board(request: bytes) -> list[bytes]:
    """What the hardware answers, by the vectors that the RTL is tested with."""
    return [bytes.fromhex(answer) for text, answer in VECTORS.values() if text == request.hex()]


@pytest.fixture
def connect() -> Iterator[Callable[[Answer], str]]:
    """Start a board that answers each request by a function; the name of its port."""
    ends: list[int] = []
    threads: list[threading.Thread] = []

    def start(answer: Answer) -> str:
        master, slave = pty.openpty()
        tty.setraw(slave)
        ends.extend((master, slave))

        def serve() -> None:
            while True:
                try:
                    request = os.read(master, 4096)
                    for piece in answer(request):
                        os.write(master, piece)
                except OSError:
                    return

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return os.ttyname(slave)

    yield start
    for slave in ends[1::2]:
        os.close(slave)
    for thread in threads:  # the last end of its line is gone; else it reads the next test's
        thread.join()
    for master in ends[::2]:
        os.close(master)


def run(link: Link) -> list[int]:
    return link.run(FRAME).tolist()


def test_runs_a_frame(connect: Callable[[Answer], str]) -> None:
    with open_link(connect(board), timeout_s=5) as link:
        expected = (np.arange(OUTPUTS) - 5 * sum(FRAME)).tolist()
        assert run(link) == expected
        assert run(link) == expected


def test_a_frame_takes_its_mode_along(connect: Callable[[Answer], str]) -> None:
    requests: list[bytes] = []

    def one(request: bytes) -> list[bytes]:
        requests.append(request)
        return [bytes.fromhex(VECTORS["run"][1])]

    with open_link(connect(one), timeout_s=5) as link:
        link.run(FRAME, 2)
    assert decode(requests[0]) == Frame(RUN_MODE, FRAME + b"\x02")


def test_knows_the_board_by_its_design(connect: Callable[[Answer], str]) -> None:
    with open_link(connect(board), timeout_s=5) as link:
        check_board(link, frame_bytes=FRAME_BYTES, outputs=OUTPUTS, design_id=DESIGN_ID)
        with pytest.raises(ConfigError, match=r"0123456789abcdef \(12 bytes.*expected 0{15}7"):
            check_board(link, frame_bytes=FRAME_BYTES, outputs=OUTPUTS, design_id=7)


def test_an_answer_in_pieces_is_put_together(connect: Callable[[Answer], str]) -> None:
    answer = bytes.fromhex(VECTORS["run"][1])

    def slow(request: bytes) -> Iterator[bytes]:
        for piece in (b"\x00" + answer[:1], answer[1:9], answer[9:]):
            yield piece
            time.sleep(0.02)

    with open_link(connect(slow), timeout_s=5) as link:
        assert run(link) == (np.arange(OUTPUTS) - 5 * sum(FRAME)).tolist()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", r"answered nothing within 0\.3 s.*powered"),
        (b"\xb1\xf0\x82", "3 bytes, no whole frame"),
        (bytes.fromhex(VECTORS["wrong checksum"][1]), "error 1"),
        (bytes.fromhex(VECTORS["run"][1])[:-1] + b"\0", "is the line disturbed"),
        (bytes.fromhex(VECTORS["ping"][1]), "0x81 where 0x82"),
    ],
)
def test_a_bad_answer_is_one_clear_error(
    connect: Callable[[Answer], str], answer: bytes, words: str
) -> None:
    requests: list[bytes] = []

    def bad(request: bytes) -> list[bytes]:
        requests.append(request)
        return [answer]

    with open_link(connect(bad), timeout_s=0.3) as link, pytest.raises(ToolFailed, match=words):
        run(link)
    assert len(requests) == 1, "a request is never sent twice"


def test_bytes_left_from_before_are_dropped(connect: Callable[[Answer], str]) -> None:
    stale = bytes.fromhex(VECTORS["ping"][1])
    answers = iter([bytes.fromhex(VECTORS["run"][1]) + stale, bytes.fromhex(VECTORS["run"][1])])
    with open_link(connect(lambda _: [next(answers)]), timeout_s=5) as link:
        run(link)
        assert run(link) == (np.arange(OUTPUTS) - 5 * sum(FRAME)).tolist()


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "ttyUSB9")
    with (
        pytest.raises(ConfigError, match=r"ttyUSB9 cannot be opened.*plugged in"),
        open_link(missing),
    ):
        pass

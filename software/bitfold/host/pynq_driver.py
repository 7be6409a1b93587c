"""A design on a PYNQ board: send it inputs, get its integers. Needs numpy and pynq (3.0 or newer).

This file is copied beside top.bit as driver.py, with rounding.py and the figures of the design in
driver.json. On the board, as root:

    python3 driver.py                              # the samples that came along: equal to golden?
    python3 driver.py --samples test.npz --count 20 --mode 1

Or from Python, as `bitfold.host.link` is used for a board on a serial port:

    with open_board(Path(".")) as board:
        integers = board.run(frame_bytes(board.about, quantise(board.about, x)))
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bitfold.ir.rounding import ROUNDING

About = Mapping[str, Any]
Ints = NDArray[np.int64]
KIND, SCHEMA = "driver", 1


class BoardError(Exception):
    """The board or what it is given is not as the design has it."""


@final
@dataclass(frozen=True)
class BoardInfo:
    """What a board says of itself: bytes of a frame with its padding, integers, design id."""

    frame_bytes: int
    outputs: int
    design_id: int


@final
class Board:
    """An accelerator that is loaded. Each transfer waits `timeout_s` at most.

    about: driver.json. control, modes: `pynq.MMIO` of the registers, modes None without any.
    dma: `pynq.lib.dma.DMA`. allocate: `pynq.allocate`.
    """

    def __init__(
        self, about: About, *, control: Any, modes: Any, dma: Any, allocate: Any, timeout_s: float
    ) -> None:
        self.about = about
        self._control = control
        self._modes = modes
        self._dma = dma
        self._allocate = allocate
        self._timeout_s = timeout_s

    def ping(self) -> BoardInfo:
        """What the board is. Raises: BoardError where there is no accelerator of ours."""
        at = self.about["registers"]
        found = self._control.read(at["ID"])
        if found != self.about["id"]:
            raise BoardError(
                f"the board answers {found:#010x} where bitfold's registers say "
                f"{self.about['id']:#010x}; load the bitstream that lies beside this driver"
            )
        high, low = (self._control.read(at[name]) for name in ("DESIGN_HIGH", "DESIGN_LOW"))
        return BoardInfo(
            frame_bytes=self._control.read(at["FRAME_BYTES"]),
            outputs=self._control.read(at["OUTPUTS"]),
            design_id=high << 32 | low,
        )

    def run(self, frame: bytes, mode: int | None = None) -> Ints:
        """One input through the accelerator; its integers (outputs,).

        mode: of a design that has several, 0 when None. Raises: BoardError.
        """
        found: Ints = self.run_frames(np.frombuffer(frame, np.uint8)[None], mode)[0]
        return found

    def run_frames(self, frames: NDArray[np.uint8], mode: int | None = None) -> Ints:
        """Inputs (N, bytes) one after the other without a pause; integers (N, outputs)."""
        wanted = self.about["input"]["bytes_per_frame"]
        if frames.ndim != 2 or frames.shape[1] != wanted or not len(frames):
            raise BoardError(f"frames have shape {frames.shape}, the design takes (N, {wanted})")
        self._pick(mode)
        most = max(1, self.about["longest"] // self._stream_bytes())
        parts = [self._batch(frames[at : at + most]) for at in range(0, len(frames), most)]
        return np.concatenate(parts)

    def _stream_bytes(self) -> int:
        stream = self.about["stream"]
        outputs: int = self.about["output"]["count"]
        return max(int(stream["bus_bytes"] * stream["beats"]), 4 * outputs)

    def _pick(self, mode: int | None) -> None:
        count = len(self.about["modes"])
        if mode is not None and not 0 <= mode < count:
            have = f"modes 0 to {count - 1}" if count else "no precision modes"
            raise BoardError(f"mode {mode} is asked for; the design has {have}")
        if self._modes is not None:
            self._modes.write(self.about["mode_register"], mode or 0)

    def choose_planes(self, mode: int, planes: Mapping[str, tuple[int, int]]) -> None:
        """Of these layers only so many weight and activation planes in a mode, from now on.

        What `reals` says of outputs is of the modes as they were compiled. Raises: BoardError for
        what the design does not hold; nothing is written then.
        """
        words = {}
        for layer, (w, a) in planes.items():
            held = self.about["planes"].get(layer)
            if held is None or not 0 <= mode < len(held["offsets"]):
                raise BoardError(
                    f"planes of layer {layer!r} in mode {mode} cannot be chosen; layers that can: "
                    f"{', '.join(self.about['planes']) or 'none'}"
                )
            if f"{w},{a}" not in held["words"]:
                raise BoardError(
                    f"layer {layer!r}: {w} weight and {a} activation planes are asked for; the "
                    f"design holds {'; '.join(held['words'])}"
                )
            words[held["offsets"][mode]] = held["words"][f"{w},{a}"]
        for offset, word in words.items():
            self._modes.write(offset, word)

    def _batch(self, frames: NDArray[np.uint8]) -> Ints:
        stream, outputs = self.about["stream"], self.about["output"]["count"]
        at = self.about["registers"]
        shape = (len(frames), stream["beats"], stream["bus_bytes"])
        given = self._allocate(shape=shape, dtype=np.uint8)
        back = self._allocate(shape=(len(frames), outputs), dtype=np.int32)
        try:
            self._check_place(given, back)
            given[:] = 0
            given[:, :, : stream["beat_bytes"]] = frames.reshape(len(frames), stream["beats"], -1)
            self._control.write(at["FRAMES"], len(frames))
            self._dma.recvchannel.transfer(back)
            self._dma.sendchannel.transfer(given)
            self._wait(self._dma.sendchannel, "take the inputs")
            self._wait(self._dma.recvchannel, "give the results")
            error = self._control.read(at["ERROR"])
            if error:
                self._control.write(at["ERROR"], error)
                bits = [text for bit, text in self.about["errors"].items() if error >> int(bit) & 1]
                raise BoardError(f"the accelerator reports: {', '.join(bits)}")
            return np.array(back, np.int64)
        finally:
            given.freebuffer()
            back.freebuffer()

    def _check_place(self, *buffers: Any) -> None:
        reach = self.about["memory_bytes"]
        for buffer in buffers:
            end = buffer.physical_address + buffer.nbytes
            if end > reach:
                raise BoardError(
                    f"a buffer ends at {end:#x}, the DMA reaches to {reach:#x}; give Linux its "
                    "contiguous memory below that (kernel argument cma=)"
                )

    def _wait(self, channel: Any, what: str) -> None:
        deadline = time.monotonic() + self._timeout_s
        while not channel.idle:
            if not channel.running or time.monotonic() > deadline:
                why = "did not" if channel.running else "stopped the DMA and did not"
                raise BoardError(
                    f"the accelerator {why} {what} within {self._timeout_s:g} s; load the "
                    "bitstream again"
                )
        channel.wait()  # makes the buffer valid for the processor


@contextmanager
def open_board(folder: Path, *, timeout_s: float = 5.0) -> Iterator[Board]:
    """Load top.bit of `folder` and find its parts. Raises: BoardError."""
    try:
        import pynq
    except ImportError as error:
        raise BoardError(f"pynq cannot be imported ({error}); run this on a PYNQ board") from None
    about = read_about(folder)
    bit = folder / about["bitstream"]
    for path in (bit, bit.with_suffix(".hwh")):
        if not path.is_file():
            raise BoardError(f"{path}: not found; copy the whole folder of the bitstream")
    overlay = pynq.Overlay(str(bit))
    registers = about["addresses"]
    control = pynq.MMIO(registers["control"], 1 << 12)
    modes = pynq.MMIO(registers["modes"], 1 << 12) if about["modes"] else None
    board = Board(
        about,
        control=control,
        modes=modes,
        dma=overlay.dma,
        allocate=pynq.allocate,
        timeout_s=timeout_s,
    )
    check_board(board)
    yield board


def check_board(board: Board) -> None:
    """The board must carry the design of its driver.json. Raises: BoardError."""
    have, about = board.ping(), board.about
    stream = about["stream"]
    wanted = BoardInfo(
        frame_bytes=stream["bus_bytes"] * stream["beats"],
        outputs=about["output"]["count"],
        design_id=int(about["design_id"], 16),
    )
    if have != wanted:
        raise BoardError(
            f"the board carries design {have.design_id:016x} ({have.frame_bytes} bytes in, "
            f"{have.outputs} integers out), expected {wanted.design_id:016x} "
            f"({wanted.frame_bytes} in, {wanted.outputs} out); load the bitstream that lies beside "
            "this driver"
        )


def read_about(folder: Path) -> About:
    """driver.json of a folder. Raises: BoardError."""
    path = folder / "driver.json"
    try:
        about = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BoardError(f"{path}: cannot be read ({error})") from None
    if about.get("kind") != KIND or about.get("schema") != SCHEMA:
        raise BoardError(f"{path}: not a driver file of this version; copy the folder again")
    found: About = about
    return found


def quantise(about: About, x: NDArray[Any]) -> Ints:
    """Real inputs (N, *sample shape) to input integers (N, *shape), as the network's file says."""
    given = about["input"]
    sample = tuple(given["sample_shape"])
    if x.shape[1:] != sample:
        raise BoardError(f"x has shape {x.shape[1:]} a sample, the model reads {sample}")
    if given["order"] is not None:
        x = x.transpose(0, *(1 + axis for axis in given["order"]))
    x = x.reshape(len(x), *given["shape"])
    low, high = given["range"]
    if given["by_sign"]:
        middle = _reals(given, np.array([(low + high) / 2]).reshape([1] * x.ndim))
        signs: Ints = np.where(np.asarray(x, np.float32) >= middle, high, low).astype(np.int64)
        return signs
    scale = _per_channel(np.asarray(given["scale"], np.float32), x.ndim)
    bias = _per_channel(np.asarray(given["bias"], np.float32), x.ndim)
    codes = (np.asarray(x, np.float32) - bias) / scale
    return ROUNDING[given["rounding"]](np.clip(codes, low, high)).astype(np.int64)


def frame_bytes(about: About, codes: Ints) -> NDArray[np.uint8]:
    """Input integers (N, *shape) as frames (N, bytes): pixels in rows, a byte a value."""
    order = codes.transpose(0, 2, 3, 1) if codes.ndim == 4 else codes
    values = (order + 1) // 2 if about["input"]["bipolar"] else order
    return np.ascontiguousarray(values & 0xFF).astype(np.uint8).reshape(len(codes), -1)


def reals(about: About, outputs: Ints, mode: int | None = None) -> NDArray[np.float64]:
    """What outputs (N, count) of one-dimensional results stand for."""
    given = about["modes"][mode or 0]["output"] if about["modes"] else about["output"]
    return _reals(given, outputs)


def _reals(given: About, values: NDArray[Any]) -> NDArray[np.float64]:
    scale = _per_channel(np.asarray(given["scale"], np.float64), values.ndim)
    bias = _per_channel(np.asarray(given["bias"], np.float64), values.ndim)
    return np.asarray(values * scale + bias)


def _per_channel(array: NDArray[Any], ndim: int) -> NDArray[Any]:
    return array if array.ndim == 0 else array.reshape(1, -1, *([1] * (ndim - 2)))


def read_samples(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an .npz. Raises: BoardError."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file}
    except (OSError, ValueError) as error:
        raise BoardError(f"{path}: no readable samples ({error})") from None


def main(arguments: list[str] | None = None) -> int:
    """The command line; its exit status: 0, or 2 for a mistake or wrong integers."""
    parser = ArgumentParser(description="Run samples through the accelerator on this board.")
    parser.add_argument("--samples", type=Path, help=".npz with x and maybe y; else golden.npz")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--mode", type=int, help="precision mode, of a design with several")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds")
    given = parser.parse_args(arguments)
    try:
        return _run(Path(__file__).resolve().parent, given)
    except BoardError as error:
        print(f"driver: {error}", file=sys.stderr)
        return 2


def _run(folder: Path, given: Any) -> int:
    golden = None
    with open_board(folder, timeout_s=given.timeout) as board:
        if given.samples is None:
            arrays = read_samples(folder / "golden.npz")
            golden = arrays[f"mode{given.mode or 0}"][: given.count]
            frames = arrays["frames"][: given.count]
        else:
            arrays = read_samples(given.samples)
            frames = frame_bytes(board.about, quantise(board.about, arrays["x"][: given.count]))
        outputs = board.run_frames(frames, given.mode)
        for number, integers in enumerate(outputs):
            line = f"{number}: {' '.join(map(str, integers))}"
            if len(board.about["output"]["shape"]) == 1:
                line += f"  class {reals(board.about, integers[None], given.mode)[0].argmax()}"
            print(line + (f"  label {arrays['y'][number]}" if "y" in arrays else ""))
    if golden is None:
        print(f"{len(outputs)} frames, {outputs.size} integers")
        return 0
    wrong = int((outputs != golden).sum())
    print(f"{len(outputs)} frames, {golden.size} integers, {wrong} differ from the golden model")
    return 2 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

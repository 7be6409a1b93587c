"""cocotb bench of bf_axi_top: a DMA's streams and a driver's registers, by cocotbext-axi.

vectors.npz holds what the test wants: the stream of each frame with its padding, the golden
integers, the mode of each frame, and the sizes of the batches. Answers go to outputs.npz.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from bitfold.amd.vivado_registers import ID, OFFSETS
from bitfold.compiler.registers import REGISTERS

PERIOD_NS = 10
LIMIT_NS = 2_000_000
MODE = next(r.offset for r in REGISTERS if r.name == "MODE")


def pauses(seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    return (rng.random() < 0.4 for _ in itertools.count())


class Board:
    """The processor's side: DMA channels and registers."""

    def __init__(self, dut: Any) -> None:
        reset = (dut.aclk, dut.aresetn, False)
        self.dut = dut
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), *reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), *reset)
        self.control = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), *reset)
        self.modes = None
        with np.load("vectors.npz") as file:
            self.vectors = {name: file[name] for name in file}
        if self.vectors["modes"].size:
            bus = AxiLiteBus.from_prefix(dut, "s_axil_modes")
            self.modes = AxiLiteMaster(bus, *reset)

    async def start(self) -> None:
        Clock(self.dut.aclk, PERIOD_NS, unit="ns", impl="gpi").start()
        self.dut.aresetn.value = 0
        for _ in range(5):
            await RisingEdge(self.dut.aclk)
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)

    def stall(self) -> None:
        self.source.set_pause_generator(pauses(1))
        self.sink.set_pause_generator(pauses(2))

    async def batch(self, frames: Any, mode: int | None) -> Any:
        """One transfer each way: (frames, bytes) in, (frames, outputs) back."""
        await self.control.write_dword(OFFSETS["FRAMES"], len(frames))
        if mode is not None and self.modes is not None:
            await self.modes.write_dword(MODE, mode)
        self.source.send_nowait(AxiStreamFrame(frames.tobytes()))
        back = await with_timeout(self.sink.recv(), LIMIT_NS, "ns")
        return np.frombuffer(bytes(back.tdata), "<i4").reshape(len(frames), -1)


async def batches(dut: Any, name: str, stalls: bool) -> None:
    board = Board(dut)
    await board.start()
    if stalls:
        board.stall()
    await board.control.read_dword(OFFSETS["ID"])
    given, modes, found, at = board.vectors["frames"], board.vectors["modes"], [], 0
    for count in board.vectors["batches"].tolist():
        mode = int(modes[at]) if modes.size else None
        found.append(await board.batch(given[at : at + count], mode))
        at += count
    assert at == len(given)
    assert await board.control.read_dword(OFFSETS["ERROR"]) == 0
    assert await board.control.read_dword(OFFSETS["ENTERED"]) == at
    assert await board.control.read_dword(OFFSETS["LEFT"]) == at
    assert board.sink.empty()
    np.save(f"{name}.npy", np.concatenate(found))


@cocotb.test()
async def batches_at_full_rate(dut: Any) -> None:
    await batches(dut, "full_rate", stalls=False)


@cocotb.test()
async def batches_under_stalls(dut: Any) -> None:
    await batches(dut, "stalls", stalls=True)


@cocotb.test()
async def it_says_what_it_is(dut: Any) -> None:
    board = Board(dut)
    await board.start()
    about = board.vectors["about"]
    names = ("DESIGN_HIGH", "DESIGN_LOW", "FRAME_BYTES", "OUTPUTS")
    assert await board.control.read_dword(OFFSETS["ID"]) == ID
    read = [await board.control.read_dword(OFFSETS[name]) for name in names]
    assert read == about.tolist()


@cocotb.test()
async def a_transfer_that_ends_early_is_noticed(dut: Any) -> None:
    """The rest of the frame may follow in a second transfer; the error bit tells of it."""
    board = Board(dut)
    await board.start()
    frame = board.vectors["frames"][0].tobytes()
    bus = len(dut.s_axis_tkeep)
    board.source.send_nowait(AxiStreamFrame(frame[:bus]))
    board.source.send_nowait(AxiStreamFrame(frame[bus:]))
    back = await with_timeout(board.sink.recv(), LIMIT_NS, "ns")
    found = np.frombuffer(bytes(back.tdata), "<i4")
    assert (found == board.vectors["golden"][0]).all()
    assert await board.control.read_dword(OFFSETS["ERROR"]) == 1


@cocotb.test()
async def a_beat_that_lacks_bytes_is_noticed(dut: Any) -> None:
    """A beat of one byte is there or not."""
    board = Board(dut)
    await board.start()
    frame = board.vectors["frames"][0].tobytes()
    wide = len(dut.s_axis_tkeep) > 1
    board.source.send_nowait(AxiStreamFrame(frame[:-1] if wide else frame))
    await with_timeout(board.sink.recv(), LIMIT_NS, "ns")
    assert await board.control.read_dword(OFFSETS["ERROR"]) == (2 if wide else 0)

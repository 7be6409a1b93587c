"""A stand-in for the package pynq: an overlay whose DMA feeds a model of bf_axi_top.

`Fabric` answers as hardware/rtl/bf_axi_regs.sv and bf_axi_frames.sv do; what the accelerator
computes is a function that the test gives. The real modules are simulated in
tests/hardware/test_bf_axi_top.py, with the same registers.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

Compute = Callable[[np.ndarray, int], np.ndarray]  # frames (N, bytes), mode -> integers (N, count)


class Buffer(np.ndarray):
    """What pynq.allocate gives."""

    physical_address = 0x1000_0000
    alive = 0

    def freebuffer(self) -> None:
        Buffer.alive -= 1


def allocate(shape: tuple[int, ...], dtype: Any) -> Buffer:
    Buffer.alive += 1
    return np.full(shape, 0x5A, dtype).view(Buffer)


class Channel:
    """A channel of pynq.lib.dma.DMA."""

    def __init__(self, fabric: "Fabric") -> None:
        self.fabric = fabric
        self.buffer: Buffer | None = None
        self.done = False
        self.waited = 0

    @property
    def running(self) -> bool:
        return not self.fabric.halted

    @property
    def idle(self) -> bool:
        return self.done

    def transfer(self, buffer: Buffer) -> None:
        self.buffer, self.done = buffer, False
        self.fabric.moved()

    def wait(self) -> None:
        assert self.done
        self.waited += 1


class Fabric:
    """The loaded design."""

    def __init__(self, about: dict[str, Any], compute: Compute) -> None:
        self.about, self.compute = about, compute
        self.sendchannel, self.recvchannel = Channel(self), Channel(self)
        at = about["registers"]
        number = int(about["design_id"], 16)
        stream = about["stream"]
        self.registers = {
            at["ID"]: about["id"],
            at["DESIGN_HIGH"]: number >> 32,
            at["DESIGN_LOW"]: number & 0xFFFFFFFF,
            at["FRAME_BYTES"]: stream["bus_bytes"] * stream["beats"],
            at["OUTPUTS"]: about["output"]["count"],
            at["FRAMES"]: 1,
            at["ERROR"]: 0,
        }
        self.mode = 0
        self.planes: dict[int, int] = {}  # words that were written to PLANES
        self.halted = self.deaf = False
        self.batches: list[int] = []

    def moved(self) -> None:
        """Both buffers are there: the frames go through."""
        given, back = self.sendchannel.buffer, self.recvchannel.buffer
        if given is None or back is None or self.deaf:
            return
        stream = self.about["stream"]
        size = stream["bus_bytes"] * stream["beats"]
        frames = np.frombuffer(given.tobytes(), np.uint8).reshape(-1, size)
        # TLAST comes with the last frame of the batch that FRAMES tells, not before, not after.
        assert len(frames) == self.registers[self.about["registers"]["FRAMES"]]
        shape = (len(frames), stream["beats"], stream["bus_bytes"])
        values = frames.reshape(shape)[:, :, : stream["beat_bytes"]].reshape(len(frames), -1)
        back[:] = self.compute(values, self.mode)
        self.batches.append(len(frames))
        for channel in (self.sendchannel, self.recvchannel):
            channel.done, channel.buffer = True, None


def module(fabric: Fabric) -> ModuleType:
    """The package `pynq`, with this fabric behind its overlay."""
    about = fabric.about
    pynq = ModuleType("pynq")

    class MMIO:
        def __init__(self, base: int, length: int) -> None:
            assert length == 0x1000
            self.modes = base == about["addresses"]["modes"]
            assert self.modes or base == about["addresses"]["control"]

        def read(self, offset: int) -> int:
            return int(fabric.registers[offset])

        def write(self, offset: int, value: int) -> None:
            if self.modes:
                if offset == about["mode_register"]:
                    fabric.mode = value
                else:
                    fabric.planes[offset] = value
            elif offset == about["registers"]["ERROR"]:
                fabric.registers[offset] &= ~value
            else:
                assert offset == about["registers"]["FRAMES"]
                assert value >= 1
                fabric.registers[offset] = value

    class Overlay:
        def __init__(self, bitfile: str) -> None:
            self.bitfile = bitfile
            self.dma = fabric

    pynq.__dict__.update(MMIO=MMIO, Overlay=Overlay, allocate=allocate)
    return pynq

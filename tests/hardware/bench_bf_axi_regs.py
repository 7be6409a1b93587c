"""cocotb bench of bf_axi_regs with cocotbext-axi on the bus, at full rate and under stalls."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from streams import parameters, start

from bitfold.amd.vivado_registers import ADDRESS_BITS, ID, OFFSETS, VERSION

P = parameters()
WRITABLE = {"FRAMES", "ERROR"}


def pauses(seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    return (rng.random() < 0.5 for _ in itertools.count())


async def master(dut: Any, stall: bool) -> AxiLiteMaster:
    for name in ("enter_i", "leave_i", "short_i", "hole_i"):
        getattr(dut, name).value = 0
    bus = AxiLiteBus.from_prefix(dut, "s_axil")
    found = AxiLiteMaster(bus, dut.clk_i, dut.rst_ni, reset_active_level=False)
    if stall:
        channels = (
            *(found.write_if.aw_channel, found.write_if.w_channel, found.write_if.b_channel),
            *(found.read_if.ar_channel, found.read_if.r_channel),
        )
        for seed, channel in enumerate(channels):
            channel.set_pause_generator(pauses(seed))
    await start(dut)
    await RisingEdge(dut.clk_i)
    return found


async def read(bus: AxiLiteMaster, address: int) -> tuple[int, AxiResp]:
    got = await bus.read(address, 4)
    return int.from_bytes(got.data, "little"), AxiResp(got.resp)


async def write(bus: AxiLiteMaster, address: int, value: int, size: int = 4) -> AxiResp:
    return AxiResp((await bus.write(address, value.to_bytes(size, "little"))).resp)


async def holds(bus: AxiLiteMaster, name: str, value: int) -> None:
    assert await read(bus, OFFSETS[name]) == (value, AxiResp.OKAY), name


async def every_register(dut: Any, stall: bool) -> None:
    bus = await master(dut, stall)
    await holds(bus, "ID", ID)
    await holds(bus, "VERSION", VERSION)
    await holds(bus, "DESIGN_HIGH", P["DesignId"] >> 32)
    await holds(bus, "DESIGN_LOW", P["DesignId"] & 0xFFFFFFFF)
    await holds(bus, "FRAME_BYTES", P["FrameBytes"])
    await holds(bus, "OUTPUTS", P["Outputs"])
    await holds(bus, "FRAMES", 1)
    for frames in (7, 0xFFFFFFFF, 2):
        assert await write(bus, OFFSETS["FRAMES"], frames) == AxiResp.OKAY
        await holds(bus, "FRAMES", frames)
        assert int(dut.frames_o.value) == frames
    # No frames, and a part of a word: an error, and nothing changes.
    assert await write(bus, OFFSETS["FRAMES"], 0) == AxiResp.SLVERR
    assert await write(bus, OFFSETS["FRAMES"], 9, size=2) == AxiResp.SLVERR
    assert await write(bus, OFFSETS["ERROR"], 3, size=1) == AxiResp.SLVERR
    await holds(bus, "FRAMES", 2)


async def refusals(dut: Any, stall: bool) -> None:
    bus = await master(dut, stall)
    before = {name: await read(bus, offset) for name, offset in OFFSETS.items()}
    for address in (max(OFFSETS.values()) + 4, (1 << ADDRESS_BITS) - 4, 1 << ADDRESS_BITS - 1):
        assert await read(bus, address) == (0, AxiResp.SLVERR), hex(address)
        assert await write(bus, address, 1) == AxiResp.SLVERR, hex(address)
    for name, offset in OFFSETS.items():
        if name not in WRITABLE:
            assert await write(bus, offset, 0xFFFFFFFF) == AxiResp.SLVERR, name
    assert before == {name: await read(bus, offset) for name, offset in OFFSETS.items()}


@cocotb.test()
async def every_register_at_full_rate(dut: Any) -> None:
    await every_register(dut, stall=False)


@cocotb.test()
async def every_register_under_stalls(dut: Any) -> None:
    await every_register(dut, stall=True)


@cocotb.test()
async def what_is_not_there_answers_an_error(dut: Any) -> None:
    await refusals(dut, stall=False)


@cocotb.test()
async def what_is_not_there_answers_an_error_under_stalls(dut: Any) -> None:
    await refusals(dut, stall=True)


@cocotb.test()
async def writes_and_reads_overlap(dut: Any) -> None:
    """Both directions at once, many on their way; answers come in order."""
    bus = await master(dut, stall=True)
    rng = random.Random(5)
    values = [rng.randrange(4) for _ in range(40)]

    async def writer() -> list[AxiResp]:
        return [await write(bus, OFFSETS["FRAMES"], value) for value in values]

    writing = cocotb.start_soon(writer())
    for _ in range(40):
        await holds(bus, "ID", ID)
        frames, answer = await read(bus, OFFSETS["FRAMES"])
        assert answer == AxiResp.OKAY
        assert 1 <= frames < 4
    assert await writing == [AxiResp.OKAY if v else AxiResp.SLVERR for v in values]
    await holds(bus, "FRAMES", [1, *filter(None, values)][-1])


@cocotb.test()
async def a_write_of_frames_starts_a_batch_once(dut: Any) -> None:
    bus = await master(dut, stall=False)
    seen = []

    async def watch() -> None:
        while True:
            await FallingEdge(dut.clk_i)
            if int(dut.start_o.value):
                seen.append(int(dut.frames_o.value))

    cocotb.start_soon(watch())
    for value in (5, 0, 5, 6):
        await write(bus, OFFSETS["FRAMES"], value)
    await write(bus, OFFSETS["ERROR"], 3)
    for _ in range(4):
        await RisingEdge(dut.clk_i)
    assert seen == [5, 5, 6]


@cocotb.test()
async def frames_are_counted_and_errors_stay(dut: Any) -> None:
    bus = await master(dut, stall=False)
    for name, cycles in (("enter_i", 5), ("leave_i", 3), ("short_i", 1), ("hole_i", 1)):
        await FallingEdge(dut.clk_i)
        getattr(dut, name).value = 1
        for _ in range(cycles):
            await FallingEdge(dut.clk_i)
        getattr(dut, name).value = 0
    await holds(bus, "ENTERED", 5)
    await holds(bus, "LEFT", 3)
    await holds(bus, "ERROR", 3)
    assert await write(bus, OFFSETS["ERROR"], 0) == AxiResp.OKAY
    await holds(bus, "ERROR", 3)
    assert await write(bus, OFFSETS["ERROR"], 1) == AxiResp.OKAY
    await holds(bus, "ERROR", 2)
    assert await write(bus, OFFSETS["ERROR"], 2) == AxiResp.OKAY
    await holds(bus, "ERROR", 0)

"""cocotb bench of bf_regs with cocotbext-axi on the bus, at full rate and under random stalls."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge, Timer
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from streams import parameters, start

from bitfold.compiler.registers import REGISTERS, LayerPlanes, register_map

OFFSETS = {r.name: r.offset for r in REGISTERS}
P = parameters()
MODES, LAYERS = P["Modes"], P["Layers"]
KEPT = [tuple((1 + (m + i) % 8, 1 + m % 8) for m in range(MODES)) for i in range(LAYERS)]
WRITABLE = bool(P["Writable"])
MAP = register_map([LayerPlanes(name=f"l{i}", kept=kept) for i, kept in enumerate(KEPT)])


def pauses(seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    return (rng.random() < 0.5 for _ in itertools.count())


async def master(dut: Any, stall: bool) -> AxiLiteMaster:
    for name in ("oldest_i", "newest_i", "inside_i", "enter_i", "leave_i", "refused_i"):
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


def word(planes: tuple[int, int]) -> int:
    return planes[0] | planes[1] << 8


def choice(dut: Any, mode: int, layer: int) -> int:
    """Whose planes a layer takes in a mode."""
    width = (MODES - 1).bit_length()
    at = (mode * LAYERS + layer) * width
    return int(dut.choices_o.value) >> at & (1 << width) - 1


async def planes_are_written(dut: Any, stall: bool) -> None:
    """Any that the layer has in some mode, in any mode; nothing else, and in no other word."""
    bus = await master(dut, stall)
    rng = random.Random(9)
    held = {(m, k): KEPT[k][m] for m in range(MODES) for k in range(LAYERS)}
    for _ in range(60):
        mode, layer = rng.randrange(MODES), rng.randrange(LAYERS)
        address = 0x100 + 4 * (mode * LAYERS + layer)
        wanted = rng.choice([*KEPT[layer], (rng.randrange(10), rng.randrange(10))])
        known = WRITABLE and wanted in KEPT[layer]
        size = rng.choice([2, 4])
        answer = await write(bus, address, word(wanted), size)
        assert answer == (AxiResp.OKAY if known else AxiResp.SLVERR), (mode, layer, wanted)
        if known:
            held[mode, layer] = wanted
        for at in [(mode, layer), *rng.choices(list(held), k=3)]:
            address = 0x100 + 4 * (at[0] * LAYERS + at[1])
            assert await read(bus, address) == (word(held[at]), AxiResp.OKAY), at
            chosen = choice(dut, *at)
            assert KEPT[at[1]][chosen] == held[at]
            assert WRITABLE or chosen == at[0]
    # Upper bytes are no planes; the weights' alone are written where the pair is one.
    for size, value, at in ((4, 1 << 16 | word(KEPT[0][0]), 0x100), (1, 99, 0x101)):
        assert await write(bus, at, value, size) == AxiResp.SLVERR
    assert await read(bus, 0x100) == (word(held[0, 0]), AxiResp.OKAY)


async def every_register(dut: Any, stall: bool) -> None:
    bus = await master(dut, stall)
    await holds(bus, "ID", 0x42464C44)
    await holds(bus, "VERSION", 0x10001)
    await holds(bus, "MODES", MODES)
    await holds(bus, "LAYERS", LAYERS)
    for entry in MAP["planes"][:: 1 if MODES < 9 else 37]:
        word = entry["w_planes"] | entry["a_planes"] << 8
        assert await read(bus, entry["offset"]) == (word, AxiResp.OKAY), entry
    for mode in (1, MODES - 1, 0):
        assert await write(bus, OFFSETS["MODE"], mode) == AxiResp.OKAY
        await holds(bus, "MODE", mode)
        assert int(dut.mode_o.value) == mode
    # A mode that there is not: an error, and nothing changes.
    for wrong in (MODES, 1 << 8, 1 << 31):
        assert await write(bus, OFFSETS["MODE"], wrong) == AxiResp.SLVERR
        await holds(bus, "MODE", 0)
    # Bytes count by their strobes: the upper three alone change nothing, or are too much.
    assert await write(bus, OFFSETS["MODE"], 1) == AxiResp.OKAY
    assert await write(bus, OFFSETS["MODE"] + 1, 0, size=3) == AxiResp.OKAY
    await holds(bus, "MODE", 1)
    assert await write(bus, OFFSETS["MODE"] + 1, 1, size=1) == AxiResp.SLVERR
    await holds(bus, "MODE", 1)
    assert await write(bus, OFFSETS["MODE"], 0, size=1) == AxiResp.OKAY
    await holds(bus, "MODE", 0)
    assert await write(bus, OFFSETS["CONTROL"], 0xFFFFFFFF) == AxiResp.OKAY
    await holds(bus, "CONTROL", 1)
    assert int(dut.by_frame_o.value) == 1
    assert await write(bus, OFFSETS["CONTROL"] + 1, 0, size=1) == AxiResp.OKAY
    await holds(bus, "CONTROL", 1)
    assert await write(bus, OFFSETS["CONTROL"], 0) == AxiResp.OKAY
    await holds(bus, "CONTROL", 0)


async def refusals(dut: Any, stall: bool) -> None:
    bus = await master(dut, stall)
    end = 0x100 + 4 * MODES * LAYERS
    gaps = range(max(OFFSETS.values()) + 4, 0x100, 4)
    beyond = [end] if end < 1 << MAP["address_bits"] else []
    for address in (gaps[0], gaps[-1], *beyond):
        assert await read(bus, address) == (0, AxiResp.SLVERR), hex(address)
        assert await write(bus, address, 1) == AxiResp.SLVERR, hex(address)
    before = {r.name: await read(bus, r.offset) for r in REGISTERS}
    for r in REGISTERS:
        if r.access == "read":
            assert await write(bus, r.offset, 0xFFFFFFFF) == AxiResp.SLVERR, r.name
    assert await write(bus, 0x100, 0xFFFFFFFF) == AxiResp.SLVERR
    assert await write(bus, 0x100, word(KEPT[0][0])) == (
        AxiResp.OKAY if WRITABLE else AxiResp.SLVERR
    )
    assert before == {r.name: await read(bus, r.offset) for r in REGISTERS}


@cocotb.test()
async def every_register_at_full_rate(dut: Any) -> None:
    await every_register(dut, stall=False)


@cocotb.test()
async def every_register_under_stalls(dut: Any) -> None:
    await every_register(dut, stall=True)


@cocotb.test()
async def planes_are_written_at_full_rate(dut: Any) -> None:
    await planes_are_written(dut, stall=False)


@cocotb.test()
async def planes_are_written_under_stalls(dut: Any) -> None:
    await planes_are_written(dut, stall=True)


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
    values = [rng.randrange(MODES + 1) for _ in range(40)]

    async def writer() -> list[AxiResp]:
        return [await write(bus, OFFSETS["MODE"], value) for value in values]

    writing = cocotb.start_soon(writer())
    for _ in range(40):
        await holds(bus, "ID", 0x42464C44)
        mode, answer = await read(bus, OFFSETS["MODE"])
        assert answer == AxiResp.OKAY
        assert mode < MODES
    wanted = [AxiResp.OKAY if v < MODES else AxiResp.SLVERR for v in values]
    assert await writing == wanted
    await holds(bus, "MODE", [0, *(v for v in values if v < MODES)][-1])


@cocotb.test()
async def address_and_data_come_in_any_order(dut: Any) -> None:
    """By hand: data long before its address, address long before its data, both at once."""
    for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
        getattr(dut, f"s_axil_{name}").value = 0
    dut.refused_i.value = 0
    await start(dut)
    dut.s_axil_wstrb.value = 15
    for mode, first, second in ((1, "w", "aw"), (0, "aw", "w"), (1, "aw", "aw")):
        dut.s_axil_awaddr.value = OFFSETS["MODE"]
        dut.s_axil_wdata.value = mode
        for names in ([first], [second]) if first != second else (["aw", "w"],):
            for name in names:
                assert getattr(dut, f"s_axil_{name}ready").value == 1
                getattr(dut, f"s_axil_{name}valid").value = 1
            await FallingEdge(dut.clk_i)
            for name in names:
                getattr(dut, f"s_axil_{name}valid").value = 0
                assert getattr(dut, f"s_axil_{name}ready").value == 0
            for _ in range(3 if names == [first] and first != second else 1):
                assert dut.s_axil_bvalid.value == 0
                await FallingEdge(dut.clk_i)
        # The answer stays until it is taken.
        for _ in range(4):
            assert dut.s_axil_bvalid.value == 1
            assert dut.s_axil_bresp.value == AxiResp.OKAY
            assert int(dut.mode_o.value) == mode
            await FallingEdge(dut.clk_i)
        dut.s_axil_bready.value = 1
        await FallingEdge(dut.clk_i)
        dut.s_axil_bready.value = 0
        await Timer(1, unit="ns")
        assert dut.s_axil_bvalid.value == 0


@cocotb.test()
async def frames_are_counted_and_errors_stay(dut: Any) -> None:
    bus = await master(dut, stall=False)
    dut.oldest_i.value, dut.newest_i.value, dut.inside_i.value = 1, MODES - 1, 9
    await FallingEdge(dut.clk_i)
    await holds(bus, "STATUS", 1 | MODES - 1 << 8 | 9 << 16)
    for name, cycles in (("enter_i", 5), ("leave_i", 3), ("refused_i", 1)):
        await FallingEdge(dut.clk_i)
        getattr(dut, name).value = 1
        for _ in range(cycles):
            await FallingEdge(dut.clk_i)
        getattr(dut, name).value = 0
    await holds(bus, "ENTERED", 5)
    await holds(bus, "LEFT", 3)
    await holds(bus, "ERROR", 1)
    assert await write(bus, OFFSETS["ERROR"], 0) == AxiResp.OKAY
    await holds(bus, "ERROR", 1)
    assert await write(bus, OFFSETS["ERROR"] + 1, 1, size=1) == AxiResp.OKAY
    await holds(bus, "ERROR", 1)
    assert await write(bus, OFFSETS["ERROR"], 1) == AxiResp.OKAY
    await holds(bus, "ERROR", 0)

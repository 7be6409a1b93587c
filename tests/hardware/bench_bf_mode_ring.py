"""cocotb bench of bf_mode_ring: every output in every cycle against a queue of frames' modes."""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import parameters, start


def modes_of(word: int, places: int, width: int) -> list[int]:
    return [word >> place * width & (1 << width) - 1 for place in range(places)]


async def run(dut: Any, p: dict[str, int], *, by_frame: bool, offer: float, seed: int) -> int:
    """Random streams on both sides; how often a frame had to wait at the door."""
    rng = random.Random(seed)
    beats, modes, ring = p["BeatsPerFrame"], p["Modes"], p["Ring"]
    width = (modes - 1).bit_length()
    inside: list[int] = []  # modes, the oldest first
    entered = left = beat = waited = 0
    newest = 0
    offered: tuple[int, int] | None = None
    dut.by_frame_i.value = int(by_frame)
    for _ in range(400):
        mode = rng.randrange(modes)
        if offered is None and rng.random() < offer:
            offered = rng.randrange(1 << 16), rng.choice([rng.randrange(modes), rng.randrange(256)])
        ready = rng.random() < 0.8
        leave = bool(inside) and rng.random() < 0.5 / beats
        dut.mode_i.value = mode
        dut.s_axis_tvalid.value = int(offered is not None)
        if offered is not None:
            dut.s_axis_tdata.value, dut.s_axis_tuser.value = offered
        dut.s_axis_tlast.value = int(beat == beats - 1)
        dut.m_axis_tready.value = int(ready)
        # The last beat of an answer moves only with valid, ready and last.
        seen = 7 if leave else rng.choice([0, 1, 2, 3, 4, 5, 6])
        dut.leave_tvalid_i.value, dut.leave_tready_i.value = seen & 1, seen >> 1 & 1
        dut.leave_tlast_i.value = seen >> 2
        await Timer(1, unit="ns")
        shut = beat == 0 and len(inside) == ring
        moves = offered is not None and ready and not shut
        waited += offered is not None and shut
        enters = moves and beat == 0
        assert bool(dut.m_axis_tvalid.value) == (offered is not None and not shut)
        assert bool(dut.s_axis_tready.value) == (ready and not shut)
        assert bool(dut.enter_o.value) == enters
        assert bool(dut.leave_o.value) == leave
        assert int(dut.inside_o.value) == len(inside)
        assert int(dut.newest_o.value) == newest
        held = modes_of(int(dut.ring_o.value), ring, width)
        assert [held[(left + i) % ring] for i in range(len(inside))] == inside
        if inside:
            assert int(dut.oldest_o.value) == inside[0]
        wrong = offered is not None and offered[1] >= modes
        assert bool(dut.refused_o.value) == (enters and by_frame and wrong)
        if moves:
            assert offered is not None
            assert int(dut.m_axis_tdata.value) == offered[0]
            assert int(dut.m_axis_tlast.value) == int(beat == beats - 1)
            if enters:
                newest = offered[1] if by_frame and not wrong else mode
                inside.append(newest)
                entered += 1
            beat = (beat + 1) % beats
            offered = None
        if leave:
            inside.pop(0)
            left += 1
        await FallingEdge(dut.clk_i)
    assert entered > 20
    return waited


def quiet(dut: Any) -> None:
    for name in ("s_axis_tvalid", "m_axis_tready", "leave_tvalid_i", "leave_tready_i"):
        getattr(dut, name).value = 0


@cocotb.test()
async def mode_of_the_register(dut: Any) -> None:
    quiet(dut)
    await start(dut)
    assert await run(dut, parameters(), by_frame=False, offer=1.0, seed=1) > 0


@cocotb.test()
async def mode_of_the_frame_itself(dut: Any) -> None:
    quiet(dut)
    await start(dut)
    await run(dut, parameters(), by_frame=True, offer=0.7, seed=2)


@cocotb.test()
async def reset_empties_it(dut: Any) -> None:
    quiet(dut)
    await start(dut)
    await run(dut, parameters(), by_frame=False, offer=1.0, seed=3)
    quiet(dut)
    dut.rst_ni.value = 0
    await FallingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    await run(dut, parameters(), by_frame=False, offer=1.0, seed=4)

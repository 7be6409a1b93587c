"""cocotb bench of bf_mvu_seq: every issue of every vector, and when it comes."""

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer
from streams import parameters, reset, start

from bitfold.sim.reference import Step, issues


def steps_of(p: dict) -> tuple[Step, ...]:
    """The step table back from the parameter."""
    return tuple(
        Step(
            ag=w & 255,
            wg=w >> 8 & 255,
            shift=w >> 16 & 255,
            act_sign=bool(w >> 24 & 1),
            weight_sign=bool(w >> 25 & 1),
        )
        for w in (p["Steps"] >> 32 * i for i in range(p["ActGroups"] * p["WGroups"]))
    )


async def run(dut, p: dict, vectors: int, wait: float, seed: int) -> None:
    """Give vectors at random times; check all outputs in every cycle against the model."""
    rng = random.Random(seed)
    steps = steps_of(p)
    product = p["Words"] // p["Blocks"] * p["Banks"] * len(steps)
    idle = p["FoldCycles"] - product
    slot = 0
    left: list = []  # what the present vector still does: an Issue a cycle, None when idle
    done = 0
    while done < vectors or left:
        full, room = rng.random() >= wait, rng.random() >= wait
        dut.full_i.value = int(full and done < vectors)
        dut.room_i.value = int(room)
        await Timer(1, unit="ns")
        now = left.pop(0) if left else None
        assert bool(dut.issue_valid_o.value) == (now is not None)
        if now is not None:
            for name in ("act_addr", "act_bank", "weight_addr", "first", "last", "shift"):
                got = int(getattr(dut, f"issue_{name}_o").value)
                assert got == int(getattr(now, name)), (name, got, now)
            assert bool(dut.issue_act_sign_o.value) == now.act_sign
            assert bool(dut.issue_weight_sign_o.value) == now.weight_sign
        # The last product of the last fold releases the slot; idle cycles may follow it.
        assert bool(dut.release_o.value) == (now is not None and len(left) == idle)
        starting = not left and full and room and done < vectors
        assert bool(dut.start_o.value) == starting
        if starting:
            done += 1
            folds = p["Folds"]
            shape = {n.lower(): p[n] for n in ("Folds", "Words", "Banks", "Blocks", "Runs")}
            plan = list(issues(steps, slot=slot, **shape))
            slot ^= 1
            for f in range(folds):
                left += [*plan[f * product : (f + 1) * product], *[None] * idle]
        await FallingEdge(dut.clk_i)
    dut.full_i.value = 0


@cocotb.test()
async def issues_equal_golden_in_every_cycle(dut):
    p = parameters()
    dut.full_i.value = 0
    dut.room_i.value = 0
    await start(dut)
    for wait in (0.0, 0.3, 0.8):
        await run(dut, p, 4, wait, seed=7)


@cocotb.test()
async def reset_in_mid_vector_starts_afresh(dut):
    p = parameters()
    dut.full_i.value = 1
    dut.room_i.value = 1
    await start(dut)
    for cycles in (1, 3, 8):
        for _ in range(cycles):
            await FallingEdge(dut.clk_i)
        dut.full_i.value = 0
        await reset(dut)
        await run(dut, p, 3, 0.0, seed=cycles)
        await reset(dut)
        dut.full_i.value = 1
        dut.room_i.value = 1

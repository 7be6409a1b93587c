"""cocotb bench of bf_popcount."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from streams import PERIOD_NS, parameters

from bitfold.cost.latency import popcount_latency


def words(lanes: int, rng: random.Random) -> list[tuple[int, int]]:
    """Corners, single lanes, every density; then all pairs if there are few."""
    ones = (1 << lanes) - 1
    found = [(0, 0), (ones, ones), (ones, 0), (0, ones)]
    found += [(1 << i, ones) for i in range(lanes)]
    found += [(ones ^ (1 << i), ones) for i in range(lanes)]
    for density in range(1, 10):
        for _ in range(60):
            w, x = (
                sum((rng.random() * 10 < density) << i for i in range(lanes)) for _ in range(2)
            )
            found.append((w, x | w if density > 5 else x))
    if lanes <= 5:
        found += [(w, x) for w in range(ones + 1) for x in range(ones + 1)]
    return found


@cocotb.test()
async def counts_every_cycle_after_the_promised_latency(dut):
    p = parameters()
    lanes, xnor = p["Lanes"], p["Xnor"]
    latency = popcount_latency(lanes, p["Style"])
    ones = (1 << lanes) - 1
    pairs = words(lanes, random.Random(lanes))
    expected = [((ones & ~(w ^ x)) if xnor else w & x).bit_count() for w, x in pairs]
    cocotb.start_soon(Clock(dut.clk_i, PERIOD_NS, unit="ns").start())
    await FallingEdge(dut.clk_i)
    got = []
    for w, x in [*pairs, *[(0, 0)] * latency]:
        got.append(int(dut.count_o.value))  # before this cycle's words are applied
        dut.weight_i.value = w
        dut.act_i.value = x
        await FallingEdge(dut.clk_i)
    assert got[latency:] == expected

"""cocotb bench of bf_popcount: the sizes and modes in bf_popcount_grid."""

import random

import cocotb
from cocotb.triggers import FallingEdge
from streams import parameters, reset, start

from bitfold.cost.latency import popcount_latency


def units() -> list[tuple[int, int]]:
    """(lanes, xnor) in the order of the output fields."""
    p = parameters()
    lanes = [(p["Lanes"] >> (8 * s)) & 255 for s in range(p["Sizes"])]
    return [(n, xnor) for n in lanes for xnor in (0, 1)]


def words(width: int, rng: random.Random) -> list[tuple[int, int]]:
    """Corners, single lanes, all pairs of five lanes, every density."""
    ones = (1 << width) - 1
    found = [(0, 0), (ones, ones), (ones, 0), (0, ones)]
    found += [(1 << i, ones) for i in range(width)] + [
        (ones ^ (1 << i), ones) for i in range(width)
    ]
    found += [(w, x) for w in range(32) for x in range(32)]
    for density in range(1, 10):
        for _ in range(40):
            w, x = (sum((rng.random() * 10 < density) << i for i in range(width)) for _ in "wx")
            found.append((w, x | w if density > 5 else x))
    return found


def expected(pair: tuple[int, int], lanes: int, xnor: int) -> int:
    mask = (1 << lanes) - 1
    w, x = pair
    return (mask & (~(w ^ x) if xnor else w & x)).bit_count()


@cocotb.test()
async def counts_every_cycle_after_the_promised_latency(dut):
    dut.flag_i.value = 0
    dut.weight_i.value = 0
    dut.act_i.value = 0
    await start(dut)
    rng = random.Random(3)
    pairs = words(parameters()["Width"], rng)
    flags = [rng.getrandbits(1) for _ in pairs]
    grid = units()
    style = parameters()["Style"]
    longest = max(popcount_latency(n, style) for n, _ in grid)
    counts, seen = [], []
    for (w, x), flag in zip([*pairs, *[(0, 0)] * longest], flags + [0] * longest, strict=True):
        counts.append(int(dut.count_o.value))  # before this cycle's words are applied
        seen.append(int(dut.flag_o.value))
        dut.weight_i.value = w
        dut.act_i.value = x
        dut.flag_i.value = flag
        await FallingEdge(dut.clk_i)
    for u, (lanes, xnor) in enumerate(grid):
        delay = popcount_latency(lanes, style)
        got = [(c >> (8 * u)) & 255 for c in counts[delay : delay + len(pairs)]]
        wrong = [i for i, pair in enumerate(pairs) if got[i] != expected(pair, lanes, xnor)]
        assert not wrong, f"lanes {lanes} xnor {xnor}: {len(wrong)} words wrong"
        assert [(f >> u) & 1 for f in seen[delay : delay + len(pairs)]] == flags


@cocotb.test()
async def reset_clears_flags_on_their_way(dut):
    dut.flag_i.value = 1
    await start(dut)
    for _ in range(20):
        await FallingEdge(dut.clk_i)
    assert dut.flag_o.value.to_unsigned() == (1 << len(units())) - 1
    dut.flag_i.value = 0
    await reset(dut)
    for _ in range(20):
        assert dut.flag_o.value == 0
        await FallingEdge(dut.clk_i)

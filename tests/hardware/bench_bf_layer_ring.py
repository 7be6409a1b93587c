"""cocotb bench of bf_layer_ring: the rows of frames inside, while the host changes its choices."""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from streams import parameters, start


@cocotb.test()
async def frames_keep_the_row_of_the_cycle_in_which_they_enter(dut: Any) -> None:
    p = parameters()
    modes, ring, layers = p["Modes"], p["Ring"], p["Layers"]
    width, rng = (modes - 1).bit_length(), random.Random(3)
    dut.enter_i.value = 0
    await start(dut)
    entered: list[list[int]] = []
    for _ in range(300):
        choices = [[rng.randrange(modes) for _ in range(layers)] for _ in range(modes)]
        flat = [choice for row in choices for choice in row]
        dut.choices_i.value = sum(choice << width * i for i, choice in enumerate(flat))
        mode, enter = rng.randrange(modes), rng.random() < 0.4
        dut.mode_i.value, dut.enter_i.value = mode, int(enter)
        await FallingEdge(dut.clk_i)
        if enter:
            entered.append(choices[mode])
        rings = int(dut.rings_o.value)
        for frame in range(max(0, len(entered) - ring), len(entered)):
            for layer in range(layers):
                at = (layer * ring + frame % ring) * width
                assert rings >> at & (1 << width) - 1 == entered[frame][layer], (frame, layer)
    assert len(entered) > 4 * ring

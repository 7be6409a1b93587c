"""cocotb bench of bf_bias: accumulators plus bias, modulo the width, one cycle later."""

import random

import cocotb
from cocotb.triggers import FallingEdge
from mvtu_layer import image_path
from streams import parameters, reset, start


def expected(p: dict, bias: int, acc: int) -> int:
    mask = (1 << p["Width"]) - 1
    out = 0
    for i in range(p["Pe"]):
        at = i * p["Width"]
        out |= ((((acc >> at) << p["Shift"]) + (bias >> at)) & mask) << at
    return out


@cocotb.test()
async def adds_the_bias_of_the_fold(dut):
    p = parameters()
    words = [0] * p["Folds"]
    if p["HasBias"]:
        words = [int(line, 16) for line in image_path(p, "File").read_text().split()]
    rng = random.Random(2)
    dut.acc_valid_i.value = 0
    await start(dut)
    for wait in (0.0, 0.6):
        for fold in range(4 * p["Folds"] + 1):
            while rng.random() < wait:
                dut.acc_valid_i.value = 0
                await FallingEdge(dut.clk_i)
                assert dut.out_valid_o.value == 0
            acc = rng.getrandbits(p["Pe"] * p["Width"])
            dut.acc_valid_i.value = 1
            dut.acc_data_i.value = acc
            await FallingEdge(dut.clk_i)
            assert dut.out_valid_o.value == 1
            got = int(dut.out_data_o.value)
            assert got == expected(p, words[fold % p["Folds"]], acc), fold
        dut.acc_valid_i.value = 0
        await reset(dut)  # in mid-vector: the next fold is fold 0 again
        assert dut.out_valid_o.value == 0

"""cocotb bench of a generated top: FINN's own beats in, FINN's own results out, in time."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import cocotb
from streams import reset, start
from vector_unit import always, at_random, bursts, play, quiet

LAYER = json.loads(Path(os.environ["FINN_LAYER"]).read_text())
PORTS = {
    "clk_i": "ap_clk",
    "rst_ni": "ap_rst_n",
    "in_valid_i": "in0_V_TVALID",
    "in_ready_o": "in0_V_TREADY",
    "in_data_i": "in0_V_TDATA",
    "out_valid_o": "out0_V_TVALID",
    "out_ready_i": "out0_V_TREADY",
    "out_data_o": "out0_V_TDATA",
}


@cocotb.test()
async def beats_and_cycles_are_those_that_finn_expects(dut):
    assert [len(dut.in0_V_TDATA), len(dut.out0_V_TDATA)] == list(LAYER["widths"].values())
    unit = SimpleNamespace(**{ours: getattr(dut, theirs) for ours, theirs in PORTS.items()})
    quiet(unit)
    await start(unit)
    beats, words = LAYER["beats"]["in"], LAYER["beats"]["out"]
    for offer, take in (
        (always, always),
        (at_random(0.4, 1), at_random(0.5, 2)),
        (bursts(30, 3), always),
        (always, bursts(50, 4)),
    ):
        trace = await play(unit, beats, len(words), offer, take)
        assert trace.words == words
        if offer is take is always:
            assert trace.taken_out[-1] - trace.taken_in[0] == LAYER["cycles"] + LAYER["fill"]
        await reset(unit)

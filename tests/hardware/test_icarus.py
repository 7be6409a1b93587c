"""A part of the benches in a second simulator; which modules, and with which parameters.

Left out: what needs more than a module and its parameters (memory images, inner signals), and the
AXI ends, whose models of cocotbext-axi take no unknown values in front of the first reset.
"""

import pytest
from icarus import bench_icarus

from bitfold.sim.reference import pack_steps, step_table

pytestmark = pytest.mark.rtl

STEPS = step_table(3, 2, 1, 1, act_signed=True, weight_signed=True)
CASES: dict[str, dict[str, int | str]] = {
    "bf_argmax": {"Items": 2, "Width": 5, "Outputs": 6},
    "bf_crc16": {},
    "bf_dot": {"Pe": 2, "Simd": 5, "Ap": 2, "MaxShift": 3, "AccWidth": 12, "Style": 0},
    "bf_fifo": {"Width": 8, "Depth": 5},
    "bf_fork": {"Width": 3, "Beats": 4, "Branches": 2, "Vectors": "64'h300000002"},
    "bf_frame_rx": {"TimeoutCycles": 20},
    "bf_frame_tx": {},
    "bf_gather": {"Group": 3, "Planes": 2, "Words": 3, "Bipolar": "1'b0"},
    "bf_join": {"Width": 3, "Branches": 2, "Beats": "64'h300000002"},
    "bf_maxpool": {"Group": 3, "Beats": 6, "Planes": 3, "Signed": "1'b1", "Positions": 4},
    "bf_mvu_seq": {
        "Folds": 3,
        "Words": 4,
        "Banks": 1,
        "Blocks": 1,
        "Runs": 1,
        "ActGroups": 3,
        "WGroups": 2,
        "FoldCycles": len(STEPS) * 4,
        "ShiftWidth": max(s.shift for s in STEPS).bit_length(),
        "Steps": f"{32 * len(STEPS)}'h{pack_steps(STEPS):x}",
    },
    "bf_pad": {"Group": 3, "Beats": 2, "Height": 3, "Width": 2, "PadTop": 1, "PadRight": 2},
    "bf_planes": {"Pe": 6, "Tpe": 3, "AccWidth": 5},
    "bf_skid": {"Width": 8},
    "bf_uart_rx": {"BitCycles": 8},
    "bf_uart_tx": {"BitCycles": 4},
    "bf_unpack": {"Items": 3, "Width": 5},
    "bf_upscale": {
        **{"Group": 2, "Beats": 16, "Width": 3, "FactorH": 2, "FactorW": 2},
        **{"Split": "1'b1", "Run": 4},
    },
    "bf_vecbuf": {
        **{"GroupIn": 8, "Simd": 4, "Ap": 2, "Planes": 5, "Inputs": 40, "ActSigned": "1'b0"},
    },
    "bf_vecfifo": {"Width": 5, "Beats": 3, "Vectors": 4},
    "bf_window": {
        **{"Group": 3, "Beats": 4, "Height": 5, "Width": 5, "KernelH": 3, "KernelW": 3},
        **{"StrideH": 2, "StrideW": 2, "PadTop": 1, "PadLeft": 1, "PadBottom": 1, "PadRight": 1},
        **{"Planes": 2, "PadSign": "1'b1"},
    },
}


@pytest.mark.parametrize("module", list(CASES))
def test_same_words_and_cycles_in_icarus(module: str) -> None:
    bench_icarus(module, **CASES[module])

"""A design folder written by hand, small enough to build in seconds.

Frame: 12 bytes, two a beat. Output k of 3 = mem[k] + (sum of the frame's bytes << k), mem signed.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.design import Design, read_design, write_manifest
from bitfold.files import new_folder, write_text

FRAME_BYTES, BEAT_BYTES, OUTPUTS = 12, 2, 3
CONSTANTS = (-5, 1000, -32768)

_RTL = """\
// SPDX-License-Identifier: Apache-2.0
// bf_accelerator: stands for a compiled one; adds up the bytes of a frame.
module bf_accelerator (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [15:0] s_axis_tdata,
  input  logic        s_axis_tvalid,
  output logic        s_axis_tready,
  input  logic        s_axis_tlast,
  output logic [31:0] m_axis_tdata,
  output logic        m_axis_tvalid,
  input  logic        m_axis_tready,
  output logic        m_axis_tlast
);
  logic [15:0] constants [4];
  logic [15:0] sum_q;
  logic [1:0]  index_q;
  logic        give_q;

  initial $readmemh("mem/constants.mem", constants);

  assign s_axis_tready = !give_q;
  assign m_axis_tvalid = give_q;
  assign m_axis_tlast  = index_q == 2'd2;
  assign m_axis_tdata  =
      {{16{constants[index_q][15]}}, constants[index_q]} + ({16'd0, sum_q} << index_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      give_q  <= 1'b0;
      index_q <= '0;
      sum_q   <= '0;
    end else if (!give_q) begin
      if (s_axis_tvalid) begin
        sum_q  <= sum_q + {8'd0, s_axis_tdata[7:0]} + {8'd0, s_axis_tdata[15:8]};
        give_q <= s_axis_tlast;
      end
    end else if (m_axis_tready) begin
      index_q <= m_axis_tlast ? '0 : index_q + 1'b1;
      give_q  <= !m_axis_tlast;
      if (m_axis_tlast) sum_q <= '0;
    end
  end
endmodule
"""


def toy_design(folder: Path) -> Design:
    """Write it to `folder`, unless it is there, and read it as any other design."""
    if not folder.is_dir():
        with new_folder(folder, "manifest.json") as new:
            write_text(new / "rtl" / "bf_accelerator.sv", _RTL)
            words = [f"{value & 0xFFFF:04x}" for value in (*CONSTANTS, 0)]
            write_text(new / "mem" / "constants.mem", "\n".join(words) + "\n")
            design = Design(
                folder=new,
                model={},
                stages=(),
                rtl=("rtl/bf_accelerator.sv",),
                mem=("mem/constants.mem",),
                bench=(),
                input={
                    "shape": [2, 2, 3],
                    "bytes_per_frame": FRAME_BYTES,
                    "bytes_per_beat": BEAT_BYTES,
                },
                output={"count": OUTPUTS},
                target="ecp5",
                clock_mhz=25.0,
                predicted={},
                checked=None,
                versions={},
            )
            write_manifest(design, new)
    return read_design(folder)


def golden(frames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Outputs (N, 3) of frames (N, 12)."""
    sums = frames.astype(np.int64).sum(axis=1)
    return np.stack([c + (sums << k) for k, c in enumerate(CONSTANTS)], axis=1)

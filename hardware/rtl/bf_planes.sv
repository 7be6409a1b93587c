// SPDX-License-Identifier: Apache-2.0
// bf_planes: accumulators to their own planes, for readers that each have thresholds of their own.
//
// One bit a cycle, the sign first; Tpe channels at a time, Pe / Tpe rounds a fold. Takes the place of
// a bf_threshold with OutBits = AccWidth and has its timing.
//
// Streams      acc_* in: pulses at least CYCLES = AccWidth * Pe / Tpe cycles apart, no ready.
//              out_*: plane beats, group Tpe, no ready.
// Rate         a fold every CYCLES cycles. Latency 2 + k cycles from acc_* to beat k.
// Comb. paths  none.
// Golden       bitfold.sim.reference.to_plane_beats; test: tests/hardware/test_bf_planes.py
module bf_planes #(
  parameter  int unsigned Pe       = 4,      // accumulators of a fold
  parameter  int unsigned Tpe      = 2,      // that leave at a time; divides Pe
  parameter  int unsigned AccWidth = 12,     // bits of an accumulator, signed
  localparam int unsigned ROUNDS   = Pe / Tpe
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,     // synchronous, active low
  // Accumulators of a fold, output 0 in the low bits.
  input  logic                   acc_valid_i,
  input  logic [Pe*AccWidth-1:0] acc_data_i,
  // Planes.
  output logic                   out_valid_o,
  output logic [Tpe-1:0]         out_data_o
);
  localparam int unsigned CYCLES      = AccWidth * ROUNDS;
  localparam int unsigned COUNT_WIDTH = CYCLES > 1 ? $clog2(CYCLES) : 1;

  logic                   busy_q;
  logic [COUNT_WIDTH-1:0] count_q;
  logic                   last;

  assign last = count_q == COUNT_WIDTH'(CYCLES - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q      <= 1'b0;
      count_q     <= '0;
      out_valid_o <= 1'b0;
    end else begin
      if (acc_valid_i) busy_q <= 1'b1;
      else if (last) busy_q <= 1'b0;
      if (busy_q) count_q <= last ? '0 : count_q + 1'b1;
      out_valid_o <= busy_q;
    end
  end

  // Lane l holds the accumulators of channels l, Tpe + l, ... one behind the other, the first on top,
  // and gives its highest bit.
  for (genvar l = 0; l < Tpe; l++) begin : g_lane
    logic [CYCLES-1:0] acc_q, acc_d;
    for (genvar r = 0; r < ROUNDS; r++) begin : g_round
      assign acc_d[(ROUNDS-1-r)*AccWidth +: AccWidth] = acc_data_i[(r*Tpe+l)*AccWidth +: AccWidth];
    end
    always_ff @(posedge clk_i) begin
      if (acc_valid_i) acc_q <= acc_d;
      else acc_q <= acc_q << 1;
      out_data_o[l] <= acc_q[CYCLES-1];
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Pe < 1 || Tpe < 1 || AccWidth < 1) $fatal(1, "%m: parameters >= 1 required");
    if (Pe % Tpe != 0) $fatal(1, "%m: Tpe must divide Pe");
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni && acc_valid_i && busy_q && !last) begin
      $fatal(1, "%m: accumulators came before those of the last fold were through");
    end
  end
`endif
endmodule

// SPDX-License-Identifier: Apache-2.0
// bf_rounds: which plane of which channels comes, for what turns accumulators into codes.
//
// A fold of Pe accumulators is held and handed on Tpe at a time, Pe / Tpe rounds of Planes cycles.
//
// Groups       channel groups after which group_o begins again: folds * rounds, or 1.
// Streams      acc_* in: pulses at least CYCLES = Planes * Pe / Tpe cycles apart, no ready.
// Timing       busy_o, first_o, last_o and acc_o are those of the present cycle, from the one after
//              acc_valid_i on; group_o is that of the next cycle, for memories with a registered
//              output; valid_o is busy_o of the cycle before.
// Comb. paths  none.
// Test         tests/hardware/test_bf_threshold.py
module bf_rounds #(
  parameter  int unsigned Pe       = 4,      // accumulators of a fold
  parameter  int unsigned Tpe      = 2,      // of a round; divides Pe
  parameter  int unsigned AccWidth = 12,     // bits of an accumulator
  parameter  int unsigned Planes   = 4,      // cycles of a round
  parameter  int unsigned Groups   = 4,
  localparam int unsigned ROUNDS      = Pe / Tpe,
  localparam int unsigned GROUP_WIDTH = Groups > 1 ? $clog2(Groups) : 1
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,    // synchronous, active low
  // Accumulators of a fold, output 0 in the low bits.
  input  logic                    acc_valid_i,
  input  logic [Pe*AccWidth-1:0]  acc_data_i,
  // The present cycle, and the group of the next.
  output logic                    busy_o,
  output logic                    first_o,   // plane of a round
  output logic                    last_o,
  output logic [GROUP_WIDTH-1:0]  group_o,
  output logic [Tpe*AccWidth-1:0] acc_o,
  output logic                    valid_o
);
  localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;

  localparam logic [GROUP_WIDTH-1:0] LAST_GROUP = GROUP_WIDTH'(Groups - 1);
  localparam logic [PLANE_WIDTH-1:0] LAST_PLANE = PLANE_WIDTH'(Planes - 1);

  logic                   busy_q;
  logic [PLANE_WIDTH-1:0] plane_q;
  logic [GROUP_WIDTH-1:0] group_q;
  logic [Pe*AccWidth-1:0] acc_q;             // those of this round in the low lanes
  logic                   last_round;

  assign busy_o  = busy_q;
  assign first_o = plane_q == '0;
  assign last_o  = plane_q == LAST_PLANE;
  assign group_o = !(busy_q && last_o) ? group_q : group_q == LAST_GROUP ? '0 : group_q + 1'b1;
  assign acc_o   = acc_q[Tpe*AccWidth-1:0];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      plane_q <= '0;
      group_q <= '0;
      valid_o <= 1'b0;
    end else begin
      if (acc_valid_i) busy_q <= 1'b1;
      else if (last_o && last_round) busy_q <= 1'b0;
      if (busy_q) begin
        plane_q <= last_o ? '0 : plane_q + 1'b1;
        group_q <= group_o;
      end
      valid_o <= busy_q;
    end
  end

  if (ROUNDS == 1) begin : g_one_round
    assign last_round = 1'b1;
    always_ff @(posedge clk_i) if (acc_valid_i) acc_q <= acc_data_i;
  end else begin : g_rounds
    localparam int unsigned ROUND_WIDTH = $clog2(ROUNDS);
    logic [ROUND_WIDTH-1:0] round_q;
    assign last_round = round_q == ROUND_WIDTH'(ROUNDS - 1);
    always_ff @(posedge clk_i) begin
      if (!rst_ni) round_q <= '0;
      else if (busy_q && last_o) round_q <= last_round ? '0 : round_q + 1'b1;
      if (acc_valid_i) acc_q <= acc_data_i;
      else if (last_o) acc_q <= acc_q >> (Tpe * AccWidth);
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Pe < 1 || Tpe < 1 || AccWidth < 1 || Planes < 1 || Groups < 1) begin
      $fatal(1, "%m: parameters >= 1 required");
    end
    if (Pe % Tpe != 0) $fatal(1, "%m: Tpe must divide Pe");
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni && acc_valid_i && busy_q && !(last_o && last_round)) begin
      $fatal(1, "%m: accumulators came before those of the last fold were through");
    end
  end
`endif
endmodule

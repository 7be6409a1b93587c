// SPDX-License-Identifier: Apache-2.0
// bf_dot_row: one weight plane against Ap activation planes.
//
//   row_o = sum_{j<Ap} +-2^j popcount(weight_i & x_j), or of ~(weight_i ^ x_j) with Xnor
//   with minus for plane Ap-1 under act_sign_i if Ap > 1; with one plane the sign is left to
//   whoever adds the row.
//
// Tag          flags_i leaves with the row as flags_o; reset clears flags on their way.
// Layout       act_i[j*Simd + l] is plane j (0 least significant) of input l.
// Rate         one beat a cycle, free running. Latency popcount_latency(Simd, Style) + $clog2(Ap).
// Comb. paths  none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_dot.py (inside bf_dot)
module bf_dot_row #(
  parameter  int unsigned Simd  = 8,     // inputs, >= 1
  parameter  int unsigned Ap    = 1,     // activation planes, >= 1
  parameter  bit          Xnor  = 1'b0,
  parameter  int unsigned Style = 0,     // as in bf_popcount
  parameter  int unsigned FlagWidth = 1,
  localparam int unsigned CountWidth = $clog2(Simd + 1),
  localparam int unsigned RowWidth   = Ap == 1 ? CountWidth + 1 : CountWidth + 1 + Ap
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,      // synchronous, active low; flags only
  input  logic [Ap*Simd-1:0]         act_i,
  input  logic [Simd-1:0]            weight_i,
  input  logic                       act_sign_i,
  input  logic [FlagWidth-1:0]       flags_i,
  output logic signed [RowWidth-1:0] row_o,
  output logic [FlagWidth-1:0]       flags_o
);
  logic [Ap*(CountWidth+1)-1:0] counts;
  logic [Ap*(FlagWidth+1)-1:0]  flags;  // behind the counts; only those of plane 0 are read

  for (genvar j = 0; j < Ap; j++) begin : g_plane
    logic [CountWidth-1:0] count;

    bf_popcount #(
      .Lanes     (Simd),
      .Xnor      (Xnor),
      .Style     (Style),
      .FlagWidth (FlagWidth + 1)
    ) i_popcount (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .weight_i (weight_i),
      .act_i    (act_i[j*Simd +: Simd]),
      .flags_i  (j == 0 ? {Ap != 1 && act_sign_i, flags_i} : (FlagWidth+1)'(0)),
      .count_o  (count),
      .flags_o  (flags[j*(FlagWidth+1) +: FlagWidth+1])
    );
    assign counts[j*(CountWidth+1) +: CountWidth+1] = {1'b0, count};
  end

  bf_plane_sum #(
    .Planes (Ap),
    .Width  (CountWidth + 1)
  ) i_sum (
    .clk_i    (clk_i),
    .term_i   (counts),
    .negate_i (flags[FlagWidth]),
    .sum_o    (row_o)
  );
  bf_flags #(
    .Width  (FlagWidth),
    .Cycles ($clog2(Ap))
  ) i_flags (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .flags_i (flags[FlagWidth-1:0]),
    .flags_o (flags_o)
  );
endmodule

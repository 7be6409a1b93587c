// SPDX-License-Identifier: Apache-2.0
// bf_add_ccu2c: ECP5 carry chain that adds, or adds the complement.
//
//   sum_o = a_i + (b_i ^ {Width{negate_i}})    modulo 2^Width
//
// Instantiated rather than written as `+`: synthesis merges chained additions into compressors of
// LUTs, and does not know that the cell inverts an operand for free.
//
// Sites        ceil(Width / 2) CCU2C, each two LUTs of four inputs.
// Comb. paths  all inputs -> sum_o.
// Golden       integer arithmetic; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_add_ccu2c #(
  parameter int unsigned Width = 5  // >= 1
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  input  logic             negate_i,
  output logic [Width-1:0] sum_o
);
`ifdef SYNTHESIS
  localparam int unsigned CELLS = (Width + 1) / 2;

  logic [2*CELLS-1:0] a, b, sum;
  logic [CELLS:0]     carry;

  assign a        = (2*CELLS)'(a_i);
  assign b        = (2*CELLS)'(b_i);
  assign carry[0] = 1'b0;
  // With D = 1 a LUT gives A ^ B ^ C; what the carry takes where that is 0 is A, the low four bits
  // of the table.
  for (genvar c = 0; c < CELLS; c++) begin : g_cell
    CCU2C #(
      .INIT0     (16'h96AA),
      .INIT1     (16'h96AA),
      .INJECT1_0 ("NO"),
      .INJECT1_1 ("NO")
    ) i_cell (
      .CIN  (carry[c]),
      .A0   (a[2*c]),
      .B0   (b[2*c]),
      .C0   (negate_i),
      .D0   (1'b1),
      .A1   (a[2*c+1]),
      .B1   (b[2*c+1]),
      .C1   (negate_i),
      .D1   (1'b1),
      .S0   (sum[2*c]),
      .S1   (sum[2*c+1]),
      .COUT (carry[c+1])
    );
  end
  assign sum_o = sum[Width-1:0];
`else
  assign sum_o = a_i + (b_i ^ {Width{negate_i}});

  initial begin
    if (Width < 1) $fatal(1, "%m: Width >= 1 required");
  end
`endif
endmodule

// SPDX-License-Identifier: Apache-2.0
// bf_carry: xc7 carry chain of CARRY4 cells.
//
//   sum_o[i] = propagate_i[i] ^ c_i,  c_{i+1} = propagate_i[i] ? c_i : generate_i[i],  c_0 = carry_i
//
// Sites        ceil(Positions / 4) CARRY4. carry_i enters at the AX pin of the first slice, so
//              generate_i[0] must come from the O5 output of the LUT beside it. carry_o shares the
//              output of the last position with its sum: one of the two must go straight into a
//              register, which all users here do with the sum.
// Comb. paths  all inputs -> all outputs.
// Golden       the vendor's CARRY4; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_carry #(
  parameter int unsigned Positions = 4  // >= 1
) (
  input  logic                 carry_i,
  input  logic [Positions-1:0] propagate_i,
  input  logic [Positions-1:0] generate_i,
  output logic [Positions-1:0] sum_o,
  output logic                 carry_o
);
`ifdef SYNTHESIS
  localparam int unsigned CELLS = (Positions + 3) / 4;

  logic [4*CELLS-1:0] propagate, gen, sum, carry;

  assign propagate = {{(4 * CELLS - Positions){1'b0}}, propagate_i};
  assign gen       = {{(4 * CELLS - Positions){1'b0}}, generate_i};
  for (genvar c = 0; c < CELLS; c++) begin : g_cell
    CARRY4 i_carry (
      .CI     (c == 0 ? 1'b0 : carry[4*c-1]),
      .CYINIT (c == 0 ? carry_i : 1'b0),
      .DI     (gen[4*c +: 4]),
      .S      (propagate[4*c +: 4]),
      .O      (sum[4*c +: 4]),
      .CO     (carry[4*c +: 4])
    );
  end
  assign sum_o   = sum[Positions-1:0];
  assign carry_o = carry[Positions-1];
`else
  logic [Positions:0] carry;

  assign carry[0] = carry_i;
  for (genvar i = 0; i < Positions; i++) begin : g_position
    assign sum_o[i]   = propagate_i[i] ^ carry[i];
    assign carry[i+1] = propagate_i[i] ? carry[i] : generate_i[i];
  end
  assign carry_o = carry[Positions];

  initial begin
    if (Positions < 1) $fatal(1, "%m: Positions >= 1 required");
  end
`endif
endmodule

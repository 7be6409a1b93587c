// SPDX-License-Identifier: Apache-2.0
// bf_heap_adders: one step of bf_heap with full adders, each in one xc7 LUT.
//
// Layout       column 0 in the low bits; field k (12 bits) of Heights, Adders and Next: bits of
//              column k, full adders in it (0 or 1), bits of it afterwards. Order in a column
//              afterwards: sum, carry from the column below, bits left over.
// Latency      1 cycle.
// Comb. paths  none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_heap_adders #(
  parameter int unsigned           Columns  = 2,
  parameter int unsigned           Bits     = 4,  // sum of Heights
  parameter int unsigned           NextBits = 3,  // sum of Next
  parameter logic [Columns*12-1:0] Heights  = {12'd0, 12'd4},
  parameter logic [Columns*12-1:0] Adders   = {12'd0, 12'd1},
  parameter logic [Columns*12-1:0] Next     = {12'd1, 12'd2}
) (
  input  logic                clk_i,
  input  logic [Bits-1:0]     bits_i,
  output logic [NextBits-1:0] bits_o
);
  function automatic int unsigned field(
      input logic [Columns*12-1:0] fields, input int unsigned k);
    field = k < Columns ? 32'(fields[k*12 +: 12]) : 0;
  endfunction

  function automatic int unsigned base(
      input logic [Columns*12-1:0] fields, input int unsigned column);
    base = 0;
    for (int unsigned k = 0; k < column; k++) base = base + 32'(fields[k*12 +: 12]);
  endfunction

  // Three inputs, the sixth is 1: O6 the sum, O5 the carry.
  function automatic logic [63:0] adder_init();
    logic [5:0] in;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      adder_init[i] =
          in[5] ? in[0] ^ in[1] ^ in[2] : (in[0] & in[1]) | (in[0] & in[2]) | (in[1] & in[2]);
    end
  endfunction

  localparam logic [63:0] ADDER = adder_init();

  logic [NextBits-1:0] next;

  for (genvar k = 0; k < Columns; k++) begin : g_column
    localparam int unsigned HEIGHT = field(Heights, k);
    localparam int unsigned BASE   = base(Heights, k);
    localparam int unsigned HERE   = field(Adders, k);
    localparam int unsigned BELOW  = k >= 1 ? field(Adders, k - 1) : 0;
    localparam int unsigned FIRST  = base(Next, k) + HERE + BELOW;

    for (genvar j = 3 * HERE; j < HEIGHT; j++) begin : g_left_over
      assign next[FIRST + j - 3 * HERE] = bits_i[BASE + j];
    end
    if (HERE == 1) begin : g_adder
      logic carry;
      bf_lut6_2 #(
        .Init (ADDER)
      ) i_adder (
        .in_i ({3'b100, bits_i[BASE +: 3]}),
        .o5_o (carry),
        .o6_o (next[base(Next, k)])
      );
      if (k + 1 < Columns) begin : g_carry
        assign next[base(Next, k + 1) + field(Adders, k + 1)] = carry;
      end
    end
  end

  always_ff @(posedge clk_i) bits_o <= next;
endmodule

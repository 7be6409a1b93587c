// SPDX-License-Identifier: Apache-2.0
// bf_add_lut4: sum of two numbers too short for a carry chain, in ECP5 LUTs: three for two bits,
// five for three.
//
//   sum_o = a_i + b_i
//
// Comb. paths  all inputs -> sum_o.
// Golden       integer arithmetic; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_add_lut4 #(
  parameter int unsigned Width = 2  // 2 or 3
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  output logic [Width:0]   sum_o
);
  // Bit `place` of {in[3], in[1]} + {in[2], in[0]}.
  function automatic logic [15:0] low_init(input logic [1:0] place);
    logic [3:0] in;
    logic [2:0] total;
    for (int i = 0; i < 16; i++) begin
      in = 4'(i);
      total = 3'({in[3], in[1]}) + 3'({in[2], in[0]});
      low_init[i] = total[place];
    end
  endfunction

  // Full adder of in[2:0]: sum or carry.
  function automatic logic [15:0] full_init(input logic carry);
    logic [3:0] in;
    for (int i = 0; i < 16; i++) begin
      in = 4'(i);
      full_init[i] =
          carry ? (in[0] & in[1]) | (in[0] & in[2]) | (in[1] & in[2]) : in[0] ^ in[1] ^ in[2];
    end
  endfunction

  localparam logic [15:0] LOW_0 = low_init(2'd0);
  localparam logic [15:0] LOW_1 = low_init(2'd1);
  localparam logic [15:0] LOW_2 = low_init(2'd2);
  localparam logic [15:0] SUM   = full_init(1'b0);
  localparam logic [15:0] CARRY = full_init(1'b1);

  logic [3:0] low;
  logic       carry;

  assign low = {a_i[1], b_i[1], a_i[0], b_i[0]};
  bf_lut4 #(
    .Init (LOW_0)
  ) i_low_0 (
    .in_i  (low),
    .out_o (sum_o[0])
  );
  bf_lut4 #(
    .Init (LOW_1)
  ) i_low_1 (
    .in_i  (low),
    .out_o (sum_o[1])
  );
  bf_lut4 #(
    .Init (LOW_2)
  ) i_low_2 (
    .in_i  (low),
    .out_o (carry)
  );

  if (Width == 2) begin : g_two
    assign sum_o[2] = carry;
  end else begin : g_three
    bf_lut4 #(
      .Init (SUM)
    ) i_sum (
      .in_i  ({1'b0, a_i[2], b_i[2], carry}),
      .out_o (sum_o[2])
    );
    bf_lut4 #(
      .Init (CARRY)
    ) i_carry (
      .in_i  ({1'b0, a_i[2], b_i[2], carry}),
      .out_o (sum_o[3])
    );
  end

`ifndef SYNTHESIS
  initial begin
    if (Width != 2 && Width != 3) $fatal(1, "%m: Width 2 or 3 required");
  end
`endif
endmodule

// SPDX-License-Identifier: Apache-2.0
// bf_plane_sum: weighted sum of bit-plane counts, plane 0 least significant.
//
//   sum_o = sum_{j < Planes - 1} 2^j * term_j  +  (negate_i ? -1 : +1) * 2^(Planes-1) * term_top
//
// With one plane the sign is left to whoever adds the result: sum_o = term_0, negate_i not read.
//
// Rate         one word a cycle, free running. Latency Levels cycles ($clog2(Planes) at the top).
// Comb. paths  one plane and no Levels: term_i -> sum_o; else none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_dot.py (inside bf_dot)
//
// Recursive: low planes and high planes, each of Levels - 1, and one adder. The sign plane is the
// second operand of exactly one adder, which subtracts in the same carry chain.
module bf_plane_sum #(
  parameter  int unsigned Planes = 2,              // >= 1
  parameter  int unsigned Width  = 8,              // bits of a term, two's complement
  parameter  int unsigned Levels = $clog2(Planes), // >= $clog2(Planes)
  localparam int unsigned SumWidth = Planes == 1 ? Width : Width + Planes
) (
  input  logic                        clk_i,
  input  logic [Planes*Width-1:0]     term_i,    // term_j at bits [j*Width +: Width]
  input  logic                        negate_i,  // with the terms
  output logic signed [SumWidth-1:0]  sum_o
);
  if (Levels == 0) begin : g_wire
    assign sum_o = signed'(term_i);
  end else if (Planes == 1) begin : g_delay
    bf_delay #(
      .Width  (Width),
      .Cycles (Levels)
    ) i_delay (
      .clk_i  (clk_i),
      .data_i (term_i),
      .data_o (sum_o)
    );
  end else begin : g_add
    localparam int unsigned HIGH = Planes / 2;
    localparam int unsigned LOW  = Planes - HIGH;
    localparam int unsigned LOW_WIDTH  = LOW == 1 ? Width : Width + LOW;
    localparam int unsigned HIGH_WIDTH = HIGH == 1 ? Width : Width + HIGH;
    localparam int unsigned ADD        = SumWidth - LOW;

    logic signed [LOW_WIDTH-1:0]  low;
    logic signed [HIGH_WIDTH-1:0] high;
    logic                         negate;
    logic [SumWidth-1:0]          sum_q;

    bf_plane_sum #(
      .Planes (LOW),
      .Width  (Width),
      .Levels (Levels - 1)
    ) i_low (
      .clk_i    (clk_i),
      .term_i   (term_i[LOW*Width-1:0]),
      .negate_i (1'b0),
      .sum_o    (low)
    );
    bf_plane_sum #(
      .Planes (HIGH),
      .Width  (Width),
      .Levels (Levels - 1)
    ) i_high (
      .clk_i    (clk_i),
      .term_i   (term_i[Planes*Width-1:LOW*Width]),
      .negate_i (negate_i),
      .sum_o    (high)
    );

    if (HIGH == 1) begin : g_sign
      bf_delay #(
        .Width  (1),
        .Cycles (Levels - 1)
      ) i_negate (
        .clk_i  (clk_i),
        .data_i (negate_i),
        .data_o (negate)
      );
    end else begin : g_no_sign
      assign negate = 1'b0;
    end

    // The lowest LOW bits of the sum are those of `low`. Only the rest is an addition; one bit
    // below it carries the + 1 of a subtraction.
    logic signed [ADD-1:0] rest, addend;
    logic [ADD:0]          total;

    assign rest   = ADD'(low >>> LOW);
    assign addend = ADD'(high) ^ {ADD{negate}};
    assign total  = {rest, 1'b1} + {addend, negate};

    always_ff @(posedge clk_i) sum_q <= {total[ADD:1], low[LOW-1:0]};
    assign sum_o = signed'(sum_q);
  end

`ifndef SYNTHESIS
  initial begin
    if (Planes < 1 || Width < 2) $fatal(1, "%m: Planes >= 1 and Width >= 2 required");
    if (Levels < $clog2(Planes)) $fatal(1, "%m: Levels >= clog2(Planes) required");
  end
`endif
endmodule

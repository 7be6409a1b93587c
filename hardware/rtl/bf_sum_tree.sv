// SPDX-License-Identifier: Apache-2.0
// bf_sum_tree: sum of Terms small numbers, a tree of adders with registers on the way.
//
//   sum_o = sum_t term_i[t*TermWidth +: TermWidth]
//
// Rate         one set a cycle, free running.
// Latency      registers behind every second level of adders, counted from the output; with
//              Register at the output that is ceil(Levels / 2) cycles, without floor(Levels / 2).
// Comb. paths  term_i -> sum_o without Register when Levels <= 1.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
//
// Recursive: two halves of Levels - 1 and an adder. Every level of one tree has its registers at
// the same place, so halves of unlike size stay aligned.
module bf_sum_tree #(
  parameter  int unsigned Terms    = 4,              // >= 1
  parameter  int unsigned Max      = 2,              // greatest term, >= 1
  parameter  int unsigned Levels   = $clog2(Terms),  // >= $clog2(Terms)
  parameter  bit          Register = 1'b1,           // 1: sum_o comes from a register
  parameter  bit          Ecp5     = 1'b0,           // 1: adders of ECP5 primitives
  localparam int unsigned TermWidth = $clog2(Max + 1),
  localparam int unsigned SumWidth  = $clog2(Terms * Max + 1)
) (
  input  logic                       clk_i,
  input  logic [Terms*TermWidth-1:0] term_i,
  output logic [SumWidth-1:0]        sum_o
);
  logic [SumWidth-1:0] sum;

  if (Terms == 1) begin : g_leaf
    if (Levels <= 1) begin : g_end
      assign sum = term_i;
    end else begin : g_delay
      bf_sum_tree #(
        .Terms    (1),
        .Max      (Max),
        .Levels   (Levels - 1),
        .Register (!Register),
        .Ecp5     (Ecp5)
      ) i_delay (
        .clk_i  (clk_i),
        .term_i (term_i),
        .sum_o  (sum)
      );
    end
  end else begin : g_split
    localparam int unsigned HIGH = Terms / 2;
    localparam int unsigned LOW  = Terms - HIGH;
    localparam int unsigned LOW_WIDTH  = $clog2(LOW * Max + 1);
    localparam int unsigned HIGH_WIDTH = $clog2(HIGH * Max + 1);

    logic [LOW_WIDTH-1:0]  low;
    logic [HIGH_WIDTH-1:0] high;

    bf_sum_tree #(
      .Terms    (LOW),
      .Max      (Max),
      .Levels   (Levels - 1),
      .Register (!Register),
      .Ecp5     (Ecp5)
    ) i_low (
      .clk_i  (clk_i),
      .term_i (term_i[LOW*TermWidth-1:0]),
      .sum_o  (low)
    );
    bf_sum_tree #(
      .Terms    (HIGH),
      .Max      (Max),
      .Levels   (Levels - 1),
      .Register (!Register),
      .Ecp5     (Ecp5)
    ) i_high (
      .clk_i  (clk_i),
      .term_i (term_i[Terms*TermWidth-1:LOW*TermWidth]),
      .sum_o  (high)
    );


    if (Ecp5 && (LOW_WIDTH == 2 || LOW_WIDTH == 3)) begin : g_short
      logic [LOW_WIDTH:0] total;
      bf_add_lut4 #(
        .Width (LOW_WIDTH)
      ) i_add (
        .a_i   (low),
        .b_i   (LOW_WIDTH'(high)),
        .sum_o (total)
      );
      assign sum = total[SumWidth-1:0];
    end else if (Ecp5) begin : g_chain
      bf_add_ccu2c #(
        .Width (SumWidth)
      ) i_add (
        .a_i      (SumWidth'(low)),
        .b_i      (SumWidth'(high)),
        .negate_i (1'b0),
        .sum_o    (sum)
      );
    end else begin : g_add
      assign sum = SumWidth'(low) + SumWidth'(high);
    end
  end

  if (Register && Levels != 0) begin : g_register
    logic [SumWidth-1:0] sum_q;
    always_ff @(posedge clk_i) sum_q <= sum;
    assign sum_o = sum_q;
  end else begin : g_wire
    assign sum_o = sum;
  end

`ifndef SYNTHESIS
  initial begin
    if (Terms < 1 || Levels < $clog2(Terms)) $fatal(1, "%m: Levels >= clog2(Terms) required");
  end
`endif
endmodule

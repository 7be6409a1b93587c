// SPDX-License-Identifier: Apache-2.0
// bf_sum_tree: number of ones among Bits bits, a tree of adders with registers on the way.
//
//   count_o = popcount(bits_i)
//
// Rate         one word a cycle, free running.
// Latency      registers behind every second level of adders, counted from the output; with
//              Register at the output that is ceil(Levels / 2) cycles, without floor(Levels / 2).
// Comb. paths  bits_i -> count_o without Register when Levels <= 1.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
//
// Recursive: two halves of Levels - 1 and an adder. Every level of one tree has its registers at
// the same place, so halves of unlike size stay aligned.
module bf_sum_tree #(
  parameter  int unsigned Bits   = 8,             // >= 1
  parameter  int unsigned Levels = $clog2(Bits),  // >= $clog2(Bits)
  parameter  bit          Register = 1'b1,        // 1: count_o comes from a register
  localparam int unsigned CountWidth = $clog2(Bits + 1)
) (
  input  logic                  clk_i,
  input  logic [Bits-1:0]       bits_i,
  output logic [CountWidth-1:0] count_o
);
  logic [CountWidth-1:0] sum;

  if (Bits == 1) begin : g_leaf
    if (Levels <= 1) begin : g_end
      assign sum = bits_i;
    end else begin : g_delay
      bf_sum_tree #(
        .Bits     (1),
        .Levels   (Levels - 1),
        .Register (!Register)
      ) i_delay (
        .clk_i   (clk_i),
        .bits_i  (bits_i),
        .count_o (sum)
      );
    end
  end else begin : g_split
    localparam int unsigned HIGH = Bits / 2;
    localparam int unsigned LOW  = Bits - HIGH;

    logic [$clog2(LOW + 1)-1:0]  low;
    logic [$clog2(HIGH + 1)-1:0] high;

    bf_sum_tree #(
      .Bits     (LOW),
      .Levels   (Levels - 1),
      .Register (!Register)
    ) i_low (
      .clk_i   (clk_i),
      .bits_i  (bits_i[LOW-1:0]),
      .count_o (low)
    );
    bf_sum_tree #(
      .Bits     (HIGH),
      .Levels   (Levels - 1),
      .Register (!Register)
    ) i_high (
      .clk_i   (clk_i),
      .bits_i  (bits_i[Bits-1:LOW]),
      .count_o (high)
    );
    assign sum = CountWidth'(low) + CountWidth'(high);
  end

  if (Register && Levels != 0) begin : g_register
    logic [CountWidth-1:0] sum_q;
    always_ff @(posedge clk_i) sum_q <= sum;
    assign count_o = sum_q;
  end else begin : g_wire
    assign count_o = sum;
  end

`ifndef SYNTHESIS
  initial begin
    if (Bits < 1 || Levels < $clog2(Bits)) $fatal(1, "%m: Levels >= clog2(Bits) required");
  end
`endif
endmodule

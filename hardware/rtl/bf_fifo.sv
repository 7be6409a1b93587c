// SPDX-License-Identifier: Apache-2.0
// bf_fifo: first in, first out; one clock, registers or LUT RAM, output read combinationally.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         one word a cycle in and out. Latency 1 cycle.
// Comb. paths  none from in_valid_i to out_valid_o, none from out_ready_i to in_ready_o.
// Golden       a queue; test: tests/hardware/test_bf_fifo.py
module bf_fifo #(
  parameter  int unsigned Width = 8,            // bits of a word, >= 1
  parameter  int unsigned Depth = 4,            // words, >= 2
  localparam int unsigned AddrWidth = $clog2(Depth),
  localparam int unsigned CountWidth = $clog2(Depth + 1)
) (
  input  logic             clk_i,
  input  logic             rst_ni,              // synchronous, active low
  // Words in.
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  // Words out.
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  localparam logic [AddrWidth-1:0] LAST = AddrWidth'(Depth - 1);

  logic [Width-1:0]      memory [Depth];
  logic [AddrWidth-1:0]  write_q, read_q;
  logic [CountWidth-1:0] count_q;
  logic                  push, pop;

  assign in_ready_o  = count_q != CountWidth'(Depth);
  assign out_valid_o = count_q != '0;
  assign out_data_o  = memory[read_q];
  assign push = in_valid_i && in_ready_o;
  assign pop  = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (push) memory[write_q] <= in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
      count_q <= '0;
    end else begin
      if (push) write_q <= (write_q == LAST) ? '0 : write_q + 1'b1;
      if (pop) read_q <= (read_q == LAST) ? '0 : read_q + 1'b1;
      if (push != pop) count_q <= count_q + {{CountWidth - 1{pop}}, 1'b1};    // 1 or -1
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Width < 1 || Depth < 2) $fatal(1, "%m: Width >= 1 and Depth >= 2 required");
  end
`endif
endmodule

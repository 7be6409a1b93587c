// SPDX-License-Identifier: Apache-2.0
// bf_vecfifo: FIFO of whole vectors with credit: room is asked for before a vector is computed.
//
// Streams      out_*; transfer on valid && ready; payload stable until taken. in_* has no ready:
//              whoever pulsed reserve_i while room_o was 1 may write Beats words at any time.
// Rate         one word a cycle in and out.
// Credit       room_o: fewer than Vectors vectors are reserved; a vector counts from the cycle
//              after its reserve_i until the cycle in which its last word is taken.
// Latency      a word is offered from the cycle after it was written.
// Comb. paths  none.
// Golden       a queue; test: tests/hardware/test_bf_vecfifo.py
module bf_vecfifo #(
  parameter  int unsigned Width   = 8,       // bits of a word, >= 1
  parameter  int unsigned Beats   = 4,       // words of a vector, >= 1
  parameter  int unsigned Vectors = 2,       // >= 2
  localparam int unsigned DEPTH       = Beats * Vectors,
  localparam int unsigned ADDR_WIDTH  = $clog2(DEPTH),
  localparam int unsigned COUNT_WIDTH = $clog2(DEPTH + 1),
  localparam int unsigned BEAT_WIDTH  = Beats > 1 ? $clog2(Beats) : 1,
  localparam int unsigned VEC_WIDTH   = $clog2(Vectors + 1)
) (
  input  logic             clk_i,
  input  logic             rst_ni,           // synchronous, active low
  // Credit.
  output logic             room_o,
  input  logic             reserve_i,
  // Words in.
  input  logic             in_valid_i,
  input  logic [Width-1:0] in_data_i,
  // Words out.
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  localparam logic [ADDR_WIDTH-1:0] LAST      = ADDR_WIDTH'(DEPTH - 1);
  localparam logic [BEAT_WIDTH-1:0] LAST_BEAT = BEAT_WIDTH'(Beats - 1);

  logic [Width-1:0]       memory [DEPTH];
  logic [ADDR_WIDTH-1:0]  write_q, read_q;
  logic [COUNT_WIDTH-1:0] count_q;           // words stored
  logic [BEAT_WIDTH-1:0]  beat_q;            // of the word offered, in its vector
  logic [VEC_WIDTH-1:0]   reserved_q;
  logic                   pop, done;

  assign room_o      = reserved_q != VEC_WIDTH'(Vectors);
  assign out_valid_o = count_q != '0;
  assign out_data_o  = memory[read_q];
  assign pop         = out_valid_o && out_ready_i;
  assign done        = pop && beat_q == LAST_BEAT;

  always_ff @(posedge clk_i) begin
    if (in_valid_i) memory[write_q] <= in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q    <= '0;
      read_q     <= '0;
      count_q    <= '0;
      beat_q     <= '0;
      reserved_q <= '0;
    end else begin
      if (in_valid_i) write_q <= write_q == LAST ? '0 : write_q + 1'b1;
      if (pop) begin
        read_q <= read_q == LAST ? '0 : read_q + 1'b1;
        beat_q <= done ? '0 : beat_q + 1'b1;
      end
      if (in_valid_i && !pop) count_q <= count_q + 1'b1;
      if (!in_valid_i && pop) count_q <= count_q - 1'b1;
      if (reserve_i && !done) reserved_q <= reserved_q + 1'b1;
      if (!reserve_i && done) reserved_q <= reserved_q - 1'b1;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Width < 1 || Beats < 1 || Vectors < 2) begin
      $fatal(1, "%m: Width >= 1, Beats >= 1, Vectors >= 2 required");
    end
  end

  logic             refused_q;
  logic [Width-1:0] refused_data_q;

  always_ff @(posedge clk_i) begin
    refused_q      <= rst_ni && out_valid_o && !out_ready_i;
    refused_data_q <= out_data_o;
    if (rst_ni && refused_q && !(out_valid_o && out_data_o == refused_data_q)) begin
      $fatal(1, "%m: out changed while it was refused");
    end
    if (rst_ni && reserve_i && !room_o) $fatal(1, "%m: reserve without room");
    if (rst_ni && in_valid_i && count_q == COUNT_WIDTH'(DEPTH)) $fatal(1, "%m: overflow");
  end
`endif
endmodule

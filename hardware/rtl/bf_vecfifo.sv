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
  localparam int unsigned BEAT_WIDTH = Beats > 1 ? $clog2(Beats) : 1,
  localparam int unsigned VEC_WIDTH  = $clog2(Vectors + 1)
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
  logic [BEAT_WIDTH-1:0] beat_q;             // of the word offered, in its vector
  logic [VEC_WIDTH-1:0]  reserved_q;
  logic                  pop, last_beat, done, in_ready;

  bf_fifo #(
    .Width (Width),
    .Depth (Beats * Vectors)
  ) i_fifo (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (in_valid_i),
    .in_ready_o  (in_ready),                 // always, by the credit
    .in_data_i   (in_data_i),
    .out_valid_o (out_valid_o),
    .out_ready_i (out_ready_i),
    .out_data_o  (out_data_o)
  );

  assign room_o    = reserved_q != VEC_WIDTH'(Vectors);
  assign pop       = out_valid_o && out_ready_i;
  assign last_beat = beat_q == BEAT_WIDTH'(Beats - 1);
  assign done      = pop && last_beat;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q     <= '0;
      reserved_q <= '0;
    end else begin
      if (pop) beat_q <= last_beat ? '0 : beat_q + 1'b1;
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
    if (rst_ni && in_valid_i && !in_ready) $fatal(1, "%m: overflow");
  end
`endif
endmodule

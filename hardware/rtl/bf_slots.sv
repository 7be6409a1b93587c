// SPDX-License-Identifier: Apache-2.0
// bf_slots: which of two slots of an input buffer are filled, and which of those are started.
//
// Handshake    full_o: a whole vector that was not started is there, or its last beat is being
//              transferred in this cycle (last_i); start_i takes it. release_i: the vector started
//              first is read for the last time in this cycle; its slot is free from the next on.
//              ready_o: a slot is free.
// Comb. paths  last_i -> full_o.
// Test         tests/hardware/test_bf_vecbuf.py
module bf_slots (
  input  logic clk_i,
  input  logic rst_ni,                           // synchronous, active low
  input  logic last_i,
  input  logic start_i,
  input  logic release_i,
  output logic ready_o,
  output logic full_o
);
  logic [1:0] held_q;                            // vectors that fill a slot
  logic [1:0] pending_q;                         // of them, not started

  assign ready_o = !held_q[1];
  assign full_o  = pending_q != '0 || last_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q    <= '0;
      pending_q <= '0;
    end else begin
      if (last_i && !release_i) held_q <= held_q + 1'b1;
      if (!last_i && release_i) held_q <= held_q - 1'b1;
      if (last_i && !start_i) pending_q <= pending_q + 1'b1;
      if (!last_i && start_i) pending_q <= pending_q - 1'b1;
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni && start_i && !full_o) $fatal(1, "%m: start of a vector that is not there");
    if (rst_ni && release_i && held_q == '0) $fatal(1, "%m: release of a vector not held");
  end
`endif
endmodule

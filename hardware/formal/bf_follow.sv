// SPDX-License-Identifier: Apache-2.0
// bf_follow: what a stage may not do to the items of a stream, as assertions for a model checker.
//
// The checker counts the items inside the stage and follows one that mark_i, which is free, picks:
// it must leave unchanged, after exactly those that entered before it. As any item may be the one
// that is followed, none is lost, made up, doubled or overtaken. A word that is offered is inside,
// and stays offered and unchanged until it is taken. At most Capacity items are ever inside.
//
// Only the first cycle is assumed to be a reset; others may come at any time, and empty the stage.
// With Reach 1 or 2 the claims are false ones instead: the followed item never leaves, Capacity is
// never reached. They must fail, or the claims of Reach 0 say nothing.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_follow #(
  parameter  int unsigned Width    = 1,         // bits of an item
  parameter  int unsigned Push     = 1,         // items of a word that enters, the low one first
  parameter  int unsigned Pop      = 1,         // items of a word that leaves
  parameter  int unsigned Capacity = 2,         // items
  parameter  int unsigned Reach    = 0,
  localparam int unsigned LEVEL_WIDTH = $clog2(Capacity + Push + 1),
  localparam int unsigned ITEM_WIDTH  = Push > 1 ? $clog2(Push) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  // Free: follow item mark_item_i of the word that enters now.
  input  logic                   mark_i,
  input  logic [ITEM_WIDTH-1:0]  mark_item_i,
  // A word enters.
  input  logic                   push_i,
  input  logic [Push*Width-1:0]  push_data_i,
  // The stream that leaves.
  input  logic                   valid_i,
  input  logic                   ready_i,
  input  logic [Pop*Width-1:0]   data_i,
  // Items inside.
  output logic [LEVEL_WIDTH-1:0] level_o
);
  logic                   begun_q;              // the first cycle is over
  logic                   pop, leaves;
  logic [LEVEL_WIDTH-1:0] level_q, ahead_q;
  logic                   follows_q;            // an item is followed; ahead_q are in front of it
  logic [Width-1:0]       followed_q, picked, left;
  logic                   refused_q;            // offered in the cycle before, and not taken
  logic [Pop*Width-1:0]   refused_data_q;

  assign level_o = level_q;
  assign pop     = valid_i && ready_i;
  assign leaves  = pop && follows_q && ahead_q < LEVEL_WIDTH'(Pop);

  always_comb begin
    picked = '0;
    left   = '0;
    for (int unsigned i = 0; i < Push; i++) begin
      if (mark_item_i == ITEM_WIDTH'(i)) picked = push_data_i[i*Width +: Width];
    end
    for (int unsigned i = 0; i < Pop; i++) begin
      if (ahead_q == LEVEL_WIDTH'(i)) left = data_i[i*Width +: Width];
    end
  end

  initial begun_q = 1'b0;

  always_ff @(posedge clk_i) begin
    begun_q        <= 1'b1;
    refused_q      <= rst_ni && valid_i && !ready_i;
    refused_data_q <= data_i;
    if (!rst_ni) begin
      level_q   <= '0;
      follows_q <= 1'b0;
    end else begin
      level_q <= level_q + (push_i ? LEVEL_WIDTH'(Push) : '0) - (pop ? LEVEL_WIDTH'(Pop) : '0);
      if (!follows_q && push_i && mark_i) begin
        follows_q  <= 1'b1;
        followed_q <= picked;
        ahead_q    <= level_q + LEVEL_WIDTH'(mark_item_i) - (pop ? LEVEL_WIDTH'(Pop) : '0);
      end else if (leaves) begin
        follows_q <= 1'b0;
      end else if (pop) begin
        ahead_q <= ahead_q - LEVEL_WIDTH'(Pop);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    assume (begun_q || !rst_ni);
    assume (LEVEL_WIDTH'(mark_item_i) < LEVEL_WIDTH'(Push));
  end

  if (Reach == 1) begin : g_leaves
    always_ff @(posedge clk_i) if (rst_ni) assert (!leaves);
  end else if (Reach == 2) begin : g_fills
    always_ff @(posedge clk_i) if (rst_ni) assert (level_q != LEVEL_WIDTH'(Capacity));
  end else begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        made_up:   assert (!valid_i || level_q >= LEVEL_WIDTH'(Pop));
        overfull:  assert (level_q <= LEVEL_WIDTH'(Capacity));
        unchanged: assert (!leaves || left == followed_q);
        withdrawn: assert (!refused_q || valid_i);
        altered:   assert (!refused_q || data_i == refused_data_q);
      end
    end
  end
endmodule

// SPDX-License-Identifier: Apache-2.0
// bf_argmax: place of the greatest of each frame's integers; of equal ones the first.
//
// A word holds `Items` signed integers, the first in the low bits; a frame is `Outputs` integers.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         one integer a cycle, also across frames. One place a frame.
// Comb. paths  none from in_* to out_*; out_ready_i -> in_ready_o.
// Timing       exact (in(w): cycle of word w; out(f): cycle of frame f):
//                out(f) = max(in(last word of f) + Items + 1, out(f-1) + 1, consumer)
//                in(w)  = max(offered(w), in(w-1) + Items);  if w begins frame f >= 1, also
//                in(w)  >= out(f-2), since the last integer of frame f-1 leaves no earlier
// Golden       numpy argmax; test: tests/hardware/test_bf_argmax.py
module bf_argmax #(
  parameter  int unsigned Items   = 2,          // integers of a word, >= 1, divides Outputs
  parameter  int unsigned Width   = 16,         // bits of an integer, two's complement
  parameter  int unsigned Outputs = 10,         // integers of a frame, >= 1
  localparam int unsigned IndexWidth = Outputs > 1 ? $clog2(Outputs) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  // Words in.
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  input  logic [Items*Width-1:0] in_data_i,
  // Places out.
  output logic                   out_valid_o,
  input  logic                   out_ready_i,
  output logic [IndexWidth-1:0]  out_data_o
);
  logic                    item_valid, item_ready, take, first, last, greater;
  logic signed [Width-1:0] item, best_q;
  logic [IndexWidth-1:0]   count_q, place_q, place, result_q;
  logic                    valid_q;

  bf_unpack #(
    .Items (Items),
    .Width (Width)
  ) u_unpack (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .in_data_i,
    .out_valid_o (item_valid),
    .out_ready_i (item_ready),
    .out_data_o  (item)
  );

  // Only the last integer of a frame waits for the place before it to be taken.
  assign first       = count_q == '0;
  assign last        = count_q == IndexWidth'(Outputs - 1);
  assign item_ready  = !last || !valid_q || out_ready_i;
  assign take        = item_valid && item_ready;
  assign greater     = first || item > best_q;
  assign place       = greater ? count_q : place_q;
  assign out_valid_o = valid_q;
  assign out_data_o  = result_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
      valid_q <= 1'b0;
    end else begin
      if (take) count_q <= last ? '0 : count_q + 1'b1;
      if (take && last) valid_q <= 1'b1;
      else if (out_ready_i) valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take && greater) best_q <= item;
    if (take) place_q <= place;
    if (take && last) result_q <= place;
  end

`ifndef SYNTHESIS
  initial begin
    if (Items < 1 || Width < 1 || Outputs < 1 || Outputs % Items != 0)
      $fatal(1, "%m: Items must divide Outputs, all must be >= 1");
  end

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
    else $error("%m: a refused place was withdrawn or changed");
`endif
endmodule

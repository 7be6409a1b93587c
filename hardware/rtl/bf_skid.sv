// SPDX-License-Identifier: Apache-2.0
// bf_skid: two registers that cut every combinational path between two ends of a stream.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         one word a cycle. Latency 1 cycle.
// Comb. paths  none; out_data_o, out_valid_o and in_ready_o are registers.
// Timing       out(k) = max(in(k) + 1, out(k-1) + 1, consumer);  in(k) >= out(k-2) + 1
// Golden       a queue; test: tests/hardware/test_bf_skid.py
module bf_skid #(
  parameter int unsigned Width = 8              // bits of a word, >= 1
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
  logic [Width-1:0] out_q, spare_q;
  logic             valid_q, full_q;            // full: a word waits in spare_q
  logic             advance;

  assign in_ready_o  = !full_q;
  assign out_valid_o = valid_q;
  assign out_data_o  = out_q;
  assign advance     = !valid_q || out_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      full_q  <= 1'b0;
    end else if (advance) begin
      valid_q <= full_q || in_valid_i;
      full_q  <= 1'b0;
    end else if (in_valid_i) begin
      full_q  <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (advance) out_q <= full_q ? spare_q : in_data_i;
    if (!full_q) spare_q <= in_data_i;
  end

`ifndef SYNTHESIS
  initial if (Width < 1) $fatal(1, "%m: Width >= 1 required");

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
    else $error("%m: a refused word was withdrawn or changed");
`endif
endmodule

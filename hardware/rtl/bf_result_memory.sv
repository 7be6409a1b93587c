// SPDX-License-Identifier: Apache-2.0
// bf_result_memory: keep the integers of one answer, check their number, then give them as bytes.
//
// Streams      s_axis_* in, byte_* out; transfer on valid && ready; payload stable until taken.
// Rate         one integer a cycle in, one byte every second cycle out.
// Latency      2 cycles from send_i to the first byte.
// Comb. paths  none from byte_ready_i or s_axis_tvalid_i to an output but mismatch_o.
// Golden       the integers, low byte first; test: tests/hardware/test_bf_result_memory.py
module bf_result_memory #(
  parameter  int unsigned Outputs    = 10,      // integers of an answer, 1..16383
  localparam int unsigned AddrWidth  = (Outputs > 1) ? $clog2(Outputs) : 1,
  localparam int unsigned CountWidth = $clog2(Outputs + 1)
) (
  input  logic        clk_i,
  // Taking: while high integers are accepted up to tlast; low forgets them.
  input  logic        take_i,
  output logic        moved_o,                  // an integer was taken
  output logic        taken_o,                  // the last one is here
  output logic        mismatch_o,               // tlast came with another than integer Outputs - 1
  input  logic        s_axis_tvalid_i,
  output logic        s_axis_tready_o,
  input  logic [31:0] s_axis_tdata_i,
  input  logic        s_axis_tlast_i,
  // Sending: while high; low begins anew.
  input  logic        send_i,
  output logic        byte_valid_o,
  input  logic        byte_ready_i,
  output logic [7:0]  byte_data_o
);
  logic [31:0]           memory [Outputs];
  logic [31:0]           word_q;
  logic [CountWidth-1:0] count_q;
  logic [AddrWidth+1:0]  sent_q;                // bytes
  logic                  taken_q, settled_q;

  assign s_axis_tready_o = take_i && !taken_q;
  assign moved_o         = s_axis_tvalid_i && s_axis_tready_o;
  assign taken_o         = taken_q;
  assign mismatch_o      = moved_o && (s_axis_tlast_i != (count_q == CountWidth'(Outputs - 1)));
  assign byte_valid_o    = settled_q;
  assign byte_data_o     = word_q[{sent_q[1:0], 3'b000} +: 8];

  always_ff @(posedge clk_i) begin
    if (moved_o) memory[AddrWidth'(count_q)] <= s_axis_tdata_i;
    word_q <= memory[sent_q[AddrWidth+1:2]];
  end

  always_ff @(posedge clk_i) begin
    if (!take_i) begin
      count_q <= '0;
      taken_q <= 1'b0;
    end else if (moved_o) begin
      count_q <= count_q + 1'b1;
      taken_q <= s_axis_tlast_i;
    end
    settled_q <= send_i && !(byte_valid_o && byte_ready_i);
    if (!send_i) sent_q <= '0;
    else if (byte_valid_o && byte_ready_i) sent_q <= sent_q + 1'b1;
  end

`ifndef SYNTHESIS
  initial begin
    if (Outputs < 1 || Outputs > 16383) $fatal(1, "%m: Outputs must be in 1..16383");
  end
`endif
endmodule

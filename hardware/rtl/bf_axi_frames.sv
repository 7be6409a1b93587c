// SPDX-License-Identifier: Apache-2.0
// bf_axi_frames: frames between a DMA and an accelerator.
//
// A DMA's stream is a power of two bytes wide; of each beat of s_axis the low `BeatBytes` go to the
// accelerator, the rest is padding. A DMA marks the end of a transfer, which may hold many frames:
// core_tlast is made here, from a count of beats. Of the results' ends only that of the last frame
// of a batch of frames_i leaves as m_axis_tlast, for that ends the DMA's transfer to memory.
//
// Streams      s_axis_*, core_*, result_*, m_axis_*; transfer on valid && ready.
// Rate         a beat a cycle; nothing is stored.
// Comb. paths  s_axis_* -> core_*, core_tready_i -> s_axis_tready, result_* -> m_axis_*,
//              m_axis_tready -> result_tready_o.
// Test         tests/hardware/test_bf_axi_top.py
module bf_axi_frames #(
  parameter int unsigned BeatBytes     = 3,     // values of a beat, >= 1
  parameter int unsigned BusBytes      = 4,     // bytes of s_axis, >= BeatBytes
  parameter int unsigned BeatsPerFrame = 64     // beats of a frame, >= 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  // From the DMA.
  input  logic [8*BusBytes-1:0]  s_axis_tdata,
  input  logic [BusBytes-1:0]    s_axis_tkeep,
  input  logic                   s_axis_tvalid,
  output logic                   s_axis_tready,
  input  logic                   s_axis_tlast,
  // To the accelerator.
  output logic [8*BeatBytes-1:0] core_tdata_o,
  output logic                   core_tvalid_o,
  input  logic                   core_tready_i,
  output logic                   core_tlast_o,
  // From the accelerator.
  input  logic [31:0]            result_tdata_i,
  input  logic                   result_tvalid_i,
  output logic                   result_tready_o,
  input  logic                   result_tlast_i,
  // To the DMA.
  output logic [31:0]            m_axis_tdata,
  output logic [3:0]             m_axis_tkeep,
  output logic                   m_axis_tvalid,
  input  logic                   m_axis_tready,
  output logic                   m_axis_tlast,
  // To and from bf_axi_regs.
  input  logic [31:0]            frames_i,      // of a batch, >= 1; may change with start_i only
  input  logic                   start_i,       // the next result is the first of a batch
  output logic                   enter_o,       // the last beat of a frame
  output logic                   leave_o,       // the last integer of a result
  output logic                   short_o,       // s_axis_tlast inside a frame
  output logic                   hole_o         // a beat with s_axis_tkeep not all ones
);
  localparam int unsigned BEAT_WIDTH = BeatsPerFrame > 1 ? $clog2(BeatsPerFrame) : 1;

  logic [BEAT_WIDTH-1:0] beat_q;
  logic [31:0]           left_q;                // results of this batch that are still to leave
  logic                  take, beat_last, batch_last;

  assign core_tdata_o  = s_axis_tdata[8*BeatBytes-1:0];
  assign core_tvalid_o = s_axis_tvalid;
  assign s_axis_tready = core_tready_i;
  assign take          = s_axis_tvalid && s_axis_tready;
  assign beat_last     = beat_q == BEAT_WIDTH'(BeatsPerFrame - 1);
  assign core_tlast_o  = beat_last;
  assign enter_o       = take && beat_last;
  assign short_o       = take && s_axis_tlast && !beat_last;
  assign hole_o        = take && !(&s_axis_tkeep);
  if (BusBytes > BeatBytes) begin : gen_padding
    logic unused;
    assign unused = ^s_axis_tdata[8*BusBytes-1:8*BeatBytes];
  end

  assign m_axis_tdata    = result_tdata_i;
  assign m_axis_tkeep    = '1;
  assign m_axis_tvalid   = result_tvalid_i;
  assign result_tready_o = m_axis_tready;
  assign batch_last      = left_q == 32'd1;
  assign m_axis_tlast    = result_tlast_i && batch_last;
  assign leave_o         = m_axis_tvalid && m_axis_tready && result_tlast_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q <= '0;
      left_q <= 32'd1;
    end else begin
      if (take) beat_q <= beat_last ? '0 : beat_q + 1'b1;
      if (start_i) left_q <= frames_i;
      else if (leave_o) left_q <= batch_last ? frames_i : left_q - 1'b1;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (BeatBytes < 1 || BusBytes < BeatBytes || BeatsPerFrame < 1) begin
      $fatal(1, "%m: parameters out of range");
    end
  end
`endif
endmodule

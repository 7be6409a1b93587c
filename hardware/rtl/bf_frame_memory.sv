// SPDX-License-Identifier: Apache-2.0
// bf_frame_memory: keep the bytes of one frame, then play them as beats of an AXI4-Stream.
//
// Streams      byte_valid_i in, pulses. m_axis_* out; byte i of a beat is byte i of the frame.
// Rate         a beat every second cycle. Latency 1 cycle from play_i to the first beat.
// Comb. paths  none from m_axis_tready_i to an output.
// Golden       the bytes themselves; test: tests/hardware/test_bf_frame_memory.py
module bf_frame_memory #(
  parameter  int unsigned FrameBytes = 64,      // >= 1
  parameter  int unsigned BeatBytes  = 1,       // divides FrameBytes
  localparam int unsigned Beats      = FrameBytes / BeatBytes,
  localparam int unsigned AddrWidth  = (Beats > 1) ? $clog2(Beats) : 1,
  localparam int unsigned CountWidth = $clog2(Beats + 1),
  localparam int unsigned LaneWidth  = $clog2(BeatBytes + 1)
) (
  input  logic                   clk_i,
  // Filling; bytes past the end are dropped.
  input  logic                   restart_i,     // pulse: the next byte or beat is the first
  input  logic                   byte_valid_i,
  input  logic [7:0]             byte_data_i,
  // Playing: while high, the beats come one after the other, once; restart_i comes before.
  input  logic                   play_i,
  output logic                   played_o,      // the last beat was taken
  output logic                   m_axis_tvalid_o,
  input  logic                   m_axis_tready_i,
  output logic [8*BeatBytes-1:0] m_axis_tdata_o,
  output logic                   m_axis_tlast_o
);
  logic [8*BeatBytes-1:0] memory [Beats];
  logic [8*BeatBytes-1:0] beat, gather_q, read_q;
  logic [CountWidth-1:0]  beat_q;
  logic [LaneWidth-1:0]   lane_q;
  logic                   lane_last, full, store, settled_q, move;

  assign beat      = (8*BeatBytes)'({byte_data_i, gather_q} >> 8);
  assign lane_last = lane_q == LaneWidth'(BeatBytes - 1);
  assign full      = beat_q == CountWidth'(Beats);
  assign store     = byte_valid_i && lane_last && !full;

  assign played_o        = full;
  assign m_axis_tvalid_o = play_i && settled_q && !full;
  assign m_axis_tdata_o  = read_q;
  assign m_axis_tlast_o  = beat_q == CountWidth'(Beats - 1);
  assign move            = m_axis_tvalid_o && m_axis_tready_i;

  always_ff @(posedge clk_i) begin
    if (store) memory[AddrWidth'(beat_q)] <= beat;
    read_q <= memory[AddrWidth'(beat_q)];
    if (byte_valid_i) gather_q <= beat;
  end

  always_ff @(posedge clk_i) begin
    settled_q <= play_i && !move;               // the memory answers a cycle after the address
    if (restart_i) begin
      beat_q <= '0;
      lane_q <= '0;
    end else begin
      if (byte_valid_i) lane_q <= lane_last ? '0 : lane_q + 1'b1;
      if (store || move) beat_q <= beat_q + 1'b1;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (FrameBytes < 1) $fatal(1, "%m: FrameBytes >= 1 required");
    if (BeatBytes < 1 || FrameBytes % BeatBytes != 0)
      $fatal(1, "%m: BeatBytes must divide FrameBytes");
  end
`endif
endmodule

// SPDX-License-Identifier: Apache-2.0
// bf_source: test bench AXI4-Stream master; plays a file of bytes at full rate. Not synthesisable.
//
// The file's name comes from the plusarg +frames=NAME. While run_i is 1 it offers a beat in every
// cycle until FrameCount frames have been taken, with tlast on the last beat of each. With the
// plusarg +modes=NAME, tuser of each frame is the next byte of that file; 0 without.
module bf_source #(
  parameter int unsigned Bytes = 1,             // of a beat
  parameter int unsigned BeatsPerFrame = 64
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               run_i,
  input  logic [31:0]        frames_i,          // how many frames to play
  output logic [8*Bytes-1:0] m_axis_tdata,
  output logic               m_axis_tvalid,
  input  logic               m_axis_tready,
  output logic               m_axis_tlast,
  output logic [7:0]         m_axis_tuser
);
  integer      file, mode_file;
  string       name, mode_name;
  logic [31:0] beat_q, frame_q;
  logic        load;

  assign load         = run_i && (!m_axis_tvalid || m_axis_tready);
  assign m_axis_tlast = beat_q == BeatsPerFrame;

  initial begin
    if ($value$plusargs("frames=%s", name)) file = $fopen(name, "rb");
    else file = 0;
    if ($value$plusargs("modes=%s", mode_name)) mode_file = $fopen(mode_name, "rb");
    else mode_file = 0;
  end

  // beat_q counts the beats of the frame that were offered, the present one included.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      m_axis_tvalid <= 1'b0;
      m_axis_tdata  <= '0;
      m_axis_tuser  <= '0;
      beat_q        <= '0;
      frame_q       <= '0;
    end else if (load) begin
      if (frame_q == frames_i) begin
        m_axis_tvalid <= 1'b0;
      end else begin
        for (int unsigned i = 0; i < Bytes; i++) m_axis_tdata[8*i +: 8] <= 8'($fgetc(file));
        m_axis_tvalid <= 1'b1;
        if ((m_axis_tlast || beat_q == 0) && mode_file != 0) m_axis_tuser <= 8'($fgetc(mode_file));
        beat_q        <= m_axis_tlast ? 1 : beat_q + 1;
        if ((m_axis_tlast ? 1 : beat_q + 1) == BeatsPerFrame) frame_q <= frame_q + 1;
      end
    end
  end
endmodule

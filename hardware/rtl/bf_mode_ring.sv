// SPDX-License-Identifier: Apache-2.0
// bf_mode_ring: gives every frame that enters an accelerator its mode, and keeps it until the frame
// has left.
//
//   s_axis -> [bf_mode_ring] -> m_axis -> bf_axis_in -> stages, each with a bf_frame_mode on ring_o
//
// A frame's mode is decided in the cycle in which its first beat moves: s_axis_tuser of that beat
// where by_frame_i is 1 and the network has such a mode, else mode_i. So a frame is computed in one
// mode, and the next may enter in another at once: nothing is drained.
//
// Streams      s_axis_* to m_axis_*, unchanged; leave_*: the output of the accelerator, observed.
//              A frame waits at the door while Ring frames are inside. With a Ring that is two
//              greater than what the stages hold that never happens, and no place is written anew
//              before all stages are through with its frame (bitfold.cost.ring).
// Rate         a beat a cycle, no cycle later.
// Comb. paths  s_axis_* -> m_axis_*, m_axis_tready -> s_axis_tready.
// Test         tests/hardware/test_bf_mode_ring.py
module bf_mode_ring #(
  parameter  int unsigned Bytes         = 1,   // of a beat
  parameter  int unsigned BeatsPerFrame = 64,
  parameter  int unsigned Modes         = 2,   // >= 2
  parameter  int unsigned Ring          = 4,   // a power of two
  localparam int unsigned WIDTH         = $clog2(Modes),
  localparam int unsigned COUNT_WIDTH   = $clog2(Ring + 1)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,       // synchronous, active low
  // Frames in.
  input  logic [8*Bytes-1:0]     s_axis_tdata,
  input  logic                   s_axis_tvalid,
  output logic                   s_axis_tready,
  input  logic                   s_axis_tlast,
  input  logic [7:0]             s_axis_tuser,
  // The same to the stages.
  output logic [8*Bytes-1:0]     m_axis_tdata,
  output logic                   m_axis_tvalid,
  input  logic                   m_axis_tready,
  output logic                   m_axis_tlast,
  // Frames out.
  input  logic                   leave_tvalid_i,
  input  logic                   leave_tready_i,
  input  logic                   leave_tlast_i,
  // What decides.
  input  logic [WIDTH-1:0]       mode_i,
  input  logic                   by_frame_i,
  // Modes of the frames inside, and what a driver may want to know.
  output logic [WIDTH-1:0]       entering_o,   // mode of the frame that enters, with enter_o
  output logic [Ring*WIDTH-1:0]  ring_o,
  output logic [WIDTH-1:0]       oldest_o,     // mode of the frame that leaves next
  output logic [WIDTH-1:0]       newest_o,     // mode of the frame that entered last
  output logic [COUNT_WIDTH-1:0] inside_o,     // frames
  output logic                   enter_o,      // pulses: a frame's first beat moves
  output logic                   leave_o,      // pulses: the last beat of a frame's output moves
  output logic                   refused_o     // pulses with it: s_axis_tuser is no mode
);
  localparam int unsigned BEAT_WIDTH  = BeatsPerFrame > 1 ? $clog2(BeatsPerFrame) : 1;
  localparam int unsigned PLACE_WIDTH = $clog2(Ring);

  logic [Ring-1:0][WIDTH-1:0] ring_q;
  logic [PLACE_WIDTH-1:0]     enter_q, leave_q;  // places of the next frame to enter, to leave
  logic [COUNT_WIDTH-1:0]     inside_q;
  logic [BEAT_WIDTH-1:0]      beat_q;
  logic [WIDTH-1:0]           mode, newest_q;
  logic                       first, open, known;

  assign first         = beat_q == '0;
  assign open          = !first || inside_q != COUNT_WIDTH'(Ring);
  assign m_axis_tdata  = s_axis_tdata;
  assign m_axis_tlast  = s_axis_tlast;
  assign m_axis_tvalid = s_axis_tvalid && open;
  assign s_axis_tready = m_axis_tready && open;

  assign enter_o   = m_axis_tvalid && m_axis_tready && first;
  assign leave_o   = leave_tvalid_i && leave_tready_i && leave_tlast_i;
  assign known     = 9'(s_axis_tuser) < 9'(Modes);
  assign mode      = by_frame_i && known ? s_axis_tuser[WIDTH-1:0] : mode_i;
  assign refused_o = enter_o && by_frame_i && !known;
  assign ring_o     = ring_q;
  assign entering_o = mode;
  assign oldest_o   = ring_q[leave_q];
  assign newest_o   = newest_q;
  assign inside_o   = inside_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      enter_q  <= '0;
      leave_q  <= '0;
      inside_q <= '0;
      beat_q   <= '0;
      newest_q <= '0;
    end else begin
      if (m_axis_tvalid && m_axis_tready) begin
        beat_q <= beat_q == BEAT_WIDTH'(BeatsPerFrame - 1) ? '0 : beat_q + 1'b1;
      end
      if (enter_o) begin
        enter_q  <= enter_q + 1'b1;
        newest_q <= mode;
      end
      if (leave_o) leave_q <= leave_q + 1'b1;
      inside_q <= inside_q + COUNT_WIDTH'(enter_o) - COUNT_WIDTH'(leave_o);
    end
    for (int unsigned p = 0; p < Ring; p++) begin
      if (enter_o && enter_q == PLACE_WIDTH'(p)) ring_q[p] <= mode;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Bytes < 1 || BeatsPerFrame < 1) $fatal(1, "%m: Bytes and BeatsPerFrame must be >= 1");
    if (Modes < 2 || Modes > 256) $fatal(1, "%m: Modes must be 2 to 256");
    if (Ring < 2 || Ring != 2 ** $clog2(Ring)) $fatal(1, "%m: Ring must be a power of two, >= 2");
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni && leave_o && inside_q == '0) $fatal(1, "%m: a frame left that never entered");
  end
`endif
endmodule

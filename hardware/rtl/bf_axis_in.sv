// SPDX-License-Identifier: Apache-2.0
// bf_axis_in: AXI4-Stream bytes to a plane stream.
//
// A beat of s_axis carries `Group` values, value i in byte i, of which the low `Planes` bits count
// (two's complement or unsigned, it makes no difference here). It leaves as `Planes` beats, most
// significant plane first. Frames are counted in beats; s_axis_tlast is only checked: if it comes
// anywhere but with the last beat of a frame, or not there, frame_error_o rises with the next cycle
// and stays until reset. The data are passed on unchanged all the same.
//
// Streams      s_axis_* in, out_*; transfer on valid && ready; payload stable until taken.
// Rate         a beat in every Planes cycles, a beat out every cycle.
// Comb. paths  none; s_axis_tready is a register's.
// Timing       exact, by input beats v (in: its cycle; out: that of its last plane):
//                out(v) = max(in(v) + Planes, out(v-1) + Planes, consumer)
//                in(v)  = max(offered(v), in(v-1) + 1, out(v-2) + 1)
// Golden       tests/hardware/planes.py to_planes; test: tests/hardware/test_bf_axis_in.py
module bf_axis_in #(
  parameter int unsigned Group         = 4,     // values of a beat, >= 1
  parameter int unsigned Planes        = 8,     // bits of a value, 1 to 8
  parameter int unsigned BeatsPerFrame = 64     // beats of s_axis in a frame, >= 1
) (
  input  logic               clk_i,
  input  logic               rst_ni,            // synchronous, active low
  // Values in.
  input  logic [8*Group-1:0] s_axis_tdata,
  input  logic               s_axis_tvalid,
  output logic               s_axis_tready,
  input  logic               s_axis_tlast,
  // Planes out.
  output logic               out_valid_o,
  input  logic               out_ready_i,
  output logic [Group-1:0]   out_data_o,
  // s_axis_tlast was wrong; sticky.
  output logic               frame_error_o
);
  localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;
  localparam int unsigned BEAT_WIDTH  = BeatsPerFrame > 1 ? $clog2(BeatsPerFrame) : 1;

  // planes[p] is one bit of every value; plane Planes-1, the most significant, is sent.
  logic [Planes-1:0][Group-1:0] planes_in, planes_q, planes_d, spare_q;
  logic                         valid_q, full_q, error_q;
  logic                         more_q;         // planes are left behind the present one
  logic [PLANE_WIDTH-1:0]       left_q;         // their number
  logic [BEAT_WIDTH-1:0]        beat_q;
  logic                         take, advance, load, beat_last;

  for (genvar p = 0; p < Planes; p++) begin : gen_plane
    for (genvar i = 0; i < Group; i++) begin : gen_value
      assign planes_in[p][i] = s_axis_tdata[8*i + p];
    end
  end
  for (genvar i = 0; i < Group; i++) begin : gen_unused
    if (Planes < 8) begin : gen_high
      logic unused;
      assign unused = ^s_axis_tdata[8*i + Planes +: 8 - Planes];
    end
  end

  assign s_axis_tready = !full_q;
  assign take          = s_axis_tvalid && s_axis_tready;
  assign advance       = !valid_q || out_ready_i;
  assign load          = advance && !more_q;
  assign out_valid_o   = valid_q;
  assign out_data_o    = planes_q[Planes-1];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      full_q  <= 1'b0;
      more_q  <= 1'b0;
      left_q  <= '0;
    end else begin
      if (load) full_q <= 1'b0;
      else if (take) full_q <= 1'b1;
      if (advance) begin
        valid_q <= more_q || full_q || take;
        more_q  <= more_q ? left_q != PLANE_WIDTH'(1) : Planes > 1 && (full_q || take);
        left_q  <= more_q ? left_q - 1'b1 : PLANE_WIDTH'(Planes - 1);
      end
    end
  end

  always_comb begin
    planes_d = full_q ? spare_q : planes_in;
    for (int unsigned p = 1; p < Planes; p++) begin
      if (more_q) planes_d[p] = planes_q[p-1];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!full_q) spare_q <= planes_in;
    if (advance) planes_q <= planes_d;
  end

  // Frames.
  assign beat_last     = beat_q == BEAT_WIDTH'(BeatsPerFrame - 1);
  assign frame_error_o = error_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q  <= '0;
      error_q <= 1'b0;
    end else if (take) begin
      beat_q <= beat_last ? '0 : beat_q + 1'b1;
      if (s_axis_tlast != beat_last) error_q <= 1'b1;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Group < 1 || BeatsPerFrame < 1) $fatal(1, "%m: Group and BeatsPerFrame must be >= 1");
    if (Planes < 1 || Planes > 8) $fatal(1, "%m: Planes must be 1 to 8");
  end

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
    else $error("%m: a refused beat was withdrawn or changed");
`endif
endmodule

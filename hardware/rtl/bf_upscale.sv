// SPDX-License-Identifier: Apache-2.0
// bf_upscale: each pixel becomes FactorH x FactorW pixels: nearest neighbour, or depth to space.
//
// Split 0: all of them are the pixel. Split 1: pixel s = row * FactorW + column of the block has
// the s-th of FactorH * FactorW parts of the pixel's beats. A part is made of runs of Run beats that
// lie side by side; run k of part s is run k * FactorH * FactorW + s of the pixel.
//
//   ONNX         Run (beats)                 which lets Group be
//   DCR          a whole part                a divisor of the channels that leave
//   CRD          planes, i.e. one channel    1
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         1 beat/cycle in and out, also across rows and frames. The memory holds two rows; a
//              row enters as soon as the one before the last has left for the last time.
// Comb. paths  none from in_* to out_*, none from out_ready_i to in_ready_o.
// Timing       exact, by pixels. n beats of an output pixel v, made of p(v); times are cycles of a
//              pixel's last transfer:
//                out(v) = max(in(p(v)) + n + 1, out(v-1) + n, consumer)
//                in(p)  = max(offered(p), in(p-1) + Beats, out(r) + Beats if p begins a row),
//              r = the last output pixel that is made of the row before the last.
// Golden       bitfold.cost.schedule_moves; test: tests/hardware/test_bf_upscale.py
module bf_upscale #(
  parameter int unsigned Group   = 4,        // bits of a beat
  parameter int unsigned Beats   = 4,        // beats of a pixel that enters
  parameter int unsigned Width   = 4,        // pixels of a row that enters
  parameter int unsigned FactorH = 2,
  parameter int unsigned FactorW = 2,
  parameter bit          Split   = 1'b0,
  parameter int unsigned Run     = Beats     // divides the beats of a pixel that leaves
) (
  input  logic             clk_i,
  input  logic             rst_ni,           // synchronous, active low
  // Pixels in.
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Group-1:0] in_data_i,
  // Pixels out.
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Group-1:0] out_data_o
);
  localparam int unsigned PARTS     = Split ? FactorH * FactorW : 1;
  localparam int unsigned RUNS      = Beats / PARTS / Run;         // of a pixel that leaves
  localparam int unsigned ROW_BEATS = Width * Beats;
  localparam int unsigned DEPTH     = 2 * ROW_BEATS;

  localparam int unsigned ADDR_WIDTH = $clog2(DEPTH);
  localparam int unsigned BEAT_WIDTH = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned RUN_WIDTH  = Run > 1 ? $clog2(Run) : 1;
  localparam int unsigned RUNS_WIDTH = RUNS > 1 ? $clog2(RUNS) : 1;
  localparam int unsigned COL_WIDTH  = $clog2(2 * Width + 1);
  localparam int unsigned ACR_WIDTH  = FactorW > 1 ? $clog2(FactorW) : 1;
  localparam int unsigned DOWN_WIDTH = FactorH > 1 ? $clog2(FactorH) : 1;

  // How the address moves on behind a run: to the next run of the part; from its end to the next
  // part of the pixel, to the next pixel, to the row's beginning for its next time.
  localparam int STEP_RUN  = (PARTS - 1) * Run + 1;
  localparam int BACK      = 1 - (RUNS - 1) * PARTS * Run;
  localparam int STEP_PART = Split ? BACK : 1 - Beats;
  localparam int STEP_COL  = Split ? (FactorH - 1) * FactorW * Run + 1 : 1;
  localparam int STEP_ROW  = Split ? BACK - (Width - 1) * Beats : 1 - ROW_BEATS;

  // A beat is read after the cycle in which it was written: no logic is wanted for both in one.
  (* no_rw_check *)
  logic [Group-1:0]      memory [DEPTH];
  // Writer: address, beat of the pixel, rows that have begun to enter and have not left.
  logic [ADDR_WIDTH-1:0] write_q;
  logic [BEAT_WIDTH-1:0] beat_q;
  logic [1:0]            rows_q;
  logic                  first, write, pixel, freed;
  // Reader: its place, and how many pixels from its row on are there.
  logic [ADDR_WIDTH-1:0] read_q;
  logic [RUN_WIDTH-1:0]  run_q;
  logic [RUNS_WIDTH-1:0] runs_q;
  logic [ACR_WIDTH-1:0]  across_q;
  logic [COL_WIDTH-1:0]  col_q, there_q;
  logic [DOWN_WIDTH-1:0] down_q;
  logic                  run_last, part_last, pixel_last, col_last, row_last, advance, issue;
  logic [ADDR_WIDTH-1:0] step;
  // Output register.
  logic                  valid_q, release_q;
  logic [Group-1:0]      data_q;

  // Writer.
  assign first      = write_q == '0 || write_q == ADDR_WIDTH'(ROW_BEATS);
  assign in_ready_o = !first || rows_q != 2'd2;
  assign write      = in_valid_i && in_ready_o;
  assign pixel      = write && beat_q == BEAT_WIDTH'(Beats - 1);
  assign freed      = release_q && out_ready_i;

  always_ff @(posedge clk_i) if (write) memory[write_q] <= in_data_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      beat_q  <= '0;
      rows_q  <= '0;
    end else begin
      if (write) begin
        write_q <= write_q == ADDR_WIDTH'(DEPTH - 1) ? '0 : write_q + 1'b1;
        beat_q  <= pixel ? '0 : beat_q + 1'b1;
      end
      if ((write && first) != freed) rows_q <= freed ? rows_q - 1'b1 : rows_q + 1'b1;
    end
  end

  // Reader: counters.
  assign run_last   = run_q == RUN_WIDTH'(Run - 1);
  assign part_last  = run_last && runs_q == RUNS_WIDTH'(RUNS - 1);
  assign pixel_last = part_last && across_q == ACR_WIDTH'(FactorW - 1);
  assign col_last   = pixel_last && col_q == COL_WIDTH'(Width - 1);
  assign row_last   = col_last && down_q == DOWN_WIDTH'(FactorH - 1);
  assign advance    = !valid_q || out_ready_i;
  assign issue      = advance && there_q > col_q;

  always_comb begin
    step = ADDR_WIDTH'(1);
    if (col_last && !row_last)          step = ADDR_WIDTH'(STEP_ROW);
    else if (pixel_last && !col_last)   step = ADDR_WIDTH'(STEP_COL);
    else if (part_last && !pixel_last)  step = ADDR_WIDTH'(STEP_PART);
    else if (run_last && !part_last)    step = ADDR_WIDTH'(STEP_RUN);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q   <= '0;
      run_q    <= '0;
      runs_q   <= '0;
      across_q <= '0;
      col_q    <= '0;
      down_q   <= '0;
    end else if (issue) begin
      read_q <= row_last && read_q == ADDR_WIDTH'(DEPTH - 1) ? '0 : read_q + step;
      run_q  <= run_last ? '0 : run_q + 1'b1;
      if (run_last) runs_q <= part_last ? '0 : runs_q + 1'b1;
      if (part_last) across_q <= pixel_last ? '0 : across_q + 1'b1;
      if (pixel_last) col_q <= col_last ? '0 : col_q + 1'b1;
      if (col_last) down_q <= row_last ? '0 : down_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) there_q <= '0;
    else there_q <= there_q + COL_WIDTH'(pixel) - (issue && row_last ? COL_WIDTH'(Width) : '0);
  end

  // Memory read into the output register.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q   <= 1'b0;
      release_q <= 1'b0;
    end else if (advance) begin
      valid_q   <= issue;
      release_q <= issue && row_last;
    end
  end

  always_ff @(posedge clk_i) if (advance) data_q <= memory[read_q];

  assign out_valid_o = valid_q;
  assign out_data_o  = data_q;

`ifndef SYNTHESIS
  initial begin
    if (Group < 1 || Beats < 1 || Width < 1 || FactorH < 1 || FactorW < 1) begin
      $fatal(1, "%m: Group, Beats, Width and factors must be >= 1");
    end
    if (Beats % (PARTS * Run) != 0) $fatal(1, "%m: Run must divide the beats of a part");
    if (!Split && Run != Beats) $fatal(1, "%m: a pixel that is repeated is one run");
  end

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
    else $error("%m: a refused beat was withdrawn or changed");
`endif
endmodule

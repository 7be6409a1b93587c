// SPDX-License-Identifier: Apache-2.0
// bf_window: line buffer; a map of pixels to the windows of a convolution or pool, im2col order.
//
// In: the map, pixel by pixel, row-major, `Beats` beats a pixel. Out: for each output pixel
// (row-major), for each kernel row, for each kernel column, the beats of that pixel; where the
// window hangs over the edge, beats of padding: all 0, or with PadSign the sign plane 1 and the
// rest 0 (the least signed value). Rows and columns that no window reads are consumed and lost.
// The rows and columns of a kernel are DilationH and DilationW apart; it spans SPAN_H x SPAN_W.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         1 beat/cycle in and out, also across windows and frames. The memory holds
//              SPAN_H + StrideH rows; rows of the next frame enter as soon as rows are free.
// Comb. paths  none from in_* to out_*, none from out_ready_i to in_ready_o.
// Timing       exact, by vectors. n = KernelH*KernelW*Beats beats of a window v, p(v) the last
//              pixel inside the map that it spans; times are cycles of a vector's last transfer:
//                out(v) = max(in(p(v)) + n + 1, out(v-1) + n, consumer)
//                in(p)  = max(offered(p), in(p-1) + Beats, out(r) + Beats if p begins a row),
//              r = the last window of the output row after which the row's place is free. Window v
//              frees all rows above the next window; the last window of a frame frees all of it.
// Golden       bitfold.cost.schedule_window; test: tests/hardware/test_bf_window.py
module bf_window #(
  parameter  int unsigned Group     = 8,        // bits of a beat, >= 1
  parameter  int unsigned Beats     = 8,        // beats of a pixel: channels / Group * Planes
  parameter  int unsigned Height    = 8,        // of the map, pixels
  parameter  int unsigned Width     = 8,
  parameter  int unsigned KernelH   = 3,
  parameter  int unsigned KernelW   = 3,
  parameter  int unsigned StrideH   = 1,
  parameter  int unsigned StrideW   = 1,
  parameter  int unsigned DilationH = 1,
  parameter  int unsigned DilationW = 1,
  parameter  int unsigned PadTop    = 0,        // pads are smaller than the kernel's span
  parameter  int unsigned PadLeft   = 0,
  parameter  int unsigned PadBottom = 0,
  parameter  int unsigned PadRight  = 0,
  parameter  int unsigned Planes    = 1,        // divides Beats; used with PadSign only
  parameter  bit          PadSign   = 1'b0      // 1: pad with the least signed value
) (
  input  logic             clk_i,
  input  logic             rst_ni,              // synchronous, active low
  // Map in.
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Group-1:0] in_data_i,
  // Windows out.
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Group-1:0] out_data_o
);
  localparam int unsigned SPAN_H     = (KernelH - 1) * DilationH + 1;
  localparam int unsigned SPAN_W     = (KernelW - 1) * DilationW + 1;
  localparam int unsigned ROWS       = SPAN_H + StrideH;             // that the memory holds
  localparam int unsigned ROW_BEATS  = Width * Beats;
  localparam int unsigned LINE_BEATS = KernelW * Beats;              // a kernel row of a window
  localparam int unsigned LINE_SPAN  = SPAN_W * Beats;
  localparam int unsigned DEPTH      = ROWS * ROW_BEATS;
  localparam int unsigned OUT_H      = (Height + PadTop + PadBottom - SPAN_H) / StrideH + 1;
  localparam int unsigned OUT_W      = (Width + PadLeft + PadRight - SPAN_W) / StrideW + 1;

  localparam int unsigned ADDR_WIDTH = $clog2(DEPTH);
  localparam int unsigned FREE_WIDTH = $clog2(DEPTH + StrideH * ROW_BEATS + 1) + 1;
  localparam int unsigned LEAD_WIDTH = $clog2(DEPTH + 1) + 1;
  localparam int unsigned COL_WIDTH  = $clog2((Width + SPAN_W) * Beats + 1) + 1;
  localparam int unsigned ROW_WIDTH  = $clog2(Height + SPAN_H + StrideH + 1) + 1;
  localparam int unsigned SLOT_WIDTH = $clog2(ROWS);
  localparam int unsigned LINE_WIDTH = LINE_BEATS > 1 ? $clog2(LINE_BEATS) : 1;
  localparam int unsigned KY_WIDTH   = KernelH > 1 ? $clog2(KernelH) : 1;

  // Rows of the map, as signed numbers: top row of the first and the last window, bottom rows that
  // exist, and the last window row that ends inside the map.
  localparam int FIRST_TOP    = -PadTop;
  localparam int LAST_TOP     = (OUT_H - 1) * StrideH - PadTop;
  localparam int FIRST_BOTTOM = SPAN_H - PadTop < Height ? SPAN_H - PadTop - 1 : Height - 1;
  localparam int LAST_BOTTOM  = LAST_TOP + SPAN_H < Height ? LAST_TOP + SPAN_H - 1 : Height - 1;
  localparam bit INNER_Y      = Height + PadTop >= SPAN_H;
  localparam int INNER_BOTTOM = (INNER_Y ? (Height + PadTop - SPAN_H) / StrideH * StrideH : 0)
                                - PadTop + SPAN_H - 1;
  // The same for columns, as the number of the column behind the window.
  localparam int FIRST_END    = SPAN_W - PadLeft < Width ? SPAN_W - PadLeft : Width;
  localparam int LAST_END     = (OUT_W - 1) * StrideW - PadLeft + SPAN_W;
  localparam int LAST_INSIDE  = LAST_END < Width ? LAST_END : Width;
  localparam bit INNER_X      = Width + PadLeft >= SPAN_W;
  localparam int INNER_END    = (INNER_X ? (Width + PadLeft - SPAN_W) / StrideW * StrideW : 0)
                                - PadLeft + SPAN_W;

  // How far the last pixel that a window needs moves on, in beats, from a window to the next: in
  // the row; to the next row; to the next frame.
  localparam int STEP_X       = StrideW * Beats;
  localparam int STEP_X_EDGE  = (Width - INNER_END) * Beats;
  localparam int STEP_BACK    = (FIRST_END - LAST_INSIDE) * Beats;
  localparam int STEP_Y       = STEP_BACK + StrideH * ROW_BEATS;
  localparam int STEP_Y_EDGE  = STEP_BACK + (Height - 1 - INNER_BOTTOM) * ROW_BEATS;
  localparam int STEP_FRAME   = STEP_BACK + (Height - LAST_BOTTOM + FIRST_BOTTOM) * ROW_BEATS;
  localparam int LEAD_START   = -(FIRST_BOTTOM * ROW_BEATS + FIRST_END * Beats);
  // Rows of memory that the end of an output row frees: while the window's top is above the map
  // none; when it comes inside; later; at the end of the frame.
  localparam int CROSS        = PadTop % StrideH;
  localparam int FREE_CROSS   = (StrideH - CROSS) * ROW_BEATS;
  localparam int FREE_ROW     = StrideH * ROW_BEATS;
  localparam int FREE_FRAME   = (Height - (LAST_TOP < 0 ? 0 : LAST_TOP)) * ROW_BEATS;
  // Places in the ring of rows.
  localparam int unsigned SLOT_START = (ROWS - PadTop) % ROWS;
  localparam int unsigned SLOT_FRAME = (Height + ROWS * OUT_H - (OUT_H - 1) * StrideH) % ROWS;

  typedef enum logic [1:0] {FREE_NONE, FREE_ON_CROSS, FREE_ON_ROW, FREE_ON_FRAME} free_e;

  // A beat is read after the cycle in which it was written: no logic is wanted for both in one.
  (* no_rw_check *)
  logic [Group-1:0]             memory [DEPTH];
  // Writer: address, and the number of free words less one (negative: full).
  logic [ADDR_WIDTH-1:0]        write_q;
  logic signed [FREE_WIDTH-1:0] free_q, freed;
  logic                         write;
  // Reader: place in the window, columns and rows of the map, and how many beats of the map are
  // there beyond the last that the window needs (negative: not yet complete).
  logic [LINE_WIDTH-1:0]        line_q;
  logic [KY_WIDTH-1:0]          ky_q;
  logic signed [COL_WIDTH-1:0]  col_q;          // column of the map, in beats
  logic signed [ROW_WIDTH-1:0]  top_q, row_q;   // rows of the map: first of the window, present
  logic [SLOT_WIDTH-1:0]        top_slot_q, top_slot_d, slot_q, slot_d;
  logic [SLOT_WIDTH:0]          moved;
  logic [ADDR_WIDTH-1:0]        base, address;
  logic signed [LEAD_WIDTH-1:0] lead_q, step;
  logic                         line_last, ky_last, ox_last, oy_last, window_last, row_last;
  logic                         skip;           // behind a kernel column, not the last
  logic                         left, right, above, below, pad, advance, issue;
  // Output register.
  logic                         valid_q;
  free_e                        release_d, release_q;

  // Writer.
  assign in_ready_o = !free_q[FREE_WIDTH-1];
  assign write      = in_valid_i && in_ready_o;

  always_ff @(posedge clk_i) begin
    if (write) memory[write_q] <= in_data_i;
  end

  always_comb begin
    freed = '0;
    if (valid_q && out_ready_i) begin
      case (release_q)
        FREE_ON_CROSS: freed = FREE_WIDTH'(FREE_CROSS);
        FREE_ON_ROW:   freed = FREE_WIDTH'(FREE_ROW);
        FREE_ON_FRAME: freed = FREE_WIDTH'(FREE_FRAME);
        default:       freed = '0;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      free_q  <= FREE_WIDTH'(DEPTH - 1);
    end else begin
      if (write) write_q <= (write_q == ADDR_WIDTH'(DEPTH - 1)) ? '0 : write_q + 1'b1;
      free_q <= free_q + freed - FREE_WIDTH'({1'b0, write});
    end
  end

  // Reader: counters. A pixel's beats lie side by side in memory.
  assign line_last   = line_q == LINE_WIDTH'(LINE_BEATS - 1);
  assign ky_last     = ky_q == KY_WIDTH'(KernelH - 1);
  assign ox_last     = col_q == COL_WIDTH'(LAST_END * Beats - 1);
  assign oy_last     = top_q == ROW_WIDTH'(LAST_TOP);
  assign window_last = line_last && ky_last;
  assign row_last    = window_last && ox_last;
  assign advance     = !valid_q || out_ready_i;
  assign issue       = advance && !lead_q[LEAD_WIDTH-1];

  if (DilationH > 1) begin : gen_rows_apart
    localparam logic [SLOT_WIDTH-1:0] WRAP = SLOT_WIDTH'(ROWS - DilationH);
    assign slot_d = slot_q >= WRAP ? slot_q - WRAP : slot_q + SLOT_WIDTH'(DilationH);
  end else begin : gen_rows_side_by_side
    assign slot_d = (slot_q == SLOT_WIDTH'(ROWS - 1)) ? '0 : slot_q + 1'b1;
  end

  if (DilationW > 1) begin : gen_skip
    localparam int unsigned BEAT_WIDTH = Beats > 1 ? $clog2(Beats) : 1;
    logic [BEAT_WIDTH-1:0] beat_q;              // of the pixel

    assign skip = beat_q == BEAT_WIDTH'(Beats - 1);
    always_ff @(posedge clk_i) begin
      if (!rst_ni) beat_q <= '0;
      else if (issue) beat_q <= skip ? '0 : beat_q + 1'b1;
    end
  end else begin : gen_no_skip
    assign skip = 1'b0;
  end

  always_comb begin
    moved = {1'b0, top_slot_q} + (SLOT_WIDTH + 1)'(oy_last ? SLOT_FRAME : StrideH);
    if (moved >= (SLOT_WIDTH + 1)'(ROWS)) moved = moved - (SLOT_WIDTH + 1)'(ROWS);
    top_slot_d = moved[SLOT_WIDTH-1:0];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      line_q     <= '0;
      ky_q       <= '0;
      col_q      <= COL_WIDTH'(-PadLeft * Beats);
      top_q      <= ROW_WIDTH'(FIRST_TOP);
      row_q      <= ROW_WIDTH'(FIRST_TOP);
      top_slot_q <= SLOT_WIDTH'(SLOT_START);
      slot_q     <= SLOT_WIDTH'(SLOT_START);
    end else if (issue) begin
      line_q <= line_last ? '0 : line_q + 1'b1;
      if (line_last) begin
        ky_q   <= ky_last ? '0 : ky_q + 1'b1;
        row_q  <= row_q + ROW_WIDTH'(DilationH);
        slot_q <= slot_d;
      end
      if (row_last)         col_q <= COL_WIDTH'(-PadLeft * Beats);
      else if (window_last) col_q <= col_q + COL_WIDTH'(STEP_X - LINE_SPAN + 1);
      else if (line_last)   col_q <= col_q + COL_WIDTH'(1 - LINE_SPAN);
      else if (skip)        col_q <= col_q + COL_WIDTH'((DilationW - 1) * Beats + 1);
      else                  col_q <= col_q + COL_WIDTH'(1);
      if (row_last) begin
        top_q      <= oy_last ? ROW_WIDTH'(FIRST_TOP) : top_q + ROW_WIDTH'(StrideH);
        row_q      <= oy_last ? ROW_WIDTH'(FIRST_TOP) : top_q + ROW_WIDTH'(StrideH);
        top_slot_q <= top_slot_d;
        slot_q     <= top_slot_d;
      end else if (window_last) begin
        row_q  <= top_q;
        slot_q <= top_slot_q;
      end
    end
  end

  // The window is complete when lead_q >= 0. It stays so until the last beat of the window is issued
  // and the need moves on to the next.
  assign left  = PadLeft != 0 && col_q[COL_WIDTH-1];
  assign right = PadRight != 0 && col_q >= COL_WIDTH'(ROW_BEATS);
  assign above = PadTop != 0 && row_q[ROW_WIDTH-1];
  assign below = PadBottom != 0 && row_q >= ROW_WIDTH'(Height);
  assign pad   = left || right || above || below;

  always_comb begin
    step = '0;
    if (row_last) begin
      if (oy_last)                                             step = LEAD_WIDTH'(STEP_FRAME);
      else if (below)                                          step = LEAD_WIDTH'(STEP_BACK);
      else if (INNER_Y && row_q == ROW_WIDTH'(INNER_BOTTOM))   step = LEAD_WIDTH'(STEP_Y_EDGE);
      else                                                     step = LEAD_WIDTH'(STEP_Y);
    end else if (window_last && !right) begin
      if (INNER_X && col_q == COL_WIDTH'(INNER_END * Beats - 1)) step = LEAD_WIDTH'(STEP_X_EDGE);
      else                                                     step = LEAD_WIDTH'(STEP_X);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) lead_q <= LEAD_WIDTH'(LEAD_START);
    else lead_q <= lead_q - (issue ? step : '0) + LEAD_WIDTH'({1'b0, write});
  end

  // Memory read into the output register.
  always_comb begin
    base = '0;
    for (int unsigned r = 1; r < ROWS; r++) begin
      if (slot_q == SLOT_WIDTH'(r)) base = ADDR_WIDTH'(r * ROW_BEATS);
    end
  end

  always_comb begin
    release_d = FREE_NONE;
    if (row_last) begin
      if (oy_last)                                             release_d = FREE_ON_FRAME;
      else if (PadTop == 0 || !top_q[ROW_WIDTH-1])             release_d = FREE_ON_ROW;
      else if (CROSS != 0 && top_q == ROW_WIDTH'(-CROSS))      release_d = FREE_ON_CROSS;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q   <= 1'b0;
      release_q <= FREE_NONE;
    end else if (advance) begin
      valid_q   <= issue;
      release_q <= release_d;
    end
  end

  assign address     = base + ADDR_WIDTH'(col_q);
  assign out_valid_o = valid_q;

  if (PadSign) begin : gen_pad_sign
    // Whether the present beat is a sign plane: the first of each Planes beats.
    localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;
    logic [PLANE_WIDTH-1:0] plane_q;
    logic [Group-1:0]       read_q;
    logic                   pad_q, sign_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) plane_q <= '0;
      else if (issue) plane_q <= (plane_q == PLANE_WIDTH'(Planes - 1)) ? '0 : plane_q + 1'b1;
    end

    always_ff @(posedge clk_i) begin
      if (advance) begin
        read_q <= memory[address];
        pad_q  <= pad;
        sign_q <= plane_q == '0;
      end
    end

    assign out_data_o = pad_q ? {Group{sign_q}} : read_q;
  end else begin : gen_pad_zero
    logic [Group-1:0] read_q;

    always_ff @(posedge clk_i) begin
      if (advance) begin
        if (pad) read_q <= '0;
        else read_q <= memory[address];
      end
    end

    assign out_data_o = read_q;
  end

`ifndef SYNTHESIS
  initial begin
    if (Group < 1 || Beats < 1 || Height < 1 || Width < 1 || KernelH < 1 || KernelW < 1 ||
        StrideH < 1 || StrideW < 1 || DilationH < 1 || DilationW < 1)
      $fatal(1, "%m: Group, Beats, map, kernel, stride and dilation must be >= 1");
    if (PadTop >= SPAN_H || PadBottom >= SPAN_H || PadLeft >= SPAN_W || PadRight >= SPAN_W)
      $fatal(1, "%m: pads must be smaller than the kernel");
    if (Height + PadTop + PadBottom < SPAN_H || Width + PadLeft + PadRight < SPAN_W)
      $fatal(1, "%m: the kernel must fit into the padded map");
    if (PadSign && Beats % Planes != 0) $fatal(1, "%m: Planes must divide Beats");
  end

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
    else $error("%m: a refused beat was withdrawn or changed");

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   !(write && issue && !pad && address == write_q))
    else $error("%m: a beat is read while it is written");
`endif
endmodule

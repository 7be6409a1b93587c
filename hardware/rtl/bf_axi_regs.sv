// SPDX-License-Identifier: Apache-2.0
// bf_axi_regs: AXI4-Lite registers of an accelerator behind a DMA: what it is, and batches of frames.
//
//   address  name         access  bits
//   0x00     ID           read    0x42464158, "BFAX"
//   0x04     VERSION      read    [31:16] major, [15:0] minor version of this map
//   0x08     DESIGN_HIGH  read    the design's id, upper half
//   0x0C     DESIGN_LOW   read    lower half
//   0x10     FRAME_BYTES  read    bytes of a frame on s_axis, with what pads its beats
//   0x14     OUTPUTS      read    integers of a result, 32 bits each on m_axis
//   0x18     FRAMES       write   frames of a batch, >= 1: m_axis_tlast comes with the end of the
//                                 last one's result. A write begins a new batch
//   0x1C     ERROR        clear   [0] s_axis_tlast came inside a frame, [1] s_axis_tkeep had a hole
//   0x20     ENTERED      read    frames that have entered since reset, modulo 2**32
//   0x24     LEFT         read    results that have left since reset, modulo 2**32
//
// Bus          that of bf_axil. FRAMES and ERROR are written whole: byte strobes that leave a part
//              out answer SLVERR, as does what is not in the map, a write to what is read only,
//              and FRAMES = 0; nothing is changed then. Address bits 1:0 are ignored.
// Comb. paths  none; all outputs are registers or functions of a few.
// Test         tests/hardware/test_bf_axi_regs.py
module bf_axi_regs #(
  parameter  logic [63:0] DesignId   = 64'd0,
  parameter  int unsigned FrameBytes = 64,
  parameter  int unsigned Outputs    = 10,
  localparam int unsigned ADDR_WIDTH = 12    // a page, the least that a block design assigns
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,      // synchronous, active low
  // Bus.
  input  logic [ADDR_WIDTH-1:0] s_axil_awaddr,
  input  logic [2:0]            s_axil_awprot,
  input  logic                  s_axil_awvalid,
  output logic                  s_axil_awready,
  input  logic [31:0]           s_axil_wdata,
  input  logic [3:0]            s_axil_wstrb,
  input  logic                  s_axil_wvalid,
  output logic                  s_axil_wready,
  output logic [1:0]            s_axil_bresp,
  output logic                  s_axil_bvalid,
  input  logic                  s_axil_bready,
  input  logic [ADDR_WIDTH-1:0] s_axil_araddr,
  input  logic [2:0]            s_axil_arprot,
  input  logic                  s_axil_arvalid,
  output logic                  s_axil_arready,
  output logic [31:0]           s_axil_rdata,
  output logic [1:0]            s_axil_rresp,
  output logic                  s_axil_rvalid,
  input  logic                  s_axil_rready,
  // To and from bf_axi_frames.
  output logic [31:0]           frames_o,
  output logic                  start_o,     // high for a cycle: FRAMES was written
  input  logic                  enter_i,
  input  logic                  leave_i,
  input  logic                  short_i,
  input  logic                  hole_i
);
  localparam logic [31:0] ID      = 32'h4246_4158;
  localparam logic [31:0] VERSION = 32'h0001_0000;

  localparam int unsigned WORD_WIDTH = ADDR_WIDTH - 2;
  localparam logic [WORD_WIDTH-1:0] W_ID          = WORD_WIDTH'(0);
  localparam logic [WORD_WIDTH-1:0] W_VERSION     = WORD_WIDTH'(1);
  localparam logic [WORD_WIDTH-1:0] W_DESIGN_HIGH = WORD_WIDTH'(2);
  localparam logic [WORD_WIDTH-1:0] W_DESIGN_LOW  = WORD_WIDTH'(3);
  localparam logic [WORD_WIDTH-1:0] W_FRAME_BYTES = WORD_WIDTH'(4);
  localparam logic [WORD_WIDTH-1:0] W_OUTPUTS     = WORD_WIDTH'(5);
  localparam logic [WORD_WIDTH-1:0] W_FRAMES      = WORD_WIDTH'(6);
  localparam logic [WORD_WIDTH-1:0] W_ERROR       = WORD_WIDTH'(7);
  localparam logic [WORD_WIDTH-1:0] W_ENTERED     = WORD_WIDTH'(8);
  localparam logic [WORD_WIDTH-1:0] W_LEFT        = WORD_WIDTH'(9);

  // The bus.
  logic                  write, write_ok, known;
  logic [WORD_WIDTH-1:0] aw_q, ar_q;
  logic [31:0]           w_q, value;
  logic [3:0]            strobe_q;

  bf_axil #(
    .AddrWidth (ADDR_WIDTH)
  ) i_bus (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .s_axil_awaddr  (s_axil_awaddr),
    .s_axil_awprot  (s_axil_awprot),
    .s_axil_awvalid (s_axil_awvalid),
    .s_axil_awready (s_axil_awready),
    .s_axil_wdata   (s_axil_wdata),
    .s_axil_wstrb   (s_axil_wstrb),
    .s_axil_wvalid  (s_axil_wvalid),
    .s_axil_wready  (s_axil_wready),
    .s_axil_bresp   (s_axil_bresp),
    .s_axil_bvalid  (s_axil_bvalid),
    .s_axil_bready  (s_axil_bready),
    .s_axil_araddr  (s_axil_araddr),
    .s_axil_arprot  (s_axil_arprot),
    .s_axil_arvalid (s_axil_arvalid),
    .s_axil_arready (s_axil_arready),
    .s_axil_rdata   (s_axil_rdata),
    .s_axil_rresp   (s_axil_rresp),
    .s_axil_rvalid  (s_axil_rvalid),
    .s_axil_rready  (s_axil_rready),
    .write_o        (write),
    .write_word_o   (aw_q),
    .write_data_o   (w_q),
    .write_strobe_o (strobe_q),
    .write_ok_i     (write_ok),
    .read_word_o    (ar_q),
    .read_value_i   (value),
    .read_ok_i      (known)
  );

  // Registers.
  logic [31:0] frames_q, entered_q, left_q;
  logic [1:0]  error_q;
  logic        start_q;

  assign frames_o = frames_q;
  assign start_o  = start_q;

  logic set_frames, set_error;
  assign set_frames = aw_q == W_FRAMES && &strobe_q && w_q != '0;
  assign set_error  = aw_q == W_ERROR && &strobe_q;
  assign write_ok   = set_frames || set_error;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      frames_q  <= 32'd1;
      start_q   <= 1'b0;
      error_q   <= '0;
      entered_q <= '0;
      left_q    <= '0;
    end else begin
      if (write && set_frames) frames_q <= w_q;
      start_q <= write && set_frames;
      error_q <= (write && set_error ? error_q & ~w_q[1:0] : error_q) | {hole_i, short_i};
      if (enter_i) entered_q <= entered_q + 1'b1;
      if (leave_i) left_q <= left_q + 1'b1;
    end
  end

  always_comb begin
    known = 1'b1;
    unique case (ar_q)
      W_ID:          value = ID;
      W_VERSION:     value = VERSION;
      W_DESIGN_HIGH: value = DesignId[63:32];
      W_DESIGN_LOW:  value = DesignId[31:0];
      W_FRAME_BYTES: value = 32'(FrameBytes);
      W_OUTPUTS:     value = 32'(Outputs);
      W_FRAMES:      value = frames_q;
      W_ERROR:       value = 32'(error_q);
      W_ENTERED:     value = entered_q;
      W_LEFT:        value = left_q;
      default: begin
        known = 1'b0;
        value = '0;
      end
    endcase
  end

`ifndef SYNTHESIS
  initial begin
    if (FrameBytes < 1 || Outputs < 1) $fatal(1, "%m: FrameBytes and Outputs must be >= 1");
  end
`endif
endmodule

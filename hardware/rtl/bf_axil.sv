// SPDX-License-Identifier: Apache-2.0
// bf_axil: an AXI4-Lite slave's handshakes; registers behind it see one write and one read at a time.
//
// Write        write_o pulses with word address, data and byte strobes; write_ok_i of the same cycle
//              says whether there is such a register and it takes this: OKAY, else SLVERR.
// Read         read_word_o is the address of the read in work; its answer is read_value_i with
//              read_ok_i, OKAY or SLVERR, of the cycle before RVALID.
// Bus          32 bits; AW and W may come in any order. Address bits 1:0 are ignored.
// Rate         a write and a read every 2 cycles. A write counts from the cycle of BVALID on.
// Comb. paths  write_ok_i, read_* to nothing but registers.
// Test         tests/hardware/test_bf_regs.py, test_bf_axi_regs.py
module bf_axil #(
  parameter  int unsigned AddrWidth = 12,
  localparam int unsigned WORD_WIDTH = AddrWidth - 2
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,      // synchronous, active low
  // Bus.
  input  logic [AddrWidth-1:0]  s_axil_awaddr,
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
  input  logic [AddrWidth-1:0]  s_axil_araddr,
  input  logic [2:0]            s_axil_arprot,
  input  logic                  s_axil_arvalid,
  output logic                  s_axil_arready,
  output logic [31:0]           s_axil_rdata,
  output logic [1:0]            s_axil_rresp,
  output logic                  s_axil_rvalid,
  input  logic                  s_axil_rready,
  // Registers.
  output logic                  write_o,
  output logic [WORD_WIDTH-1:0] write_word_o,
  output logic [31:0]           write_data_o,
  output logic [3:0]            write_strobe_o,
  input  logic                  write_ok_i,
  output logic [WORD_WIDTH-1:0] read_word_o,
  input  logic [31:0]           read_value_i,
  input  logic                  read_ok_i
);
  localparam logic [1:0] OKAY   = 2'b00;
  localparam logic [1:0] SLVERR = 2'b10;

  logic unused;
  assign unused = ^{s_axil_awprot, s_axil_arprot, s_axil_awaddr[1:0], s_axil_araddr[1:0]};

  // Writes: address and data are kept until both are there and the answer before is taken.
  logic aw_full_q, w_full_q;

  assign s_axil_awready = !aw_full_q;
  assign s_axil_wready  = !w_full_q;
  assign write_o        = aw_full_q && w_full_q && (!s_axil_bvalid || s_axil_bready);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_full_q     <= 1'b0;
      w_full_q      <= 1'b0;
      s_axil_bvalid <= 1'b0;
    end else begin
      if (write_o) aw_full_q <= 1'b0;
      else if (s_axil_awvalid) aw_full_q <= 1'b1;
      if (write_o) w_full_q <= 1'b0;
      else if (s_axil_wvalid) w_full_q <= 1'b1;
      if (write_o) s_axil_bvalid <= 1'b1;
      else if (s_axil_bready) s_axil_bvalid <= 1'b0;
    end
    if (write_o) s_axil_bresp <= write_ok_i ? OKAY : SLVERR;
    if (s_axil_awready) write_word_o <= s_axil_awaddr[AddrWidth-1:2];
    if (s_axil_wready) {write_strobe_o, write_data_o} <= {s_axil_wstrb, s_axil_wdata};
  end

  // Reads.
  logic ar_full_q, read;

  assign s_axil_arready = !ar_full_q;
  assign read           = ar_full_q && (!s_axil_rvalid || s_axil_rready);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_full_q     <= 1'b0;
      s_axil_rvalid <= 1'b0;
    end else begin
      if (read) ar_full_q <= 1'b0;
      else if (s_axil_arvalid) ar_full_q <= 1'b1;
      if (read) s_axil_rvalid <= 1'b1;
      else if (s_axil_rready) s_axil_rvalid <= 1'b0;
    end
    if (s_axil_arready) read_word_o <= s_axil_araddr[AddrWidth-1:2];
    if (read) begin
      s_axil_rdata <= read_value_i;
      s_axil_rresp <= read_ok_i ? OKAY : SLVERR;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (AddrWidth < 3) $fatal(1, "%m: AddrWidth must be >= 3");
  end

  logic        b_refused_q, r_refused_q;
  logic [1:0]  bresp_q;
  logic [33:0] r_q;

  always_ff @(posedge clk_i) begin
    b_refused_q <= rst_ni && s_axil_bvalid && !s_axil_bready;
    r_refused_q <= rst_ni && s_axil_rvalid && !s_axil_rready;
    bresp_q     <= s_axil_bresp;
    r_q         <= {s_axil_rresp, s_axil_rdata};
    if (rst_ni && b_refused_q && !(s_axil_bvalid && s_axil_bresp == bresp_q)) begin
      $fatal(1, "%m: an answer to a write changed while it was refused");
    end
    if (rst_ni && r_refused_q && !(s_axil_rvalid && {s_axil_rresp, s_axil_rdata} == r_q)) begin
      $fatal(1, "%m: an answer to a read changed while it was refused");
    end
  end
`endif
endmodule

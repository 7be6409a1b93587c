// SPDX-License-Identifier: Apache-2.0
// board_core: the accelerator of a design with precision modes, which come with the frames.
//
// After each reset CONTROL.BY_FRAME is written, once; no more is done with the registers.
// Test: tests/hardware/test_board_top.py
module board_core #(
  parameter int unsigned BeatBytes = 1,
  parameter int unsigned AxilBits  = 9          // of an address of the registers
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  input  logic [8*BeatBytes-1:0] s_axis_tdata_i,
  input  logic                   s_axis_tvalid_i,
  output logic                   s_axis_tready_o,
  input  logic                   s_axis_tlast_i,
  input  logic [7:0]             s_axis_tuser_i, // mode of the frame
  output logic [31:0]            m_axis_tdata_o,
  output logic                   m_axis_tvalid_o,
  input  logic                   m_axis_tready_i,
  output logic                   m_axis_tlast_o
);
  logic        aw_done_q, w_done_q, awready, wready, bvalid, arready, rvalid, unused;
  logic [1:0]  bresp, rresp;
  logic [31:0] rdata;

  assign unused = &{1'b0, bresp, bvalid, arready, rdata, rresp, rvalid};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_done_q <= 1'b0;
      w_done_q  <= 1'b0;
    end else begin
      if (awready) aw_done_q <= 1'b1;
      if (wready) w_done_q <= 1'b1;
    end
  end

  bf_accelerator u_accelerator (
    .clk_i, .rst_ni,
    .s_axil_awaddr(AxilBits'(12'h014)), .s_axil_awprot(3'b000),
    .s_axil_awvalid(!aw_done_q), .s_axil_awready(awready),
    .s_axil_wdata(32'd1), .s_axil_wstrb(4'b1111),
    .s_axil_wvalid(!w_done_q), .s_axil_wready(wready),
    .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(1'b1),
    .s_axil_araddr('0), .s_axil_arprot(3'b000), .s_axil_arvalid(1'b0), .s_axil_arready(arready),
    .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(1'b1),
    .s_axis_tuser(s_axis_tuser_i),
    .s_axis_tdata(s_axis_tdata_i), .s_axis_tvalid(s_axis_tvalid_i),
    .s_axis_tready(s_axis_tready_o), .s_axis_tlast(s_axis_tlast_i),
    .m_axis_tdata(m_axis_tdata_o), .m_axis_tvalid(m_axis_tvalid_o),
    .m_axis_tready(m_axis_tready_i), .m_axis_tlast(m_axis_tlast_o)
  );
endmodule

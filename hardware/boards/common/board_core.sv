// SPDX-License-Identifier: Apache-2.0
// board_core: the accelerator of a design without precision modes; modes/board_core.sv is the other.
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
  logic unused;
  assign unused = &{1'b0, s_axis_tuser_i, AxilBits[0]};

  bf_accelerator u_accelerator (
    .clk_i, .rst_ni,
    .s_axis_tdata(s_axis_tdata_i), .s_axis_tvalid(s_axis_tvalid_i),
    .s_axis_tready(s_axis_tready_o), .s_axis_tlast(s_axis_tlast_i),
    .m_axis_tdata(m_axis_tdata_o), .m_axis_tvalid(m_axis_tvalid_o),
    .m_axis_tready(m_axis_tready_i), .m_axis_tlast(m_axis_tlast_o)
  );
endmodule

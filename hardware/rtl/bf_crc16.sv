// SPDX-License-Identifier: Apache-2.0
// bf_crc16: one byte's step of CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, most significant
// bit first). Running it over a message and the message's CRC, high byte first, ends in zero.
//
// Combinational: crc_o from crc_i and data_i.
// Golden       bitfold.host.protocol.crc16;  test: tests/hardware/test_bf_crc16.py
module bf_crc16 (
  input  logic [15:0] crc_i,
  input  logic [7:0]  data_i,
  output logic [15:0] crc_o
);
  localparam logic [15:0] POLYNOMIAL = 16'h1021;

  logic [15:0] crc;

  always_comb begin
    crc = crc_i ^ {data_i, 8'h00};
    for (int unsigned i = 0; i < 8; i++) begin
      crc = {crc[14:0], 1'b0} ^ (crc[15] ? POLYNOMIAL : 16'h0000);
    end
    crc_o = crc;
  end
endmodule

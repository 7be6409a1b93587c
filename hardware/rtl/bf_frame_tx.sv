// SPDX-License-Identifier: Apache-2.0
// bf_frame_tx: put a payload into a frame (format: bf_frame_rx) and send it byte by byte.
//
// Streams      payload_* in, byte_* out; transfer on valid && ready; payload stable until taken.
// Rate         one byte a cycle. Latency 1 cycle from start_i to the first byte.
// Comb. paths  payload_valid_i, payload_data_i -> byte_*; byte_ready_i -> payload_ready_o.
// Golden       bitfold.host.protocol;  test: tests/hardware/test_bf_frame_tx.py
module bf_frame_tx (
  input  logic        clk_i,
  input  logic        rst_ni,                   // synchronous, active low
  // What to send; command_i and length_i hold while busy_o.
  input  logic        start_i,                  // pulse, while not busy_o
  input  logic [7:0]  command_i,
  input  logic [15:0] length_i,
  output logic        busy_o,
  // Payload: length_i bytes.
  input  logic        payload_valid_i,
  output logic        payload_ready_o,
  input  logic [7:0]  payload_data_i,
  // Bytes to the line.
  output logic        byte_valid_o,
  input  logic        byte_ready_i,
  output logic [7:0]  byte_data_o
);
  typedef enum logic [3:0] {
    IDLE, SYNC_0, SYNC_1, COMMAND, LENGTH_0, LENGTH_1, PAYLOAD, CRC_0, CRC_1
  } state_e;

  localparam logic [7:0] MAGIC_0 = 8'hB1;
  localparam logic [7:0] MAGIC_1 = 8'hF0;

  state_e      state_q, state_d;
  logic [15:0] crc_q, crc_next, left_q;
  logic        sent;

  assign busy_o          = state_q != IDLE;
  assign byte_valid_o    = (state_q == PAYLOAD) ? payload_valid_i : state_q != IDLE;
  assign payload_ready_o = state_q == PAYLOAD && byte_ready_i;
  assign sent            = byte_valid_o && byte_ready_i;

  bf_crc16 u_crc (.crc_i(crc_q), .data_i(byte_data_o), .crc_o(crc_next));

  always_comb begin
    state_d     = state_q;
    byte_data_o = MAGIC_0;
    unique case (state_q)
      SYNC_0:   state_d = SYNC_1;
      SYNC_1:   begin state_d = COMMAND;  byte_data_o = MAGIC_1; end
      COMMAND:  begin state_d = LENGTH_0; byte_data_o = command_i; end
      LENGTH_0: begin state_d = LENGTH_1; byte_data_o = length_i[7:0]; end
      LENGTH_1: begin
        state_d     = (length_i == '0) ? CRC_0 : PAYLOAD;
        byte_data_o = length_i[15:8];
      end
      PAYLOAD:  begin
        state_d     = (left_q == 16'd1) ? CRC_0 : PAYLOAD;
        byte_data_o = payload_data_i;
      end
      CRC_0:    begin state_d = CRC_1; byte_data_o = crc_q[15:8]; end
      CRC_1:    begin state_d = IDLE;  byte_data_o = crc_q[7:0]; end
      default:  state_d = IDLE;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= IDLE;
    else if (state_q == IDLE) state_q <= start_i ? SYNC_0 : IDLE;
    else if (sent) state_q <= state_d;
  end

  always_ff @(posedge clk_i) begin
    if (state_q == SYNC_1) crc_q <= 16'hFFFF;
    // The CRC bytes themselves do not enter it: the second one is still to be sent.
    else if (sent && state_q != CRC_0 && state_q != CRC_1) crc_q <= crc_next;
    if (state_q == LENGTH_1) left_q <= length_i;
    else if (sent && state_q == PAYLOAD) left_q <= left_q - 1'b1;
  end
endmodule

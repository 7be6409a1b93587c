// SPDX-License-Identifier: Apache-2.0
// bf_rom: read-only memory with registered output, initialised from a file.
//
// Rate         one read a cycle. Latency 1 cycle.
// Golden       the file; test: tests/hardware/test_bf_rom.py
//
// File is read by $readmemh: Depth words in hexadecimal, one a line, address 0 first. Its name is
// an untyped parameter because Yosys has no string type. Yosys chooses LUTs or block RAM by size.
module bf_rom #(
  parameter  int unsigned Width = 8,         // bits of a word, >= 1
  parameter  int unsigned Depth = 16,        // words, >= 1
  parameter               File  = "",        // path of the image
  localparam int unsigned ADDR_WIDTH = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic                  clk_i,
  input  logic [ADDR_WIDTH-1:0] addr_i,
  output logic [Width-1:0]      data_o
);
  logic [Width-1:0] memory [Depth];

  if (File != "") begin : g_image
    initial $readmemh(File, memory);
  end

  always_ff @(posedge clk_i) data_o <= memory[addr_i];

`ifndef SYNTHESIS
  initial begin
    if (Width < 1 || Depth < 1) $fatal(1, "%m: Width >= 1 and Depth >= 1 required");
  end
`endif
endmodule

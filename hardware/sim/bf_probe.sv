// SPDX-License-Identifier: Apache-2.0
// bf_probe: test bench recorder of one stream. Not synthesisable.
//
// Each time `Beats` transfers have happened it writes the line "Stage cycle" to the file of the
// plusarg +probes=NAME; `cycle` is that of the last transfer. All probes share the file handle.
module bf_probe #(
  parameter int unsigned Stage = 0,             // number written with each line
  parameter int unsigned Beats = 1              // transfers between two lines
) (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        fire_i,                    // valid && ready
  input logic [31:0] cycle_i,
  input integer      file_i
);
  logic [31:0] count_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
    end else if (fire_i) begin
      if (count_q == Beats - 1) begin
        count_q <= '0;
        if (file_i != 0) $fwrite(file_i, "%0d %0d\n", Stage, cycle_i);
      end else begin
        count_q <= count_q + 1;
      end
    end
  end
endmodule

// SPDX-License-Identifier: Apache-2.0
// bf_sink: test bench AXI4-Stream slave, always ready; writes what it takes to a file as
// "data last" lines (plusarg +outputs=NAME). Not synthesisable.
module bf_sink (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        run_i,
  input  logic [31:0] s_axis_tdata,
  input  logic        s_axis_tvalid,
  output logic        s_axis_tready,
  input  logic        s_axis_tlast,
  output logic [31:0] frames_o                  // frames taken
);
  integer file;
  string  name;

  assign s_axis_tready = run_i;

  initial begin
    if ($value$plusargs("outputs=%s", name)) file = $fopen(name, "w");
    else file = 0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      frames_o <= '0;
    end else if (s_axis_tvalid && s_axis_tready) begin
      if (file != 0) $fwrite(file, "%0d %0d\n", $signed(s_axis_tdata), s_axis_tlast);
      if (s_axis_tlast) frames_o <= frames_o + 1;
    end
  end

  final if (file != 0) $fclose(file);
endmodule

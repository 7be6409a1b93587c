// SPDX-License-Identifier: Apache-2.0
// bf_plane_table: registers PLANES of bf_regs: the planes of every layer in every mode.
//
// With Writable the host may give a layer, in any mode, planes that it has in some mode: thresholds
// for these are there. Kept is the number of such a mode, which is what bf_layer_ring needs.
//
// Write        in the cycle of write_i the bytes with a strobe replace those of the word write_entry_i,
//              if write_ok_o, which does not wait for write_i: the layer has these planes.
// Comb. paths  read_entry_i -> read_planes_o; write_* -> write_ok_o.
// Test         tests/hardware/test_bf_regs.py
module bf_plane_table #(
  parameter  int unsigned Modes    = 2,                // 2 to 256
  parameter  int unsigned Layers   = 1,                // >= 1
  parameter  logic [16*Modes*Layers-1:0] Planes = '0,  // at reset; word mode * Layers + layer
  parameter  bit          Writable = 1'b0,
  localparam int unsigned ENTRIES     = Modes * Layers,
  localparam int unsigned MODE_WIDTH  = $clog2(Modes),
  localparam int unsigned ENTRY_WIDTH = ENTRIES > 1 ? $clog2(ENTRIES) : 1
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,        // synchronous, active low
  input  logic                          write_i,
  input  logic [ENTRY_WIDTH-1:0]        write_entry_i,
  input  logic [31:0]                   write_data_i,
  input  logic [3:0]                    write_strobe_i,
  output logic                          write_ok_o,
  input  logic [ENTRY_WIDTH-1:0]        read_entry_i,
  output logic [15:0]                   read_planes_o,
  output logic [ENTRIES*MODE_WIDTH-1:0] choices_o      // of each word: whose planes it holds
);
  if (Writable) begin : g_writable
    localparam int unsigned LAYER_WIDTH = Layers > 1 ? $clog2(Layers) : 1;
    logic [ENTRIES*MODE_WIDTH-1:0] choices_q;
    logic [MODE_WIDTH-1:0]  write_choice, read_choice, chosen;
    logic [LAYER_WIDTH-1:0] write_layer, read_layer;
    logic [16*Modes-1:0]    write_held, read_held;     // what the layer has in each mode
    logic [31:0]            merged;

    assign choices_o = choices_q;

    always_comb begin
      {write_choice, read_choice} = '0;
      {write_layer, read_layer}   = '0;
      for (int unsigned e = 0; e < ENTRIES; e++) begin
        if (write_entry_i == ENTRY_WIDTH'(e)) begin
          write_choice = choices_q[e*MODE_WIDTH +: MODE_WIDTH];
          write_layer  = LAYER_WIDTH'(e % Layers);
        end
        if (read_entry_i == ENTRY_WIDTH'(e)) begin
          read_choice = choices_q[e*MODE_WIDTH +: MODE_WIDTH];
          read_layer  = LAYER_WIDTH'(e % Layers);
        end
      end
    end

    // Constants picked one by one: a part-select by a variable becomes a shifter as wide as Planes.
    always_comb begin
      write_held = '0;
      read_held  = '0;
      for (int unsigned m = 0; m < Modes; m++) begin
        for (int unsigned l = 0; l < Layers; l++) begin
          if (write_layer == LAYER_WIDTH'(l)) begin
            write_held[16*m +: 16] = Planes[16*(m*Layers + l) +: 16];
          end
          if (read_layer == LAYER_WIDTH'(l)) read_held[16*m +: 16] = Planes[16*(m*Layers+l) +: 16];
        end
      end
    end

    always_comb begin
      merged        = '0;
      read_planes_o = '0;
      for (int unsigned m = 0; m < Modes; m++) begin
        if (write_choice == MODE_WIDTH'(m)) merged[15:0] = write_held[16*m +: 16];
        if (read_choice == MODE_WIDTH'(m)) read_planes_o = read_held[16*m +: 16];
      end
      for (int unsigned b = 0; b < 4; b++) begin
        if (write_strobe_i[b]) merged[8*b +: 8] = write_data_i[8*b +: 8];
      end
    end

    always_comb begin
      chosen     = '0;
      write_ok_o = 1'b0;
      for (int unsigned m = 0; m < Modes; m++) begin
        if (merged == 32'(write_held[16*m +: 16])) begin
          chosen     = MODE_WIDTH'(m);
          write_ok_o = 1'b1;
        end
      end
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned e = 0; e < ENTRIES; e++) begin
        if (!rst_ni) choices_q[e*MODE_WIDTH +: MODE_WIDTH] <= MODE_WIDTH'(e / Layers);
        else if (write_i && write_ok_o && write_entry_i == ENTRY_WIDTH'(e)) begin
          choices_q[e*MODE_WIDTH +: MODE_WIDTH] <= chosen;
        end
      end
    end
  end else begin : g_fixed
    for (genvar e = 0; e < ENTRIES; e++) begin : g_entry
      assign choices_o[e*MODE_WIDTH +: MODE_WIDTH] = MODE_WIDTH'(e / Layers);
    end
    assign write_ok_o    = 1'b0;
    assign read_planes_o = Planes[16*read_entry_i +: 16];
    logic unused;
    assign unused = ^{clk_i, rst_ni, write_i, write_entry_i, write_data_i, write_strobe_i};
  end

`ifndef SYNTHESIS
  initial begin
    if (Modes < 2 || Modes > 256 || Layers < 1) $fatal(1, "%m: parameters out of range");
  end
`endif
endmodule

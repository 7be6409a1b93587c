"""AMD's own tools around a design: Vivado for our RTL, Vitis HLS for C++."""

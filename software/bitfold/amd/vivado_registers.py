"""The AXI4-Lite registers of bf_axi_regs, for the driver; the module's own header explains them."""

from collections.abc import Mapping

ID = 0x42464158  # "BFAX"
VERSION = 0x00010000
ADDRESS_BITS = 12

OFFSETS: Mapping[str, int] = {
    "ID": 0x00,
    "VERSION": 0x04,
    "DESIGN_HIGH": 0x08,
    "DESIGN_LOW": 0x0C,
    "FRAME_BYTES": 0x10,
    "OUTPUTS": 0x14,
    "FRAMES": 0x18,
    "ERROR": 0x1C,
    "ENTERED": 0x20,
    "LEFT": 0x24,
}
# Bits of ERROR.
ERRORS: Mapping[int, str] = {
    0: "a transfer ended inside a frame",
    1: "a beat of the input stream lacked bytes",
}

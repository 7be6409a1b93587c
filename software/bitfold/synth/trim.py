"""Cut unused outputs off a netlist, where nextpnr would spend logic on leading them out.

Yosys connects the carry output of each chain's last cell to a wire that nobody reads; nextpnr adds
a carry cell (two LUTs) to lead it into the fabric. An undefined bit in its place says "no wire".
Runs as a tool of its own between the two: python -m bitfold.synth.trim NETLIST CELL PORT.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

NO_WIRE = "x"


def trim(netlist: dict[str, Any], cell_type: str, port: str) -> int:
    """Disconnect one-bit `port` of cells of `cell_type` where nothing else is on its wire.

    Changes `netlist` (Yosys' write_json) in place; the number of ports that were cut.
    """
    cut = 0
    for module in netlist["modules"].values():
        cells = module["cells"].values()
        ends = Counter(bit for c in cells for bits in c["connections"].values() for bit in bits)
        ends.update(bit for p in module["ports"].values() for bit in p["bits"])
        for cell in cells:
            bits = cell["connections"].get(port, [])
            wire = len(bits) == 1 and isinstance(bits[0], int)  # constants are text
            if cell["type"] == cell_type and wire and ends[bits[0]] == 1:
                cell["connections"][port] = [NO_WIRE]
                cut += 1
    return cut


def main(arguments: list[str]) -> None:
    """Rewrite the file NETLIST."""
    name, cell_type, port = arguments
    path = Path(name)
    netlist = json.loads(path.read_text())
    cut = trim(netlist, cell_type, port)
    path.write_text(json.dumps(netlist))
    print(f"{cut} unused {port} of {cell_type} cut")


if __name__ == "__main__":
    main(sys.argv[1:])

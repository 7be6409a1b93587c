"""Lint every RTL module: Verilator -Wall at representative parameters, and Verible's style rules.

Other parameters are linted by each module's own test, with the parameters that it tests.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from bitfold.sim.verilator import lint

ROOT = Path(__file__).resolve().parents[1]
HARDWARE = ROOT / "hardware"
# UpperCamelCase parameters and ALL_CAPS constants; a type before each parameter is Verilator's job.
RULES = "-explicit-parameter-storage-type,parameter-name-style=localparam_style:CamelCase|ALL_CAPS"


def representative(path: Path) -> dict[str, str]:
    """The defaults, and a name for each memory image: without one nothing drives the memory."""
    text = path.read_text()
    names = re.findall(r"^\s*parameter\s+(\w*File)\s*=", text, re.M)
    return dict.fromkeys(names, '"x.mem"')


def recursive(path: Path) -> bool:
    """A module made of smaller ones of its own kind.

    As a top, Verilator also lints its unfinished template; as a part of another top it does not.
    """
    return bool(re.search(rf"^\s*{path.stem}\s*#\(", path.read_text(), re.M))


def main() -> int:
    """Number of complaining tools, as an exit status."""
    modules = [
        path for room in ("rtl", "formal") for path in sorted((HARDWARE / room).glob("*.sv"))
    ]
    waivers = HARDWARE / "lint" / "waivers.vlt"
    failed = 0
    for path in modules:
        if recursive(path):
            continue
        if messages := lint([waivers, *modules], path.stem, representative(path)):
            failed = 1
            print(messages, file=sys.stderr)
    verible = Path(sysconfig.get_path("scripts")) / "verible-verilog-lint"
    sources = sorted(HARDWARE.rglob("*.sv"))
    style = subprocess.run([verible, f"--rules={RULES}", *sources], check=False)
    if not failed and not style.returncode:
        print(f"RTL lint: {len(modules)} modules clean (Verilator), {len(sources)} files (Verible)")
    return failed or style.returncode


if __name__ == "__main__":
    sys.exit(main())

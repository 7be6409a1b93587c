"""Fill in the columns of figures of hardware/README.md; -m NAME measures one module only.

A row's parameters are read from its column "measured with"; a row without any is left alone.
"""

import random
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from bitfold.files import write_text
from bitfold.hardware import needed_files
from bitfold.sim.reference import lane_file
from bitfold.synth.flow import synth_source
from bitfold.synth.source import Source

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "hardware" / "README.md"
TARGETS = ("xc7", "ecp5")
IMAGE = re.compile(r"(\d+)x(\d+)(?:x(\d+))?")


def images(values: Mapping[str, str]) -> dict[str, bytes]:
    """Random memory images, by the name that the module reads them with."""
    found = {}
    for value in values.values():
        if match := IMAGE.fullmatch(value):
            width, depth = int(match[1]), int(match[2])
            rng = random.Random(f"{width}x{depth}")
            for name in image_names(value):
                words = (f"{rng.getrandbits(width):0{-(-width // 4)}x}\n" for _ in range(depth))
                found[name] = "".join(words).encode()
    return found


def image_names(value: str) -> list[str]:
    """Of an image, or of the images of several lanes."""
    lanes = IMAGE.fullmatch(value)[3]
    return (
        [f"{image_parameter(value)}"]
        if lanes is None
        else [lane_file(image_parameter(value), lane) for lane in range(int(lanes))]
    )


def image_parameter(value: str) -> str:
    """What the module gets: the name of its image, or how those of its lanes begin."""
    return f"mem/{value}.mem" if IMAGE.fullmatch(value)[3] is None else f"mem/{value}_"


def measure(module: str, text: str) -> tuple[list[str], str]:
    """The cells of a row, and the tool that made them."""
    values = dict(p.split("=", 1) for p in text.split() if p != "defaults")
    rtl = {f"rtl/{p.name}": p.read_bytes() for p in needed_files(ROOT / "hardware/rtl", module)}
    parameters: dict[str, int | str] = {}
    for name, value in values.items():
        if IMAGE.fullmatch(value):
            # The top's own default, since Yosys takes no text as a parameter from outside.
            default = re.compile(rf'(parameter\s+{name}\s*=\s*)""'.encode())
            top, changed = default.subn(
                rf'\1"{image_parameter(value)}"'.encode(), rtl[f"rtl/{module}.sv"]
            )
            assert changed == 1, f"{module} has no parameter {name} for an image"
            rtl[f"rtl/{module}.sv"] = top
        else:
            parameters[name] = int(value) if value.isdigit() else value
    source = Source(top=module, rtl=rtl, data=images(values), parameters=parameters)
    cells, tool = [], ""
    for target in TARGETS:
        found = synth_source(source, target, ROOT / "build/synth", place=True, tree=False)
        use = found.totals
        rams = f" + {use.brams:g} RAM" if use.brams else ""
        fmax = f", {found.fmax_mhz:.0f} MHz" if found.fmax_mhz else ""
        cells.append(f"{use.luts} / {use.ffs}{rams}{fmax}")
        tool = f"Yosys {found.tools['yosys']}"
        print(f"{module:18} {target:5} {cells[-1]}  {' '.join(found.warnings)[:120]}")
    return cells, tool


def main() -> int:
    """Measure and rewrite the file."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--module", help="this one only")
    only = parser.parse_args().module
    tool = ""
    lines = README.read_text().splitlines()
    begin = lines.index("## Modules")
    for number, line in enumerate(lines[begin:], begin):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `bf_") or not cells[3]:
            continue
        module = cells[0].strip("`")
        if only in {None, module}:
            cells[4:], tool = measure(module, cells[3])
            lines[number] = "| " + " | ".join(cells) + " |"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if only is None:
        lines[-1] = f"Figures: {tool}, RTL at commit {commit}."
    write_text(README, "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""LUTs per binary lane of bf_mvu over PE and SIMD: a table for hardware/README.md.

    scripts/measure_mvu.py [--pe 1 4 16 32] [--simd 16 32 64 128 256]

Random weights, as many words as it takes for them to lie in block RAM; accumulators of 20 bits;
popcounts of the target's own cells. A lane is a product of two bits in a cycle.
"""

import random
import sys
from argparse import ArgumentParser
from pathlib import Path

from bitfold.compiler.instances import style_of
from bitfold.hardware import needed_files
from bitfold.synth.flow import synth_source
from bitfold.synth.source import Source

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("xc7", "ecp5")
FEW_LANES = 256  # up to which memories of 512 words lie in LUTs


def source(pe: int, simd: int, target: str) -> Source:
    """bf_mvu with an image of weights as its own default: Yosys takes no text from outside."""
    rtl = {f"rtl/{p.name}": p.read_bytes() for p in needed_files(ROOT / "hardware/rtl", "bf_mvu")}
    text = rtl["rtl/bf_mvu.sv"].decode()
    named = text.replace('File          = ""', 'File          = "mem/weights.mem"')
    assert named != text, "bf_mvu has no parameter File"
    rtl["rtl/bf_mvu.sv"] = named.encode()
    rng, width = random.Random(0), pe * simd
    depth = 2048 if width <= FEW_LANES else 512
    words = (f"{rng.getrandbits(width):0{-(-width // 4)}x}\n" for _ in range(depth))
    sizes = {"Pe": pe, "Simd": simd, "AccWidth": 20, "Depth": depth, "Style": style_of(target)}
    return Source(
        top="bf_mvu", rtl=rtl, data={"mem/weights.mem": "".join(words).encode()}, parameters=sizes
    )


def main() -> int:
    """Print the table."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pe", type=int, nargs="+", default=[1, 4, 16, 32])
    parser.add_argument("--simd", type=int, nargs="+", default=[16, 32, 64, 128, 256])
    given = parser.parse_args()
    head = " | ".join(f"{target}, PE {pe}" for target in TARGETS for pe in given.pe)
    print(f"| SIMD | {head} |\n|---{'|---' * len(TARGETS) * len(given.pe)}|")
    for simd in given.simd:
        cells = []
        for target in TARGETS:
            for pe in given.pe:
                made = source(pe, simd, target)
                use = synth_source(made, target, ROOT / "build/synth", place=False, tree=False)
                lanes = pe * simd
                cells.append(f"{use.totals.luts / lanes:.2f} + {use.totals.brams:g} RAM")
        print(f"| {simd} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""LUTs and block RAMs of bit-serial layers for FINN, predicted and synthesised: a table.

    scripts/measure_finn_mvu.py [--target xc7]

The top that FINN gets, with random weights; predictions are those that the layer gives FINN.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np

from bitfold.cost.shape import Folding
from bitfold.finn.serial_unit import MODULE, SerialUnit
from bitfold.hardware import needed_files
from bitfold.synth.flow import synth_source
from bitfold.synth.source import Source

ROOT = Path(__file__).resolve().parents[1]
# MW, MH, weight and activation bits, PE, SIMD, WP, AP, bits of a result.
LAYERS = (
    (9, 16, 5, 5, 1, 9, 1, 1, 14),
    (144, 16, 2, 2, 1, 12, 2, 2, 12),
    (144, 32, 3, 2, 4, 16, 1, 1, 12),
    (288, 32, 4, 4, 8, 32, 1, 1, 17),
    (288, 64, 2, 4, 8, 36, 2, 1, 14),
    (512, 10, 8, 8, 2, 32, 2, 4, 25),
    (576, 64, 1, 2, 16, 64, 1, 2, 12),
    (64, 64, 4, 4, 4, 8, 4, 4, 14),
)


def source(unit: SerialUnit) -> Source:
    """The generated top over the RTL and an image."""
    top = 1 << unit.w_planes - 1
    size = (unit.outputs, unit.inputs)
    weights = np.random.default_rng(0).integers(-top, top, size)
    image = "mem/weights.mem"
    rtl = {f"rtl/{p.name}": p.read_bytes() for p in needed_files(ROOT / "hardware/rtl", MODULE)}
    rtl["rtl/layer.sv"] = unit.verilog("layer", image).encode()
    return Source(top="layer", rtl=rtl, data={image: unit.image(weights).encode()}, parameters={})


def main() -> int:
    """Print the table and the mean error."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="xc7", choices=["xc7", "xcup"])
    target = parser.parse_args().target
    print("| MW x MH | bits w, a | PE, SIMD, WP, AP | cycles a vector | LUTs | block RAMs |")
    print("|---|---|---|---|---|---|")
    errors = []
    for inputs, outputs, w_bits, a_bits, pe, simd, wp, ap, width in LAYERS:
        unit = SerialUnit(
            inputs=inputs,
            outputs=outputs,
            pixels=1,
            planes=a_bits,
            act_signed=False,
            w_planes=w_bits,
            w_bipolar=False,
            folding=Folding(pe=pe, simd=simd, wp=wp, ap=ap),
            out_bits=width,
        )
        made = synth_source(source(unit), target, ROOT / "build/synth", place=False, tree=False)
        use, luts = made.totals, unit.luts(target)
        errors.append(luts / use.luts - 1)
        cells = (
            f"{inputs} x {outputs}",
            f"{w_bits}, {a_bits}",
            f"{pe}, {simd}, {wp}, {ap}",
            f"{unit.cycles:,}",
            f"{luts:,.0f} / {use.luts:,}",
            f"{unit.brams(target):g} / {use.brams:g}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)
    print(
        f"LUTs: error {np.mean(np.abs(errors)):.1%} on average, {min(errors):+.0%} to "
        f"{max(errors):+.0%}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

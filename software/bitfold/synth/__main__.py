"""Figures of one RTL module: python -m bitfold.synth bf_fifo Width=8 Depth=16 --target ecp5."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from bitfold.errors import BitfoldError, ConfigError
from bitfold.hardware import hardware_folder, needed_files
from bitfold.synth.flow import synth_source
from bitfold.synth.source import read_source


def main() -> None:
    """Parse, synthesise for each target, print."""
    parser = ArgumentParser(prog="python -m bitfold.synth", description=__doc__)
    parser.add_argument("top", help="module; its file bears its name")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--target", action="append", help="may be repeated; xc7 and ecp5 if absent")
    parser.add_argument("--rtl", type=Path, default=hardware_folder() / "rtl", help="folder")
    parser.add_argument("--data", type=Path, help="folder of .mem files, read as <its name>/<file>")
    parser.add_argument("--fmax", action="store_true", help="place and route where nextpnr can")
    given = parser.parse_intermixed_args()
    try:
        values = dict(_parameter(text) for text in given.parameters)
        data = (
            {f"{given.data.name}/{p.name}": p for p in given.data.glob("*")} if given.data else {}
        )
        source = read_source(needed_files(given.rtl, given.top), given.top, values, data)
        for target in given.target or ("xc7", "ecp5"):
            found = synth_source(source, target, Path("build/synth"), place=given.fmax, tree=False)
            use = found.totals
            rate = f" Fmax {found.fmax_mhz:.1f} MHz" if found.fmax_mhz else ""
            print(
                f"{target:6} LUT {use.luts} (memory {use.lut_memory}) FF {use.ffs} "
                f"BRAM {use.brams:g} DSP {use.dsps} carry {use.carries}{rate}"
            )
            print(f"       {dict(sorted(use.cells.items()))}")
            for warning in found.warnings:
                print(f"       {warning}")
    except BitfoldError as error:
        sys.exit(f"error: {error}")


def _parameter(text: str) -> tuple[str, int | str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ConfigError(f"parameter {text!r} is not NAME=VALUE")
    return name, int(value) if value.lstrip("-").isdigit() else value


if __name__ == "__main__":
    main()

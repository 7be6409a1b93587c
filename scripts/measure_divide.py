"""LUTs of a comparator with its table against a divider, for codes of 5 to 8 bits.

Sums of 16 bits, one comparator or divider, tables of as many channels as it serves.
"""

import sys

from measure_rtl import TARGETS, measure

ACC = 16


def main() -> int:
    """Print LUTs / flip-flops of each."""
    print("| bits | channels | " + " | ".join(f"{t} table | {t} divider" for t in TARGETS) + " |")
    for bits in (5, 6, 7, 8):
        shift = slope = bits  # steps of about 2**(ACC - bits), known to one part in 2**ACC
        width = ACC + shift + 1
        for folds in (1, 4, 16, 64):
            same = f"Pe=1 Tpe=1 Folds={folds} AccWidth={ACC} OutBits={bits}"
            table, _ = measure("bf_threshold", f"{same} File={ACC + 1}x{folds << bits}x1")
            word = f"{width + ACC - bits + slope}x{folds}x1"
            sizes = f"Shift={shift} Width={width} SlopeWidth={ACC - bits + slope}"
            divider, _ = measure("bf_divide", f"{same} {sizes} File={word}")
            cells = [cell for pair in zip(table, divider, strict=True) for cell in pair]
            print(f"| {bits} | {folds} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

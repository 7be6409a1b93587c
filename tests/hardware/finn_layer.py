"""Layers for the bench of bf_finn_mvu: parameters, random integers, times."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from mvtu_layer import write_image

from bitfold.cost.shape import Folding
from bitfold.finn.serial_unit import SerialUnit


@dataclass(frozen=True)
class FinnCase:
    """A layer. act, weight: "unsigned", "signed", weights also "bipolar"."""

    outputs: int
    inputs: int
    pe: int
    simd: int
    act: str = "unsigned"
    planes: int = 3
    weight: str = "signed"
    w_planes: int = 2
    ap: int = 1
    wp: int = 1
    vectors: int = 12  # back to back

    @cached_property
    def matrix(self) -> np.ndarray:
        rng = np.random.default_rng(1)
        size = (self.outputs, self.inputs)
        if self.weight == "bipolar":
            return rng.integers(0, 2, size) * 2 - 1
        half = 1 << (self.w_planes - 1)
        matrix = rng.integers(-half if self.weight == "signed" else 0, half, size)
        matrix[0] = -half if self.weight == "signed" else half - 1
        return matrix

    @property
    def limits(self) -> tuple[int, int]:
        """Least and greatest activation."""
        half = 1 << (self.planes - 1)
        return (-half, half - 1) if self.act == "signed" else (0, 2 * half - 1)

    def inputs_of(self, seed: int) -> np.ndarray:
        """Random activations (vectors, MW); among them all least and all greatest."""
        low, high = self.limits
        x = np.random.default_rng(seed).integers(low, high + 1, (self.vectors, self.inputs))
        x[1], x[2] = low, high
        return x

    @property
    def out_bits(self) -> int:
        """As FINN finds them: of an unsigned integer where no result is negative."""
        ends = np.stack([self.matrix * end for end in self.limits])
        low, high = int(ends.min(0).sum(1).min()), int(ends.max(0).sum(1).max())
        signed = low < 0
        return max(2, signed + max((-low - 1).bit_length() if signed else 0, high.bit_length()))

    @property
    def unit(self) -> SerialUnit:
        return SerialUnit(
            inputs=self.inputs,
            outputs=self.outputs,
            pixels=self.vectors,
            planes=self.planes,
            act_signed=self.act == "signed",
            w_planes=self.w_planes,
            w_bipolar=self.weight == "bipolar",
            folding=Folding(pe=self.pe, simd=self.simd, wp=self.wp, ap=self.ap),
            out_bits=self.out_bits,
        )

    def parameters(self) -> dict[str, int | str]:
        """Of bf_finn_mvu."""
        image = write_image(self.unit.image(self.matrix)).strip('"')
        found = self.unit.parameters(image).items()
        return {k: int(v) if v.isdigit() else v for k, v in found}

    def words(self, rows: np.ndarray, bits: int, items: int) -> list[int]:
        """Integers (N, C) as FINN's beats: `items` of so many bits, the first in the low bits."""
        mask = (1 << bits) - 1
        return [
            sum((int(v) & mask) << bits * i for i, v in enumerate(part))
            for part in rows.reshape(-1, items)
        ]

    def frames(self, seed: int) -> tuple[list[int], list[int]]:
        """Beats in and golden beats out."""
        x = self.inputs_of(seed)
        y = x @ self.matrix.T
        return self.words(x, self.planes, self.simd), self.words(y, self.out_bits, self.pe)


# fmt: off
CASES = {
    # The smallest: a word is a vector and a product.
    "tiny": FinnCase(2, 1, 2, 1, planes=1, w_planes=2),
    "plain": FinnCase(8, 24, 4, 8),
    "one_word": FinnCase(6, 8, 2, 8, planes=4, w_planes=3),
    "signed": FinnCase(6, 20, 3, 5, act="signed", planes=4, w_planes=3, ap=2),
    # Plane groups that do not divide the planes, with signs on both sides and without.
    "odd_groups": FinnCase(4, 12, 2, 6, act="signed", planes=5, w_planes=4, ap=2, wp=3),
    "odd_unsigned": FinnCase(5, 16, 1, 16, planes=4, w_planes=5, ap=3, wp=2),
    # All planes at once: a word a cycle in, a vector every NF * SF cycles.
    "parallel": FinnCase(4, 12, 4, 4, act="signed", planes=3, w_planes=2, ap=3, wp=2),
    "every_cycle": FinnCase(4, 6, 4, 6, planes=2, w_planes=2, ap=2, wp=2),
    "bipolar": FinnCase(4, 18, 2, 9, planes=4, weight="bipolar", w_planes=1, ap=2),
    "bipolar_signed": FinnCase(4, 20, 4, 5, act="signed", weight="bipolar", w_planes=1),
    "eight_bits": FinnCase(3, 10, 1, 5, act="signed", planes=8, w_planes=8, ap=4, wp=2),
    # No result is negative: FINN counts a bit less.
    "never_negative": FinnCase(4, 16, 2, 8, planes=2, weight="unsigned", w_planes=3),
    "bits": FinnCase(4, 16, 4, 16, planes=1, w_planes=1),
}
# fmt: on


def case_of(parameters: Mapping[str, Any]) -> FinnCase:
    """The case that a bench was built for."""
    return next(case for case in CASES.values() if case.parameters() == parameters)

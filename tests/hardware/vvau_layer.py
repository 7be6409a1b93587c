"""Layers for the bench of bf_vvau: parameters, random numbers, memory images."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from mvtu_layer import write_image, write_lanes

from bitfold.cost.schedule_mvtu import timings_of
from bitfold.cost.units import Vvau
from bitfold.sim.reference import (
    MvtuTiming,
    codes_to_values,
    pack_biases,
    pack_channel_weights,
    pack_thresholds,
    to_mem,
    to_plane_beats,
    values_to_codes,
    vvau,
)


@dataclass(frozen=True)
class Case:
    """A layer. kind: of the weights, as WKind."""

    group: int
    groups: int
    positions: int
    planes: int = 2
    signed: bool = False
    kind: int = 2
    w_bits: int = 3
    out_bits: int = 2  # 0: last layer
    out_signed: bool = False
    tpe: int = 1
    bias: bool = False
    vectors: int = 0  # OutVectors; 0: for full rate

    @property
    def channels(self) -> int:
        return self.group * self.groups

    @cached_property
    def weights(self) -> np.ndarray:
        if self.kind == 0:
            return np.ones((self.positions, 1), np.int64)
        half = 1 << (self.w_bits - 1)
        width = 1 if self.kind == 1 else self.channels
        weights = np.random.default_rng(1).integers(-half, half, (self.positions, width))
        weights[:, 0] = -half
        return weights

    def inputs_of(self, count: int, seed: int) -> np.ndarray:
        """Random values (count, positions, C); among them all least and all greatest."""
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 1 << self.planes, (count, self.positions, self.channels))
        top = 1 << (self.planes - 1)
        if count > 2:
            codes[1] = top if self.signed else 0
            codes[2] = top - 1 if self.signed else 2 * top - 1
        return codes_to_values(codes, self.planes, signed=self.signed)

    @cached_property
    def range(self) -> tuple[int, int]:
        ends = codes_to_values(np.arange(1 << self.planes), self.planes, signed=self.signed)
        products = np.stack([self.weights * int(ends.min()), self.weights * int(ends.max())])
        return int(products.min(0).sum(0).min()), int(products.max(0).sum(0).max())

    @property
    def acc_width(self) -> int:
        low, high = self.range
        if self.bias:
            low, high = low + int(self.biases.min()), high + int(self.biases.max())
        return max(2, 1 + max((-low - 1).bit_length(), high.bit_length()))

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Some that are met often, and channels that are never or always at the top."""
        rng = np.random.default_rng(2)
        acc = vvau(self.inputs_of(64, seed=3), self.weights)
        count = (1 << self.out_bits) - 1
        drawn = np.stack([rng.choice(acc[:, c], count) for c in range(self.channels)])
        low, high = self.range
        drawn[1 % self.channels] = high + 1
        drawn[2 % self.channels] = low
        return np.sort(drawn, axis=1)

    @cached_property
    def biases(self) -> np.ndarray:
        return np.random.default_rng(4).integers(-200, 200, self.channels)

    @property
    def stage(self) -> Vvau:
        return Vvau(
            name="dut",
            group=self.group,
            groups=self.groups,
            positions=self.positions,
            pixels=1,
            planes=self.planes,
            act_signed=self.signed,
            w_bits=self.w_bits,
            w_kind=self.kind,
            acc_width=self.acc_width,
            out_bits=self.out_bits,
            out_signed=self.out_signed,
            tpe=self.tpe,
        )

    @property
    def timing(self) -> MvtuTiming:
        return timings_of(self.stage, 0)[0]

    def timings(self, count: int) -> list[MvtuTiming]:
        """Of so many vectors."""
        return [self.timing] * count

    @property
    def out_vectors(self) -> int:
        return self.vectors or self.timing.vectors

    def in_beats(self, x: np.ndarray) -> list[int]:
        codes = values_to_codes(x.reshape(-1), self.planes)
        return to_plane_beats(codes, self.planes, self.group)

    def golden(self, x: np.ndarray) -> np.ndarray:
        if self.out_bits:
            thresholds = self.thresholds
            return vvau(x, self.weights, thresholds=thresholds, out_signed=self.out_signed)
        return vvau(x, self.weights, bias=self.biases if self.bias else None)

    def out_beats(self, row: np.ndarray) -> list[int]:
        if self.out_bits:
            return to_plane_beats(row, self.out_bits, self.tpe)
        return pack_biases(row, pe=self.group, width=self.acc_width)

    def parameters(self) -> dict[str, int | str]:
        """Of bf_vvau."""
        found: dict[str, int | str] = {
            "Group": self.group,
            "Planes": self.planes,
            "ActSigned": f"1'b{int(self.signed)}",
            "Groups": self.groups,
            "Positions": self.positions,
            "WBits": self.w_bits,
            "WKind": self.kind,
            "AccWidth": self.acc_width,
            "Final": f"1'b{int(self.out_bits == 0)}",
            "OutVectors": self.out_vectors,
        }
        if self.kind:
            group = self.group if self.kind == 2 else 1
            words = pack_channel_weights(self.weights, self.w_bits, group)
            found["WeightFile"] = write_image(to_mem(words, group * self.w_bits))
        if self.out_bits:
            lanes = pack_thresholds(
                self.thresholds,
                self.out_bits,
                pe=self.group,
                tpe=self.tpe,
                acc_width=self.acc_width,
            )
            texts = [to_mem(words, self.acc_width + 1) for words in lanes]
            return found | {
                "OutBits": self.out_bits,
                "OutSigned": f"1'b{int(self.out_signed)}",
                "Tpe": self.tpe,
                "ThresholdFile": write_lanes(texts),
            }
        if self.bias:
            words = pack_biases(self.biases, pe=self.group, width=self.acc_width)
            image = write_image(to_mem(words, self.group * self.acc_width))
            return found | {"HasBias": "1'b1", "BiasFile": image}
        return found | {"HasBias": "1'b0"}


# fmt: off
CASES = {
    # A value a vector: a requantiser of one channel.
    "tiny": Case(1, 1, 1, planes=1, kind=0, out_bits=1),
    "depthwise": Case(4, 3, 9, planes=3, tpe=2),
    "signed": Case(3, 2, 9, planes=4, signed=True, w_bits=4, out_bits=3, out_signed=True, tpe=3),
    # The results take longer than the sum.
    "search_bound": Case(4, 2, 1, planes=2, out_bits=4, tpe=1),
    "every_cycle": Case(4, 1, 1, planes=1, kind=0, out_bits=1, tpe=4),
    "one_group": Case(2, 1, 4, planes=1, w_bits=2, out_bits=2, tpe=2),
    # A residual addition with factors, and one without, signed.
    "sum": Case(4, 4, 2, planes=3, kind=1, w_bits=4, out_bits=3, tpe=4),
    "plain_sum": Case(2, 5, 2, planes=4, signed=True, kind=0, out_bits=4, out_signed=True, tpe=2),
    "pool": Case(4, 2, 16, planes=3, kind=0, out_bits=3, tpe=2),
    "last": Case(3, 3, 16, planes=2, kind=0, out_bits=0, bias=True),
    "last_plain": Case(2, 2, 4, planes=2, signed=True, out_bits=0, vectors=3),
}
# fmt: on


def case_of(parameters: Mapping[str, Any]) -> Case:
    """The case that a bench was built for."""
    return next(case for case in CASES.values() if case.parameters() == parameters)

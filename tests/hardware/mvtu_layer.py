"""Layers for the benches of the matrix-vector unit: parameters, random numbers, memory images.

The test that builds a module and the bench that checks it make the same layer from the same
parameters and seed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bitfold.cost.latency import dot_latency
from bitfold.sim.reference import (
    MvtuTiming,
    codes_to_values,
    from_plane_beats,
    lane_file,
    mvtu,
    pack_biases,
    pack_steps,
    pack_thresholds,
    pack_weights,
    step_table,
    to_mem,
    to_plane_beats,
    unipolar_bias,
    unipolar_thresholds,
    values_to_codes,
)

MEM = Path(__file__).resolve().parents[2] / "build" / "tests" / "mem"


@dataclass(frozen=True)
class Case:
    """A layer. act, weight: "unsigned", "signed" or "bipolar"."""

    outputs: int
    inputs: int
    pe: int
    simd: int
    group: int
    act: str = "unsigned"
    planes: int = 2
    weight: str = "signed"
    w_planes: int = 2
    ap: int = 1
    wp: int = 1
    out_bits: int = 2  # 0: last layer
    out_signed: bool = False
    tpe: int = 1
    bias: bool = False
    vectors: int = 0  # OutVectors; 0: for full rate
    style: int = 0
    register: int = 0  # MemRegister
    blocks: int = 1  # of outputs that read inputs of their own, at `runs` positions each
    runs: int = 1

    @property
    def unipolar(self) -> bool:
        """Bipolar activations that enter as unsigned bits, because the weights are integers."""
        return self.act == "bipolar" and self.weight != "bipolar"

    @cached_property
    def matrix(self) -> np.ndarray:
        rng = np.random.default_rng(1)
        if self.weight == "bipolar":
            return (rng.integers(0, 2, (self.outputs, self.inputs)) * 2 - 1) * self.read
        half = 1 << (self.w_planes - 1)
        matrix = rng.integers(-half, half, (self.outputs, self.inputs))
        matrix[0] = -half  # the most negative weight times every activation
        return matrix * self.read

    @property
    def read(self) -> np.ndarray:
        """(MH, MW): which inputs an output reads."""
        block = np.arange(self.outputs) // (self.outputs // self.blocks)
        part = np.arange(self.inputs) // (self.inputs // (self.runs * self.blocks)) % self.blocks
        return (block[:, None] == part).astype(np.int64)

    def values(self, codes: np.ndarray) -> np.ndarray:
        return codes_to_values(
            codes, self.planes, signed=self.act == "signed", bipolar=self.act == "bipolar"
        )

    def inputs_of(self, count: int, seed: int) -> np.ndarray:
        """Random activation values (count, MW); among them all least and all greatest."""
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 1 << self.planes, (count, self.inputs))
        top = 1 << (self.planes - 1)
        if count > 2:
            codes[1] = top if self.act == "signed" else 0
            codes[2] = top - 1 if self.act == "signed" else 2 * top - 1
        return self.values(codes)

    @cached_property
    def range(self) -> tuple[int, int]:
        """Least and greatest accumulator there can be, over all activations."""
        ends = self.values(np.arange(1 << self.planes))
        low, high = int(ends.min()), int(ends.max())
        products = np.stack([self.matrix * low, self.matrix * high])
        return int(products.min(0).sum(1).min()), int(products.max(0).sum(1).max())

    @property
    def acc_width(self) -> int:
        low, high = self.range
        if self.bias:
            low, high = low + int(self.biases.min()), high + int(self.biases.max())
        if self.unipolar:  # bits times weights, before they are doubled
            sums = self.matrix.clip(max=0).sum(1), self.matrix.clip(min=0).sum(1)
            low, high = min(low, int(sums[0].min())), max(high, int(sums[1].max()))
        return max(2, 1 + max((-low - 1).bit_length(), high.bit_length()))

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Some that are met often, duplicates, and channels that are never or always at the top."""
        rng = np.random.default_rng(2)
        count = (1 << self.out_bits) - 1
        acc = self.inputs_of(64, seed=3) @ self.matrix.T
        drawn = np.stack([rng.choice(acc[:, c], count) for c in range(self.outputs)])
        drawn += rng.integers(0, 2, drawn.shape)
        low, high = self.range
        drawn[1 % self.outputs] = high + 1
        drawn[2 % self.outputs] = low
        drawn[-1, 0], drawn[-1, -1] = low - 100, high + 100
        if self.outputs > 4:
            drawn[4] = drawn[4, 0]
        return np.sort(drawn, axis=1)

    @cached_property
    def biases(self) -> np.ndarray:
        return np.random.default_rng(4).integers(-200, 200, self.outputs)

    @property
    def timing(self) -> MvtuTiming:
        xnor = self.act == self.weight == "bipolar"
        return MvtuTiming(
            product=self.inputs // self.blocks // self.simd * len(self.steps),
            folds=self.outputs // self.pe,
            search=self.out_bits * (self.pe // self.tpe) if self.out_bits else 1,
            dot_latency=dot_latency(
                self.simd,
                self.wp,
                self.ap,
                weight_bipolar=self.weight == "bipolar",
                act_bipolar=xnor,
                style=self.style,
            ),
            final=self.out_bits == 0,
            register=self.register,
        )

    def timings(self, count: int) -> list[MvtuTiming]:
        """Of so many vectors."""
        return [self.timing] * count

    @property
    def out_vectors(self) -> int:
        return self.vectors or self.timing.vectors

    @property
    def steps(self) -> tuple[Any, ...]:
        return step_table(
            self.planes,
            self.w_planes,
            self.ap,
            self.wp,
            act_signed=self.act == "signed",
            weight_signed=self.weight == "signed",
        )

    @property
    def last_negative(self) -> bool:
        """Whether the step that ends a product subtracts it as a whole."""
        last = self.steps[-1]
        return (self.ap == 1 and last.act_sign) != (self.wp == 1 and last.weight_sign)

    def in_beats(self, x: np.ndarray) -> list[int]:
        codes = values_to_codes(x, self.planes, bipolar=self.act == "bipolar")
        return to_plane_beats(codes, self.planes, self.group)

    def golden(self, x: np.ndarray) -> np.ndarray:
        if self.out_bits:
            return mvtu(x, self.matrix, thresholds=self.thresholds, out_signed=self.out_signed)
        return mvtu(x, self.matrix, bias=self.biases if self.bias else None)

    def out_beats(self, row: np.ndarray) -> list[int]:
        """Golden results (MH,) of a vector as output beats."""
        if self.out_bits:
            beats = to_plane_beats(row, self.out_bits, self.tpe)
            assert (from_plane_beats(beats, self.out_bits, self.tpe) == row).all()
            return beats
        return pack_biases(row, pe=self.pe, width=self.acc_width)

    def images(self) -> dict[str, str | list[str]]:
        """Parameter name -> memory image, or the images of the lanes."""
        weights = pack_weights(
            self.matrix[self.read == 1].reshape(self.outputs, -1),
            self.w_planes,
            bipolar=self.weight == "bipolar",
            pe=self.pe,
            simd=self.simd,
            wp=self.wp,
        )
        found: dict[str, str | list[str]] = {
            "WeightFile": to_mem(weights, self.pe * self.wp * self.simd)
        }
        if self.out_bits:
            moved = (
                unipolar_thresholds(self.matrix, self.thresholds)
                if self.unipolar
                else self.thresholds
            )
            lanes = pack_thresholds(
                moved, self.out_bits, pe=self.pe, tpe=self.tpe, acc_width=self.acc_width
            )
            found["ThresholdFile"] = [to_mem(words, self.acc_width + 1) for words in lanes]
        elif self.bias or self.unipolar:
            bias = self.biases if self.bias else None
            moved = unipolar_bias(self.matrix, bias) if self.unipolar else self.biases
            words = pack_biases(moved, pe=self.pe, width=self.acc_width)
            found["BiasFile"] = to_mem(words, self.pe * self.acc_width)
        return found

    def parameters(self) -> dict[str, int | str]:
        """Of bf_mvtu."""
        xnor = self.act == self.weight == "bipolar"
        found: dict[str, int | str] = {
            "GroupIn": self.group,
            "Planes": self.planes,
            "ActSigned": f"1'b{int(self.act == 'signed')}",
            "ActBipolar": f"1'b{int(xnor)}",
            "Inputs": self.inputs,
            "Outputs": self.outputs,
            "Pe": self.pe,
            "Simd": self.simd,
            "Ap": self.ap,
            "Wp": self.wp,
            "WPlanes": self.w_planes,
            "WeightBipolar": f"1'b{int(self.weight == 'bipolar')}",
            "Steps": f"{32 * len(self.steps)}'h{pack_steps(self.steps):x}",
            "AccWidth": self.acc_width,
            "Final": f"1'b{int(self.out_bits == 0)}",
            "OutVectors": self.out_vectors,
            "Style": self.style,
            "MemRegister": self.register,
        }
        if self.blocks > 1:
            found |= {"Blocks": self.blocks, "Runs": self.runs}
        if self.out_bits:
            found["OutBits"] = self.out_bits
            found["OutSigned"] = f"1'b{int(self.out_signed)}"
            found["Tpe"] = self.tpe
        else:
            found["HasBias"] = f"1'b{int(self.bias or self.unipolar)}"
            found["AccShift"] = int(self.unipolar)
        return found | {
            name: write_image(text) if isinstance(text, str) else write_lanes(text)
            for name, text in self.images().items()
        }


def write_image(text: str) -> str:
    """Write a memory image under a name made of its text; its path as a Verilog string."""
    MEM.mkdir(parents=True, exist_ok=True)
    path = MEM / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.mem"
    path.write_text(text)
    return f'"{path}"'


def write_lanes(texts: Sequence[str]) -> str:
    """Write the images of a bf_threshold; the begin of their names as a Verilog string."""
    MEM.mkdir(parents=True, exist_ok=True)
    prefix = MEM / hashlib.sha256("".join(texts).encode()).hexdigest()[:16]
    for lane, text in enumerate(texts):
        Path(lane_file(f"{prefix}_", lane)).write_text(text)
    return f'"{prefix}_"'


def image_path(parameters: Mapping[str, Any], name: str) -> Path:
    """The path of a file parameter as a bench sees it."""
    return Path(str(parameters[name]).strip('"'))

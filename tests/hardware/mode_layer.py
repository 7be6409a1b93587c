"""Layers with run-time precision, for the benches of the two units: a layer of `mvtu_layer` or
`vvau_layer`, and what of it counts in each mode."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from mvtu_layer import Case, write_image, write_lanes

from bitfold.sim.reference import (
    MvtuTiming,
    mode_steps,
    mvtu,
    pack_mode_biases,
    pack_mode_steps,
    pack_mode_thresholds,
    pack_steps,
    to_mem,
)


@dataclass(frozen=True)
class ModeCase:
    """kept: planes of weights and activations in each mode. frame: vectors of a frame.

    ring: modes of the frames, over and over. flips: channels decrease in some of the modes.
    """

    case: Case
    kept: tuple[tuple[int, int], ...]
    ring: tuple[int, ...] = (0, 1, 2, 1)
    frame: int = 2
    flips: bool = False

    def mode(self, vector: int) -> int:
        return self.ring[vector // self.frame % len(self.ring)]

    @cached_property
    def in_mode(self) -> tuple[MvtuTiming, ...]:
        """Cycle counts in each mode."""
        case = self.case
        return tuple(
            replace(replace(case, w_planes=w, planes=a).timing, register=case.register, lead=True)
            for w, a in self.kept
        )

    def timings(self, count: int) -> list[MvtuTiming]:
        return [self.in_mode[self.mode(v)] for v in range(count)]

    @property
    def out_vectors(self) -> int:
        return self.case.vectors or max(t.vectors for t in self.in_mode)

    def inputs_of(self, count: int, seed: int) -> np.ndarray:
        return self.case.inputs_of(count, seed)

    def in_beats(self, x: np.ndarray) -> list[int]:
        return self.case.in_beats(x)

    def out_beats(self, row: np.ndarray) -> list[int]:
        return self.case.out_beats(row)

    def sums(self, x: np.ndarray, mode: int) -> np.ndarray:
        """Accumulators (N, MH) of activations (N, MW) in a mode: both sides truncated."""
        w, a = self.kept[mode]
        return (x >> self.case.planes - a) @ (self.case.matrix >> self.case.w_planes - w).T

    @cached_property
    def thresholds(self) -> list[np.ndarray]:
        """Of each mode, drawn among its accumulators."""
        count, found = (1 << self.case.out_bits) - 1, []
        for mode in range(len(self.kept)):
            rng = np.random.default_rng(20 + mode)
            acc = self.sums(self.inputs_of(64, seed=3), mode)
            drawn = np.stack([rng.choice(acc[:, c], count) for c in range(acc.shape[1])])
            found.append(np.sort(drawn + rng.integers(0, 2, drawn.shape), axis=1))
        return found

    @cached_property
    def flipped(self) -> list[np.ndarray]:
        rng = np.random.default_rng(30)
        return [rng.random(self.case.outputs) < 0.5 * self.flips for _ in self.kept]

    @cached_property
    def biases(self) -> list[np.ndarray]:
        rng = np.random.default_rng(40)
        return [rng.integers(-200, 200, self.case.outputs) for _ in self.kept]

    def golden(self, x: np.ndarray) -> np.ndarray:
        rows = []
        for v, row in enumerate(x):
            mode = self.mode(v)
            acc = self.sums(row[None], mode)
            one = np.eye(self.case.outputs, dtype=np.int64)
            if not self.case.out_bits:
                rows.append(mvtu(acc, one, bias=self.biases[mode]))
                continue
            signed = self.case.out_signed
            codes = mvtu(acc, one, thresholds=self.thresholds[mode], out_signed=signed)
            every = (1 << self.case.out_bits) - 1
            rows.append(np.where(self.flipped[mode], every - codes, codes))
        return np.concatenate(rows)

    def parameters(self) -> dict[str, int | str]:
        """Of bf_mvtu."""
        case = self.case
        table, places = mode_steps(
            *(self.kept, case.ap, case.wp),
            act_signed=case.act == "signed",
            weight_signed=case.weight == "signed",
        )
        modes = len(self.kept)
        found = case.parameters() | {
            "OutVectors": self.out_vectors,
            "TableSteps": len(table),
            "Steps": f"{32 * len(table)}'h{pack_steps(table):x}",
            "Modes": modes,
            "Ring": len(self.ring),
            "FrameVectors": self.frame,
            "ModeSteps": f"{32 * modes}'h{pack_mode_steps(places):x}",
        }
        if not case.out_bits:
            words = pack_mode_biases(self.biases, pe=case.pe, width=case.acc_width)
            return found | {"BiasFile": write_image(to_mem(words, case.pe * case.acc_width))}
        lanes = pack_mode_thresholds(
            *(self.thresholds, self.flipped if self.flips else None, case.out_bits),
            pe=case.pe,
            tpe=case.tpe,
            acc_width=case.acc_width,
        )
        width = case.acc_width + 1 + self.flips
        found["ThresholdFile"] = write_lanes([to_mem(words, width) for words in lanes])
        return found | {"Flips": f"1'b{int(self.flips)}"}


# fmt: off
MODE_CASES = {
    # Products longer than the search in every mode; several folds; more modes than a power of two.
    "plain": ModeCase(
        Case(8, 24, 4, 8, 4, planes=4, w_planes=3, out_bits=3, tpe=4), ((3, 4), (2, 2), (1, 3)),
    ),
    # The search is longer than some modes' products: idle cycles in front; signed both ways.
    "search_bound": ModeCase(
        Case(
            6, 36, 3, 4, 12, act="signed", planes=4, w_planes=4, wp=2, ap=2, out_bits=7,
            out_signed=True, tpe=1,
        ),
        ((4, 4), (2, 2), (2, 4)), flips=True,
    ),
    # One product a fold at least; results of a slow mode are searched while a fast one follows.
    "one_product": ModeCase(
        Case(4, 8, 1, 8, 8, planes=4, w_planes=4, out_bits=3, tpe=1, register=1),
        ((4, 4), (1, 1)), ring=(0, 1), frame=3,
    ),
    "last": ModeCase(
        Case(6, 20, 2, 10, 2, planes=3, w_planes=4, out_bits=0, bias=True),
        ((4, 3), (2, 3), (3, 1)), frame=1,
    ),
    # One fold of thresholds, of biases; one mode as another.
    "one_fold": ModeCase(
        Case(4, 16, 4, 16, 4, planes=3, w_planes=3, wp=3, out_bits=2, tpe=4, style=1),
        ((3, 3), (3, 1), (3, 1)), flips=True,
    ),
    "last_one_fold": ModeCase(
        Case(4, 12, 4, 12, 4, act="signed", planes=4, w_planes=2, ap=2, out_bits=0, bias=True),
        ((2, 4), (1, 2), (2, 2)),
    ),
}
# fmt: on


def mode_case_of(parameters: Mapping[str, Any]) -> ModeCase:
    """The case that a bench was built for."""
    return next(case for case in MODE_CASES.values() if case.parameters() == parameters)

"""Fit a target's LUT and FF coefficients to synthesised stages, and write its table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls  # type: ignore[import-untyped]  # ships no stubs

from bitfold.cost.luts import Target, features
from bitfold.cost.memories import RamCell
from bitfold.cost.shape import Folding
from bitfold.cost.stages import AxisIn, AxisOut, Mvtu, Pool, Stage, Window

Floats = NDArray[np.float64]

_RIDGE = 1e-3


@final
@dataclass(frozen=True, kw_only=True)
class Sample:
    """A stage and what synthesis gave it."""

    stage: Stage
    luts: float
    ffs: float


@final
@dataclass(frozen=True, kw_only=True)
class Fit:
    """A target with new coefficients, and how far its LUT predictions are from the samples."""

    target: Target
    mean_error: float  # mean of |predicted - measured| / measured
    worst_error: float


def fit(target: Target, samples: Sequence[Sample], tool: str) -> Fit:
    """Coefficients, none negative, with the least sum of squared relative errors.

    Features that no sample has keep their present coefficient.
    """
    rows = [features(s.stage, target) for s in samples]
    luts, errors = _least_squares(target.luts, rows, np.array([s.luts for s in samples]))
    ffs, ff_errors = _least_squares(target.ffs, rows, np.array([s.ffs for s in samples]))
    mean, worst = float(errors.mean()), float(errors.max())
    note = {
        "date": date.today().isoformat(),
        "tool": tool,
        "samples": len(samples),
        "mean_error": round(mean, 4),
        "worst_error": round(worst, 4),
        "mean_error_ffs": round(float(ff_errors.mean()), 4),
    }
    fitted = replace(target, luts=luts, ffs=ffs, fit=note)
    return Fit(target=fitted, mean_error=mean, worst_error=worst)


def _least_squares(
    present: Mapping[str, float], rows: Sequence[Mapping[str, float]], measured: Floats
) -> tuple[dict[str, float], Floats]:
    """New coefficients and each sample's relative error."""
    names = list(present)
    matrix = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    before = np.array([present[name] for name in names])
    seen = matrix.any(axis=0)
    # A weak pull to the present values settles what the samples leave open.
    pull = _RIDGE * np.diag(matrix[:, seen].max(axis=0) / measured.max())
    left = np.vstack([matrix[:, seen] / measured[:, None], pull])
    right = np.concatenate([np.ones(len(measured)), pull @ before[seen]])
    found, _ = nnls(left, right)
    fitted = before.copy()
    fitted[seen] = np.round(found, 4)
    errors = np.abs(matrix @ fitted - measured) / measured
    return {n: float(v) for n, v in zip(names, fitted, strict=True)}, errors


def to_toml(target: Target) -> str:
    """The table as it stands in `cost/targets/`."""
    lines = [
        "# RAM cells as Yosys knows them (see bitfold/cost/memories.py).",
        f"rom_depth = {target.rom_depth}",
        f"rom_cost = {target.rom_cost}",
        "cells = [",
        *(f"  {{ {_cell(cell)} }}," for cell in target.cells),
        "]",
        "",
        "# LUTs and FFs per feature (see bitfold/cost/luts.py), fitted by `bitfold calibrate`.",
        "[luts]",
    ]
    lines += [f"{name} = {value}" for name, value in target.luts.items()]
    lines += ["", "[ffs]"]
    lines += [f"{name} = {value}" for name, value in target.ffs.items()]
    lines += ["", "[fit]"]
    lines += [f"{k} = {v!r}".replace("'", '"') for k, v in target.fit.items()]
    return "\n".join(lines) + "\n"


def _cell(cell: RamCell) -> str:
    """Fields that differ from their defaults, in TOML."""
    values = {f.name: getattr(cell, f.name) for f in fields(cell)}
    kept = {f.name: values[f.name] for f in fields(cell) if values[f.name] != f.default}
    return ", ".join(
        f"{name} = {json.dumps(list(v) if isinstance(v, tuple) else v)}" for name, v in kept.items()
    )


def grid() -> Iterator[Stage]:
    """Stages whose synthesis tells the features apart; sizes as small networks have them."""
    for group, planes in ((1, 5), (3, 8), (4, 4)):
        yield AxisIn(name="axis_in", group=group, planes=planes, beats=64)
    for group, width in ((1, 16), (4, 20), (10, 14)):
        yield AxisOut(name="axis_out", group=group, width=width, outputs=10 if group != 4 else 12)
    for group, beats, size, kernel in ((1, 4, 8, 3), (4, 16, 8, 3), (8, 6, 16, 3), (4, 12, 8, 2)):
        yield Window(
            name="window",
            group=group,
            beats=beats,
            planes=2,
            height=size,
            width=size,
            kernel=(kernel, kernel),
            stride=(1, 1) if kernel == 3 else (2, 2),
            pads=(1, 1, 1, 1) if kernel == 3 else (0, 0, 0, 0),
        )
    for group, beats in ((2, 16), (8, 8)):
        yield Pool(
            name="pool", group=group, beats=beats, planes=4, signed=False, positions=4, pixels=16
        )
    base = Mvtu(
        name="mvtu",
        inputs=144,
        outputs=16,
        pixels=64,
        group_in=8,
        planes=3,
        act_signed=False,
        act_bipolar=False,
        w_planes=3,
        w_bipolar=False,
        folding=Folding(pe=4, simd=16),
        acc_width=14,
        out_bits=3,
        out_signed=False,
        tpe=4,
    )
    for pe, simd, group, tpe in (
        (1, 8, 8, 1),
        (2, 16, 4, 2),
        (4, 8, 4, 4),
        (4, 16, 8, 2),
        (8, 16, 8, 4),
        (8, 16, 8, 8),
        (8, 36, 4, 8),
        (16, 16, 8, 16),
        (16, 48, 8, 16),
        (4, 72, 8, 4),
        (2, 144, 8, 2),
        (16, 9, 9, 8),
        (8, 24, 8, 2),
    ):
        yield replace(base, folding=Folding(pe=pe, simd=simd), group_in=group, tpe=tpe)
    for planes, w_planes, out_bits, acc in (
        (2, 2, 2, 11),
        (4, 4, 4, 15),
        (6, 5, 4, 18),
        (3, 8, 5, 18),
    ):
        yield replace(base, planes=planes, w_planes=w_planes, out_bits=out_bits, acc_width=acc)
    for wp, ap in ((3, 1), (1, 3), (3, 3)):
        yield replace(base, folding=Folding(pe=4, simd=16, wp=wp, ap=ap))
    for outputs, inputs, pe, simd in ((32, 144, 4, 16), (64, 288, 4, 16), (32, 288, 8, 32)):
        yield replace(
            base, outputs=outputs, inputs=inputs, folding=Folding(pe=pe, simd=simd), tpe=pe
        )
    for outputs, inputs, pe, simd in ((10, 128, 1, 16), (10, 128, 5, 16), (10, 512, 2, 32)):
        yield replace(
            base,
            outputs=outputs,
            inputs=inputs,
            pixels=1,
            out_bits=0,
            acc_width=18,
            folding=Folding(pe=pe, simd=simd),
            tpe=pe,
        )

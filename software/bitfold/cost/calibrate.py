"""Fit a target's LUT and FF coefficients to synthesised stages, and write its table."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from bitfold.cost.luts import Part, Target, features
from bitfold.cost.ram import RamCell

Floats = NDArray[np.float64]

_RIDGE = 1e-3
# What RAM cells and small tables take is no question of fitting.
_KNOWN_LUTS = {"ram_lut": 1.0, "rom_lut": 1.0}
_KNOWN_FFS = {"ram_lut": 0.0}


@final
@dataclass(frozen=True, kw_only=True)
class Sample:
    """A stage and what synthesis gave it."""

    stage: Part
    luts: float
    ffs: float


@final
@dataclass(frozen=True, kw_only=True)
class Fit:
    """A target with new coefficients, and how far its LUT predictions are from the samples."""

    target: Target
    mean_error: float  # mean of |predicted - measured| / measured
    worst_error: float


def fit(
    target: Target, samples: Sequence[Sample], tool: str, held: Collection[str] = frozenset()
) -> Fit:
    """Coefficients, none negative, with the least sum of squared relative errors.

    Features that no sample has, and those `held`, keep their present coefficient.
    """
    rows = [features(s.stage, target) for s in samples]
    measured = (np.array([s.luts for s in samples]), np.array([s.ffs for s in samples]))
    known = {name: target.luts[name] for name in held} | _KNOWN_LUTS
    luts, errors = _least_squares({**target.luts, **known}, known, rows, measured[0])
    known = {name: target.ffs[name] for name in held} | _KNOWN_FFS
    ffs, ff_errors = _least_squares({**target.ffs, **known}, known, rows, measured[1])
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


def fit_kind(
    target: Target, samples: Sequence[Sample], others: Sequence[Part], tool: str, kind: str
) -> Fit:
    """As `fit`, to samples of one kind of part.

    What `others`, the grid's parts of all other kinds, have too is held. What the table says of its
    last whole fit stays; `refitted_KIND` says what came since.
    """
    held = {name for part in others for name, amount in features(part, target).items() if amount}
    found = fit(target, samples, tool, held)
    said = (
        f"{len(samples)} samples, {date.today().isoformat()}, {tool}, "
        f"mean_error {found.mean_error:.4f}, worst_error {found.worst_error:.4f}"
    )
    note = {**target.fit, f"refitted_{kind}": said}
    return replace(found, target=replace(found.target, fit=note))


def _least_squares(
    present: Mapping[str, float],
    known: Mapping[str, float],
    rows: Sequence[Mapping[str, float]],
    measured: Floats,
) -> tuple[dict[str, float], Floats]:
    """New coefficients and each sample's relative error."""
    names = list(present)
    matrix = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    before = np.array([present[name] for name in names])
    open_ = np.array([name not in known for name in names])
    rest = measured - matrix @ np.where(open_, 0.0, before)
    seen = matrix.any(axis=0) & open_
    # A weak pull to the present values settles what the samples leave open.
    pull = _RIDGE * np.diag(matrix[:, seen].max(axis=0) / measured.max())
    left = np.vstack([matrix[:, seen] / measured[:, None], pull])
    right = np.concatenate([rest / measured, pull @ before[seen]])
    found, _ = nnls(left, right)
    fitted = before.copy()
    fitted[seen] = np.round(found, 4)
    errors = np.abs(matrix @ fitted - measured) / measured
    return {n: float(v) for n, v in zip(names, fitted, strict=True)}, errors


def to_toml(target: Target) -> str:
    """The table as it stands in `cost/targets/`."""
    lines = [
        "# RAM cells as Yosys knows them (see bitfold/cost/ram.py).",
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

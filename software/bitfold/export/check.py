"""Proof that the QONNX file computes what the PyTorch model computes."""

import copy
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from onnx import ModelProto
from torch import nn

from bitfold.errors import MismatchError
from bitfold.export.exact import run_exact
from bitfold.export.qonnx import run_qonnx

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]
BATCH = 500
SINGLE = 32  # images that are also run one by one, as the file declares
TOLERANCE = 1e-4  # of the largest logit; one flipped activation level moves logits by far more
EXACT = 1e-6  # the same in float64; the file holds scales and epsilons rounded to float32
MOST_ROUNDED = 0.1  # of the images; more is no matter of rounding


@final
@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was compared; differences are in logits.

    rounded: images on which the float32 evaluations differ by more than rounding of the logits,
        because one of them rounded a value to the other side of a level's edge; in float64 the two
        agree on each of them. largest_difference is that of all other images.
    """

    images: int
    largest_difference: float
    largest_logit: float
    rounded: int = 0


def check_equal(model: nn.Module, graph: ModelProto, x: Floats) -> Agreement:
    """Run both on all of x (N, C, H, W): outputs equal within float rounding, same arg max.

    The graph runs in batches, and its first images also one by one, so that the batched evaluation
    is itself checked. In float64 both run on the first images and on those that differ in float32;
    there nothing may differ. Raises: MismatchError.
    """
    model.eval()
    with torch.no_grad():
        wanted = np.concatenate(
            [model(torch.from_numpy(part)).numpy() for part in np.split(x, _cuts(len(x)))]
        )
    came = np.concatenate([run_qonnx(graph, part) for part in np.split(x, _cuts(len(x)))])
    single = np.concatenate([run_qonnx(graph, x[i : i + 1]) for i in range(min(SINGLE, len(x)))])
    largest = float(np.abs(wanted).max())
    tolerance = TOLERANCE * max(largest, 1e-30)
    bad = _differing(wanted, came, tolerance)
    most = int(MOST_ROUNDED * len(x))
    if len(bad) > most:
        raise MismatchError(_message("PyTorch and QONNX", wanted, came, bad, tolerance))
    apart = _differing(came[: len(single)], single, tolerance)
    if len(apart) > int(MOST_ROUNDED * len(single)):
        name = "QONNX in batches and one by one"
        raise MismatchError(_message(name, came[: len(single)], single, apart, tolerance))
    chosen = x[np.union1d(np.arange(len(single)), bad)]
    doubled = _in_double(model, chosen)
    exact = run_exact(graph, chosen)
    allowed = EXACT * max(largest, 1e-30)
    wrong = _differing(doubled, exact, allowed)
    if len(wrong):
        name = "PyTorch and QONNX, both in float64,"
        raise MismatchError(_message(name, doubled, exact, wrong, allowed))
    gap = np.delete(np.abs(wanted - came), bad, axis=0)
    return Agreement(
        images=len(x),
        largest_difference=float(gap.max()),
        largest_logit=largest,
        rounded=len(bad),
    )


def _in_double(model: nn.Module, x: Floats) -> npt.NDArray[np.float64]:
    twin = copy.deepcopy(model).double()
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.eps = float(np.float32(module.eps))  # as the file has it
    with torch.no_grad():
        parts = [
            twin(torch.from_numpy(part).double()).numpy() for part in np.split(x, _cuts(len(x)))
        ]
    return np.concatenate(parts)


def _differing(first: Numbers, second: Numbers, tolerance: float) -> npt.NDArray[np.int64]:
    """Images whose outputs are further apart, or whose arg max differs. NaN differs."""
    gap = np.abs(first - second).max(1)
    found: npt.NDArray[np.int64] = np.flatnonzero(
        ~(gap <= tolerance) | _decisions_differ(first, second, tolerance)
    )
    return found


def _message(
    name: str, first: Numbers, second: Numbers, bad: npt.NDArray[np.int64], tolerance: float
) -> str:
    gap = np.abs(first - second).max(1)
    return (
        f"{name} differ on {len(bad)} of {len(gap)} images (first: image {bad[0]}, by "
        f"{gap[bad[0]]:.3g}; allowed {tolerance:.3g})"
    )


def _decisions_differ(first: Numbers, second: Numbers, tolerance: float) -> npt.NDArray[np.bool_]:
    """Images whose arg max differs, unless the two classes tie within rounding. Shape (N,)."""
    one, two = first.argmax(1), second.argmax(1)
    rows = np.arange(len(first))
    lead = first[rows, one] - first[rows, two]
    differ: npt.NDArray[np.bool_] = (one != two) & (lead > tolerance)
    return differ


def _cuts(count: int) -> list[int]:
    return list(range(BATCH, count, BATCH))

"""Proof that the QONNX file computes what the PyTorch model computes."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from onnx import ModelProto
from torch import nn

from bitfold.errors import MismatchError
from bitfold.export.qonnx import run_qonnx

Floats = npt.NDArray[np.float32]
BATCH = 500
SINGLE = 32  # images that are also run one by one, as the file declares
TOLERANCE = 1e-4  # of the largest logit; one flipped activation level moves logits by far more


@final
@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was compared; `largest_difference` is in logits."""

    images: int
    largest_difference: float
    largest_logit: float


def check_equal(model: nn.Module, graph: ModelProto, x: Floats) -> Agreement:
    """Run both on all of x (N, C, H, W): outputs equal within float rounding, same arg max.

    The graph runs in batches, and its first images also one by one, so that the batched evaluation
    is itself checked. Raises: MismatchError.
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
    for name, first, second in (
        ("PyTorch and QONNX", wanted, came),
        ("QONNX in batches and one by one", came[: len(single)], single),
    ):
        gap = np.abs(first - second).max(1)
        bad = np.flatnonzero(~(gap <= tolerance) | _decisions_differ(first, second, tolerance))
        if len(bad):
            raise MismatchError(
                f"{name} differ on {len(bad)} of {len(gap)} images (first: image {bad[0]}, by "
                f"{gap[bad[0]]:.3g}; allowed {tolerance:.3g})"
            )
    gap = np.abs(wanted - came)
    return Agreement(images=len(x), largest_difference=float(gap.max()), largest_logit=largest)


def _decisions_differ(first: Floats, second: Floats, tolerance: float) -> npt.NDArray[np.bool_]:
    """Images whose arg max differs, unless the two classes tie within rounding. Shape (N,)."""
    one, two = first.argmax(1), second.argmax(1)
    rows = np.arange(len(first))
    lead = first[rows, one] - first[rows, two]
    differ: npt.NDArray[np.bool_] = (one != two) & (lead > tolerance)
    return differ


def _cuts(count: int) -> list[int]:
    return list(range(BATCH, count, BATCH))

"""What a search by BSQ found, as the paper counts it and as hardware does."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bitfold.search.bsq.layer import PlanedLayer
from bitfold.search.problem import layer_shape

FLOAT_BITS = 32


def findings(layers: Sequence[PlanedLayer]) -> dict[str, Any]:
    """Bits of every layer, and the mean over weights.

    paper: magnitude bits, no sign, 0 for a layer without weights; stored: with the sign, as the
    codes need it, before the rest of the budget is spent. compression: 32 / the paper's mean.
    """
    rows = {layer.layer.name: _row(layer) for layer in layers}
    weights = [layer_shape(layer.layer).weights for layer in layers]
    means = {
        kind: float(np.average([row[kind] for row in rows.values()], weights=weights))
        for kind in (("paper", "stored") if layers else ())
    }
    value: dict[str, Any] = {"layers": rows, "mean_bits": means}
    if means.get("paper"):
        value["compression"] = FLOAT_BITS / means["paper"]
    return value


def _row(layer: PlanedLayer) -> dict[str, Any]:
    empty = not layer.codes().any()
    return {"paper": 0 if empty else layer.bits, "stored": layer.bits + 1}

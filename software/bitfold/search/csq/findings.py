"""What a search by CSQ found, as the paper counts it and as hardware does."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from bitfold.search.codes import Codes
from bitfold.search.csq.gates import GatedLayer
from bitfold.search.problem import layer_shape

FLOAT_BITS = 32


def mean_bits(layers: Sequence[GatedLayer]) -> float:
    """Masks that are on, averaged over weights; 0 without layers."""
    return average([int(layer.gates.kept().sum()) for layer in layers], _weights(layers))


def average(bits: Sequence[int], weights: Sequence[int]) -> float:
    """Weighted mean of the layers' bits; 0 without layers."""
    return float(np.average(bits, weights=weights)) if bits else 0.0


def span(kept: Tensor) -> int:
    """From the highest to the lowest mask that is on, holes included. (bits,) bool."""
    places = kept.nonzero().flatten().tolist()
    return int(places[-1] - places[0] + 1) if places else 0


def findings(layers: Sequence[GatedLayer], codes: Mapping[str, Codes]) -> dict[str, Any]:
    """Bits without the sign, of each layer and averaged; integer weights that hardening changes.

    count: masks that are on, as the paper counts; span: with the holes between them; codes: what
    the integer weights need. Each averaged over weights, and over layers as the authors do.
    compression: 32 / the mean count over weights.
    """
    rows = {layer.layer.name: _row(layer, codes[layer.layer.name]) for layer in layers}
    weights = _weights(layers)
    averages = {}
    for kind in ("count", "span", "codes"):
        bits = [row[kind] for row in rows.values()]
        averages[kind] = {
            "over_weights": average(bits, weights),
            "over_layers": average(bits, [1] * len(bits)),
        }
    mean = averages["count"]["over_weights"]
    return {
        "magnitude_bits": averages,
        "compression": FLOAT_BITS / mean if mean else 1.0,
        "layers": rows,
        "moved_codes": sum(row["moved_codes"] for row in rows.values()),
        "all_codes": sum(weights),
    }


def _row(layer: GatedLayer, codes: Codes) -> dict[str, Any]:
    kept = layer.gates.kept()
    return {
        "masks": "".join("01"[int(on)] for on in kept.flip(0)),  # highest bit first
        "count": int(kept.sum()),
        "span": span(kept),
        "codes": codes.bits,
        "moved_codes": layer.moved(),
    }


def _weights(layers: Sequence[GatedLayer]) -> list[int]:
    return [layer_shape(layer.layer).weights for layer in layers]

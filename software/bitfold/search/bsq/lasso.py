"""The group lasso over bit planes, and each layer's weight in it.

BSQ, as the authors' code has it: loss + alpha * sum_l weight_l * sum_b B_lb, where
B_lb = sqrt(1e-8 + |W_p^b|^2 + |W_n^b|^2) is the norm of one plane of one layer, not divided by its
size, and weight_l = parameters of the layer * its bits in use / parameters of all layers, constant
between re-quantisations ("memory").

Ours: "budget" replaces the share of parameters by the layer's share in the cost of one more bit
everywhere, in the budget's kind; of sizes that is the same. "none" weighs all layers alike. The
largest group of a layer may be left out: else the lasso can take all planes of a layer, which
without a shortcut around it is the end of the network, and which saves hardware nothing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bitfold.search.bsq.layer import PlanedLayer
from bitfold.search.weights import Reweigh

EPSILON = 1e-8  # under the root


def group_norms(layer: PlanedLayer) -> Tensor:
    """Norm of each plane, positive and negative together; 0 where not in use. (planes,)."""
    norms: list[Tensor] = [
        torch.linalg.vector_norm(planes.flatten(1), dim=1)
        for planes in (layer.positive, layer.negative)
    ]
    both = norms[0].square() + norms[1].square()
    return (both + EPSILON).sqrt() * (layer.form.powers > 0)


def lasso(layers: Sequence[PlanedLayer], weights: Sequence[float], *, but_largest: bool) -> Tensor:
    """Sum over layers of weight * sum of group norms, or of all but the largest. Shape ()."""
    terms = []
    for layer, weight in zip(layers, weights, strict=True):
        norms = group_norms(layer)
        terms.append(weight * (norms.sum() - norms.max() if but_largest else norms.sum()))
    return torch.stack(terms).sum()


def layer_weights(
    shares: Sequence[float], bits: Sequence[int], reweigh: Reweigh
) -> tuple[float, ...]:
    """weight_l of every layer from its share and its bits in use."""
    if reweigh == "none":
        return (1.0,) * len(bits)
    return tuple(share * n for share, n in zip(shares, bits, strict=True))

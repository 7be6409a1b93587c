"""Memory images of the layers: weights, thresholds, biases, as lines for $readmemh."""

import numpy as np

from bitfold.compiler.lower import Layer, LinearLayer
from bitfold.cost.stages import Mvtu, Stage
from bitfold.ir import Ints
from bitfold.sim.reference import (
    lane_file,
    pack_biases,
    pack_thresholds,
    pack_weights,
    to_mem,
)


def emit_memories(stages: tuple[Stage, ...], layers: tuple[Layer, ...]) -> dict[str, str]:
    """File name -> text, for every matrix-vector unit of the chain."""
    by_name = {layer.name: layer for layer in layers if isinstance(layer, LinearLayer)}
    images: dict[str, str] = {}
    for stage in stages:
        if isinstance(stage, Mvtu):
            layer = by_name[stage.name]
            steps = layer.thresholds.thresholds if layer.thresholds else None
            images |= pack_images(stage, layer.matrix, steps, layer.bias)
    return images


def pack_images(
    stage: Mvtu, matrix: Ints, thresholds: Ints | None, bias: Ints | None
) -> dict[str, str]:
    """Images of one unit. matrix (MH, MW), thresholds (MH, 2**bits - 1), bias (MH,)."""
    fold = stage.folding
    words = pack_weights(
        matrix, stage.w_planes, bipolar=stage.w_bipolar, pe=fold.pe, simd=fold.simd, wp=fold.wp
    )
    images = {f"{stage.name}_weights.mem": to_mem(words, fold.pe * fold.simd * fold.wp)}
    if thresholds is not None:
        lanes = pack_thresholds(
            thresholds, stage.out_bits, pe=fold.pe, tpe=stage.tpe, acc_width=stage.acc_width
        )
        for lane, words in enumerate(lanes):
            name = lane_file(f"{stage.name}_thresholds", lane)
            images[name] = to_mem(words, stage.acc_width + 1)
    else:
        added = bias if bias is not None else np.zeros(stage.outputs, np.int64)
        words = pack_biases(added, pe=fold.pe, width=stage.acc_width)
        images[f"{stage.name}_biases.mem"] = to_mem(words, fold.pe * stage.acc_width)
    return images

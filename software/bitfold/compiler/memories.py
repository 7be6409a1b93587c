"""Memory images of the layers: weights, thresholds, biases, as lines for $readmemh."""

import numpy as np

from bitfold.compiler.lower import Layer, LinearLayer
from bitfold.cost.stages import Mvtu, Stage
from bitfold.sim.reference import pack_biases, pack_thresholds, pack_weights, to_mem


def emit_memories(stages: tuple[Stage, ...], layers: tuple[Layer, ...]) -> dict[str, str]:
    """File name -> text, for every matrix-vector unit of the chain."""
    by_name = {layer.name: layer for layer in layers if isinstance(layer, LinearLayer)}
    images: dict[str, str] = {}
    for stage in stages:
        if isinstance(stage, Mvtu):
            images |= _images(stage, by_name[stage.name])
    return images


def _images(stage: Mvtu, layer: LinearLayer) -> dict[str, str]:
    fold = stage.folding
    words = pack_weights(
        layer.matrix,
        stage.w_planes,
        bipolar=stage.w_bipolar,
        pe=fold.pe,
        simd=fold.simd,
        wp=fold.wp,
    )
    images = {f"{stage.name}_weights.mem": to_mem(words, fold.pe * fold.simd * fold.wp)}
    if layer.thresholds is not None:
        words = pack_thresholds(
            layer.thresholds.thresholds,
            stage.out_bits,
            pe=fold.pe,
            tpe=stage.tpe,
            acc_width=stage.acc_width,
        )
        images[f"{stage.name}_thresholds.mem"] = to_mem(words, stage.tpe * (stage.acc_width + 1))
    else:
        bias = layer.bias if layer.bias is not None else np.zeros(stage.outputs, np.int64)
        words = pack_biases(bias, pe=fold.pe, width=stage.acc_width)
        images[f"{stage.name}_biases.mem"] = to_mem(words, fold.pe * stage.acc_width)
    return images

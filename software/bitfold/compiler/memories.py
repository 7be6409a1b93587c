"""Memory images of the layers: weights, thresholds, biases, as lines for $readmemh."""

import numpy as np

from bitfold.compiler.layers import ChannelLayer, Layer, LayerModes, LinearLayer
from bitfold.cost.stages import Stage
from bitfold.cost.units import Mvtu, Vvau
from bitfold.ir import Ints
from bitfold.sim.reference import (
    lane_file,
    pack_biases,
    pack_channel_weights,
    pack_mode_biases,
    pack_mode_thresholds,
    pack_thresholds,
    pack_weights,
    to_mem,
)


def emit_memories(stages: tuple[Stage, ...], layers: tuple[Layer, ...]) -> dict[str, str]:
    """File name -> text, for every matrix-vector and vector-vector unit."""
    products = {layer.name: layer for layer in layers if isinstance(layer, LinearLayer)}
    sums = {layer.name: layer for layer in layers if isinstance(layer, ChannelLayer)}
    images: dict[str, str] = {}
    for stage in stages:
        if isinstance(stage, Mvtu):
            product = products[stage.name]
            steps = product.thresholds.thresholds if product.thresholds else None
            images |= pack_images(stage, product.matrix, steps, product.bias)
            images |= _of_modes(stage, stage.folding.pe, product.modes)
        elif isinstance(stage, Vvau):
            layer = sums[stage.name]
            steps = layer.thresholds.thresholds if layer.thresholds else None
            images |= pack_channel_images(stage, layer.weights, steps, layer.bias)
            images |= _of_modes(stage, stage.group, layer.modes)
    return images


def _of_modes(stage: Mvtu | Vvau, pe: int, modes: LayerModes | None) -> dict[str, str]:
    """The images that hold thresholds or biases of every mode."""
    if modes is None or stage.raw:
        return {}
    width = stage.acc_width
    if modes.thresholds is not None:
        lanes = pack_mode_thresholds(
            *(modes.thresholds, modes.flips, stage.out_bits), pe=pe, tpe=stage.tpe, acc_width=width
        )
        word = width + 1 + (modes.flips is not None)
        prefix = f"{stage.name}_thresholds"
        return {lane_file(prefix, lane): to_mem(w, word) for lane, w in enumerate(lanes)}
    assert modes.biases is not None
    words = pack_mode_biases(modes.biases, pe=pe, width=width)
    return {f"{stage.name}_biases.mem": to_mem(words, pe * width)}


def pack_images(
    stage: Mvtu, matrix: Ints, thresholds: Ints | None, bias: Ints | None
) -> dict[str, str]:
    """Images of one unit. matrix (MH, MW), thresholds (MH, 2**bits - 1), bias (MH,)."""
    fold = stage.folding
    words = pack_weights(
        matrix, stage.w_planes, bipolar=stage.w_bipolar, pe=fold.pe, simd=fold.simd, wp=fold.wp
    )
    images = {f"{stage.name}_weights.mem": to_mem(words, fold.pe * fold.simd * fold.wp)}
    return images | _endings(stage, fold.pe, thresholds, bias)


def pack_channel_images(
    stage: Vvau, weights: Ints | None, thresholds: Ints | None, bias: Ints | None
) -> dict[str, str]:
    """Images of one unit. weights (positions, C), (positions, 1), or None; the others (C, ...)."""
    images = {}
    if weights is not None:
        group = stage.group if stage.w_kind == 2 else 1
        words = pack_channel_weights(weights, stage.w_bits, group)
        images[f"{stage.name}_weights.mem"] = to_mem(words, group * stage.w_bits)
    return images | _endings(stage, stage.group, thresholds, bias)


def _endings(
    stage: Mvtu | Vvau, pe: int, thresholds: Ints | None, bias: Ints | None
) -> dict[str, str]:
    """Thresholds, one image a comparator; or biases where accumulators leave the network."""
    if stage.raw:
        return {}
    if thresholds is not None:
        if stage.one_table:
            thresholds, pe = thresholds[: stage.tpe], stage.tpe
        lanes = pack_thresholds(
            thresholds, stage.out_bits, pe=pe, tpe=stage.tpe, acc_width=stage.acc_width
        )
        prefix = f"{stage.name}_thresholds"
        return {
            lane_file(prefix, lane): to_mem(words, stage.acc_width + 1)
            for lane, words in enumerate(lanes)
        }
    channels = stage.nf * pe
    added = bias if bias is not None else np.zeros(channels, np.int64)
    words = pack_biases(added, pe=pe, width=stage.acc_width)
    return {f"{stage.name}_biases.mem": to_mem(words, pe * stage.acc_width)}

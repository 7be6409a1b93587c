"""Memory images of the layers: weights, thresholds, biases, as lines for $readmemh."""

import numpy as np

from bitfold.compiler.layers import ChannelLayer, Layer, LayerModes, LinearLayer, Summing
from bitfold.cost.stages import Stage
from bitfold.cost.units import Mvtu, Vvau
from bitfold.ir import Ints
from bitfold.sim.reference import (
    lane_file,
    pack_biases,
    pack_channel_weights,
    pack_divisors,
    pack_mode_biases,
    pack_mode_thresholds,
    pack_thresholds,
    pack_weights,
    to_mem,
)

# Thresholds (MH, 2**bits - 1), or slopes and offsets of a division, (MH,) each.
Codes = Ints | tuple[Ints, Ints]


def emit_memories(stages: tuple[Stage, ...], layers: tuple[Layer, ...]) -> dict[str, str]:
    """File name -> text, for every matrix-vector and vector-vector unit."""
    products = {layer.name: layer for layer in layers if isinstance(layer, LinearLayer)}
    sums = {layer.name: layer for layer in layers if isinstance(layer, ChannelLayer)}
    images: dict[str, str] = {}
    for stage in stages:
        if isinstance(stage, Mvtu):
            product = products[stage.name]
            matrix = block_matrix(product.matrix, stage.blocks, stage.runs)
            images |= pack_images(stage, matrix, _codes(product), product.bias)
            images |= pack_mode_images(stage, product.modes)
        elif isinstance(stage, Vvau):
            layer = sums[stage.name]
            images |= pack_channel_images(stage, layer.weights, _codes(layer), layer.bias)
            images |= pack_mode_images(stage, layer.modes)
    return images


def _codes(layer: Summing) -> Codes | None:
    """Division or thresholds."""
    if layer.division is not None:
        return layer.division.slopes, layer.division.offsets
    return layer.thresholds.thresholds if layer.thresholds is not None else None


def pack_mode_images(stage: Mvtu | Vvau, modes: LayerModes | None) -> dict[str, str]:
    """The images that hold thresholds or biases of every mode."""
    if modes is None or stage.raw:
        return {}
    pe = stage.folding.pe if isinstance(stage, Mvtu) else stage.group
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


def block_matrix(matrix: Ints, blocks: int, runs: int) -> Ints:
    """Of (MH, MW), columns by run and channel, what blocks of outputs read: (MH, MW / blocks)."""
    outputs, inputs = matrix.shape
    parts = matrix.reshape(blocks, outputs // blocks, runs, blocks, inputs // (runs * blocks))
    own = np.arange(blocks)
    return np.ascontiguousarray(parts[own, :, :, own].reshape(outputs, inputs // blocks))


def pack_images(
    stage: Mvtu, matrix: Ints, codes: Codes | None, bias: Ints | None
) -> dict[str, str]:
    """Images of one unit. matrix (MH, MW / blocks), bias (MH,)."""
    fold = stage.folding
    words = pack_weights(
        matrix, stage.w_planes, bipolar=stage.w_bipolar, pe=fold.pe, simd=fold.simd, wp=fold.wp
    )
    images = {f"{stage.name}_weights.mem": to_mem(words, fold.pe * fold.simd * fold.wp)}
    return images | _endings(stage, fold.pe, codes, bias)


def pack_channel_images(
    stage: Vvau, weights: Ints | None, codes: Codes | None, bias: Ints | None
) -> dict[str, str]:
    """Images of one unit. weights (positions, C), (positions, 1), or None; bias (C,)."""
    images = {}
    if weights is not None:
        group = stage.group if stage.w_kind == 2 else 1
        words = pack_channel_weights(weights, stage.w_bits, group)
        images[f"{stage.name}_weights.mem"] = to_mem(words, group * stage.w_bits)
    return images | _endings(stage, stage.group, codes, bias)


def _endings(stage: Mvtu | Vvau, pe: int, codes: Codes | None, bias: Ints | None) -> dict[str, str]:
    """Images of a comparator or divider each; or biases where accumulators leave the network."""
    if stage.raw:
        return {}
    if codes is None:
        channels = stage.nf * pe
        added = bias if bias is not None else np.zeros(channels, np.int64)
        words = pack_biases(added, pe=pe, width=stage.acc_width)
        return {f"{stage.name}_biases.mem": to_mem(words, pe * stage.acc_width)}
    if isinstance(codes, tuple):
        lanes, width = _divisors(stage, *codes)
    else:
        lanes, width = _thresholds(stage, pe, codes)
    prefix = f"{stage.name}_thresholds"
    return {lane_file(prefix, lane): to_mem(words, width) for lane, words in enumerate(lanes)}


def _thresholds(stage: Mvtu | Vvau, pe: int, thresholds: Ints) -> tuple[list[list[int]], int]:
    """Words of each comparator, and their bits."""
    if stage.one_table:
        thresholds, pe = thresholds[: stage.tpe], stage.tpe
    width, bits = stage.acc_width, stage.out_bits
    return pack_thresholds(thresholds, bits, pe=pe, tpe=stage.tpe, acc_width=width), width + 1


def _divisors(stage: Mvtu | Vvau, slopes: Ints, offsets: Ints) -> tuple[list[list[int]], int]:
    """Words of each divider, and their bits."""
    unit = stage.divider
    assert unit is not None, stage
    if stage.one_table:
        slopes, offsets = slopes[: stage.tpe], offsets[: stage.tpe]
    sizes = {"width": unit.width, "slope_bits": unit.slope_bits}
    lanes = pack_divisors(slopes, offsets, stage.out_bits, tpe=stage.tpe, **sizes)
    return lanes, unit.width + unit.slope_bits

"""Memory images: weights, thresholds and biases in the order and layout that the RTL reads."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitfold.sim.reference.planes import Ints, extend_codes, values_to_codes


def to_mem(words: Sequence[int], width: int) -> str:
    """Text for $readmemh: a word a line, address 0 first, all digits written."""
    digits = -(-width // 4)
    assert all(0 <= w < 1 << width for w in words), "a word does not fit"
    return "".join(f"{w:0{digits}x}\n" for w in words)


def pack_weights(
    matrix: Ints, bits: int, *, bipolar: bool, pe: int, simd: int, wp: int
) -> list[int]:
    """Weights (MH, MW) of `bits` planes to words of pe * wp * simd bits.

    Word (nf*WF + wg)*SF + sf, WF = ceil(bits / wp): bit (p*wp + k)*simd + i is plane
    wg*wp + wp-1-k, numbered from the most significant one of WF * wp with sign copies on top, of
    the weight of output nf*pe + p and input sf*simd + i. Bipolar: one plane, 1 for +1.
    """
    outputs, inputs = matrix.shape
    assert outputs % pe == 0, (outputs, pe)
    assert inputs % simd == 0, (inputs, simd)
    assert not bipolar or (bits == 1 and wp == 1), (bits, wp)
    groups = -(-bits // wp)
    codes = values_to_codes(matrix, bits, bipolar=bipolar)
    wide = extend_codes(codes, bits, groups * wp, signed=not bipolar)
    words = []
    for nf in range(outputs // pe):
        for wg in range(groups):
            low = (groups - 1 - wg) * wp  # exponent of the group's least significant plane
            for sf in range(inputs // simd):
                block = wide[nf * pe : (nf + 1) * pe, sf * simd : (sf + 1) * simd]
                planes = block[:, None, :] >> (low + np.arange(wp))[None, :, None] & 1
                words.append(_from_bits(planes.reshape(-1)))
    return words


def pack_channel_weights(weights: Ints, bits: int, group: int) -> list[int]:
    """Weights (positions, C) of bf_vvau to words of group * bits bits.

    Word p * (C / group) + g: bits i * bits ... of position p, channel g * group + i, two's
    complement. With one weight a position, (positions, 1), `group` is 1.
    """
    assert weights.shape[1] % group == 0, (weights.shape, group)
    return [_word(row.tolist(), bits) for row in weights.reshape(-1, group)]


def _from_bits(bits: Ints) -> int:
    """Bit 0 first."""
    packed = np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()
    return int.from_bytes(packed, "little")


def _word(values: Sequence[int], width: int) -> int:
    """Values side by side, the first in the low bits, each modulo 2**width."""
    return sum((v & ((1 << width) - 1)) << i * width for i, v in enumerate(values))


def heap_order(bits: int) -> list[int]:
    """For node 1 .. 2**bits - 1 of the binary search, the index of its threshold; node 0: 0."""
    order = [0]
    for node in range(1, 1 << bits):
        depth = node.bit_length() - 1
        prefix = node - (1 << depth)
        order.append((2 * prefix + 1 << bits - 1 - depth) - 1)
    return order


def pack_thresholds(
    thresholds: Ints, bits: int, *, pe: int, tpe: int, acc_width: int
) -> list[list[int]]:
    """Thresholds (MH, 2**bits - 1), ascending, to words of acc_width + 1 bits for each lane of tpe.

    Word (nf*R + r)*2**bits + node of lane l, R = pe / tpe: the threshold at `node` of output
    nf*pe + r*tpe + l. Thresholds beyond all accumulators are moved to the nearest that is, which
    changes nothing: at most 2**(acc_width-1), which no accumulator reaches.
    """
    outputs = len(thresholds)
    assert thresholds.shape == (outputs, (1 << bits) - 1), thresholds.shape
    assert outputs % pe == 0, (outputs, pe)
    assert pe % tpe == 0, (pe, tpe)
    assert (np.diff(thresholds, axis=1) >= 0).all(), "thresholds must ascend"
    limit = 1 << (acc_width - 1)
    mask = (2 << acc_width) - 1
    ordered = np.clip(thresholds, -limit, limit)[:, heap_order(bits)] & mask
    return [ordered[lane::tpe].reshape(-1).tolist() for lane in range(tpe)]


def pack_divisors(
    slopes: Ints, offsets: Ints, bits: int, *, width: int, slope_bits: int, tpe: int
) -> list[list[int]]:
    """Slopes and offsets (MH,) of bf_divide to words of slope_bits + width bits for each lane.

    Word g of lane l is {slope, first} of output g*tpe + l; first = -(offset + slope *
    2**(bits-1)), two's complement: what the first trial adds to a shifted accumulator.
    """
    assert len(slopes) % tpe == 0, (len(slopes), tpe)
    assert (slopes >= 0).all(), "slopes do not fall"
    assert (slopes < 1 << slope_bits).all(), "a slope does not fit"
    first = -(offsets + (slopes << bits - 1))
    words = [_word([int(f), int(s)], width) for f, s in zip(first, slopes, strict=True)]
    return [words[lane::tpe] for lane in range(tpe)]


def pack_mode_thresholds(
    thresholds: Sequence[Ints],
    flips: Sequence[NDArray[np.bool_]] | None,
    bits: int,
    *,
    pe: int,
    tpe: int,
    acc_width: int,
) -> list[list[int]]:
    """`pack_thresholds` of several modes: word {fold, round, mode, node}.

    flips: for each mode, channels (MH,) whose code is inverted: the bit above a threshold's.
    Behind the last mode the places up to a power of two are empty, but for those at the very end.
    """
    places = 1 << (len(thresholds) - 1).bit_length()
    lanes: list[list[int]] = []
    for lane in range(tpe):
        parts = []
        for mode, table in enumerate(thresholds):
            packed = pack_thresholds(table, bits, pe=pe, tpe=tpe, acc_width=acc_width)[lane]
            words = np.array(packed, dtype=object).reshape(-1, 1 << bits)
            if flips is not None:
                words = words + (flips[mode][lane::tpe, None].astype(object) << acc_width + 1)
            parts.append(words)
        parts += [np.zeros_like(parts[0])] * (places - len(parts))
        empty = places - len(thresholds) << bits
        every = np.stack(parts, axis=1).reshape(-1).tolist()
        lanes.append(every[: len(every) - empty])
    return lanes


def pack_mode_biases(biases: Sequence[Ints], *, pe: int, width: int) -> list[int]:
    """`pack_biases` of several modes: word {fold, mode}, as `pack_mode_thresholds`."""
    packed = [pack_biases(bias, pe=pe, width=width) for bias in biases]
    empty = (1 << (len(biases) - 1).bit_length()) - len(biases)
    words = [word for fold in zip(*packed, strict=True) for word in (*fold, *[0] * empty)]
    return words[: len(words) - empty]


def lane_file(prefix: str, lane: int) -> str:
    """Name of a lane's threshold image, as bf_threshold spells it."""
    return f"{prefix}{lane:03d}.mem"


def pack_biases(bias: Ints, *, pe: int, width: int) -> list[int]:
    """Biases (MH,) to words of pe * width bits, one a fold; output nf*pe + p at bit p*width."""
    assert len(bias) % pe == 0, (len(bias), pe)
    return [_word([int(v) for v in bias[i : i + pe]], width) for i in range(0, len(bias), pe)]

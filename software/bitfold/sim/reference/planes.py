"""Integers as bit-planes, and plane streams as the hardware moves them.

A *code* is a value's bits as an unsigned integer: two's complement of `bits` bits when signed, the
value itself when not, 0 for -1 and 1 for +1 when bipolar. Planes are numbered from the most
significant.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def values_to_codes(values: Ints, bits: int, *, bipolar: bool = False) -> Ints:
    """Any shape. Requires values in range."""
    return (values + 1) // 2 if bipolar else values & ((1 << bits) - 1)


def codes_to_values(codes: Ints, bits: int, *, signed: bool = False, bipolar: bool = False) -> Ints:
    """The inverse of `values_to_codes`."""
    if bipolar:
        return 2 * codes - 1
    return np.where(codes >> (bits - 1), codes - (1 << bits), codes) if signed else codes


def to_plane_beats(codes: Ints, bits: int, group: int) -> list[int]:
    """Codes (C,) to beats of `group` channels: by group, planes most significant first.

    Channel g*group + i is bit i of the beats of group g. `group` must divide C.
    """
    assert len(codes) % group == 0, (len(codes), group)
    beats = []
    for start in range(0, len(codes), group):
        part = [int(c) for c in codes[start : start + group]]
        for plane in range(bits - 1, -1, -1):
            beats.append(sum((c >> plane & 1) << i for i, c in enumerate(part)))
    return beats


def from_plane_beats(beats: list[int], bits: int, group: int) -> Ints:
    """The inverse: codes (C,), C = len(beats) / bits * group."""
    assert len(beats) % bits == 0, (len(beats), bits)
    codes = []
    for start in range(0, len(beats), bits):
        planes = beats[start : start + bits]
        codes += [
            sum((beat >> i & 1) << (bits - 1 - j) for j, beat in enumerate(planes))
            for i in range(group)
        ]
    return np.array(codes, dtype=np.int64)


def extend_codes(codes: Ints, bits: int, wanted: int, *, signed: bool) -> Ints:
    """Codes of `bits` bits as codes of `wanted` bits: zeros or sign copies on top."""
    return codes_to_values(codes, bits, signed=signed) & ((1 << wanted) - 1)


def vecbuf_words(codes: Ints, bits: int, simd: int, ap: int, *, signed: bool) -> list[list[int]]:
    """What bf_vecbuf reads of a vector of codes (MW,): words[ag][sf].

    Bit k*simd + i of a word is plane ag*ap + ap-1-k of value sf*simd + i, planes numbered among
    the ceil(bits / ap) * ap of the extended codes.
    """
    groups = -(-bits // ap)
    wide = extend_codes(codes, bits, groups * ap, signed=signed)
    words = []
    for ag in range(groups):
        low = (groups - 1 - ag) * ap  # exponent of the group's least significant plane
        words.append(
            [
                sum(
                    (int(c) >> (low + k) & 1) << (k * simd + i)
                    for i, c in enumerate(wide[start : start + simd])
                    for k in range(ap)
                )
                for start in range(0, len(codes), simd)
            ]
        )
    return words

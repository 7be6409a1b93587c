import pytest

from bitfold.cost import Folding, LayerShape, bitops, layer_cycles, reference_folding, size_bits
from bitfold.errors import ConfigError


def test_hand_computed_layer():
    # 3x3 convolution, 16 -> 32 channels, 8x8 positions.
    shape = LayerShape(name="c", outputs=32, inputs=144, pixels=64, channels=16)
    assert shape.macs == 294_912
    assert shape.weights == 4608
    assert bitops(shape.macs, 3, 2) == 1_769_472
    assert size_bits(shape.weights, 3) == 13_824


def test_a_saved_bit_is_a_saved_cycle():
    shape = LayerShape(name="c", outputs=32, inputs=144, pixels=64, channels=16)
    folding = Folding(pe=8, simd=16)
    assert layer_cycles(shape, folding, 4, 4) == 64 * 4 * 9 * 16
    assert layer_cycles(shape, folding, 3, 4) * 4 == layer_cycles(shape, folding, 4, 4) * 3


def test_cycles_times_lanes_is_bitops_when_folds_divide():
    shape = LayerShape(name="c", outputs=32, inputs=144, pixels=64, channels=16)
    folding = Folding(pe=4, simd=48, wp=2, ap=1)
    assert layer_cycles(shape, folding, 4, 3) * folding.lanes == bitops(shape.macs, 4, 3)


def test_reference_folding_divides():
    shape = LayerShape(name="c", outputs=10, inputs=18, pixels=1, channels=2)
    assert reference_folding(shape) == Folding(pe=5, simd=9)


def test_folding_below_one_is_refused():
    with pytest.raises(ConfigError, match="folding simd must be at least 1, got 0"):
        Folding(pe=1, simd=0)

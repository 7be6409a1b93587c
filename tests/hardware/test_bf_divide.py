import pytest
from divide_cases import SHAPES, lines_of, sizes_of
from harness import bench
from mvtu_layer import write_lanes

from bitfold.sim.reference import pack_divisors, to_mem

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_codes_equal_golden(shape: tuple[int, ...]) -> None:
    pe, tpe, folds, acc_width, bits, signed, shift, one, half = shape
    case = {"Pe": pe, "Folds": folds, "AccWidth": acc_width, "OutBits": bits, "Shift": shift}
    slopes, offsets = lines_of({**case, "OneTable": one})
    width, slope_bits = sizes_of({**case, "OneTable": one, "Half": half})
    if one:
        slopes, offsets = slopes[:tpe], offsets[:tpe]
    lanes = pack_divisors(slopes, offsets, bits, width=width, slope_bits=slope_bits, tpe=tpe)
    assert all(len(words) == (1 if one else folds * pe // tpe) for words in lanes)
    bench(
        "bf_divide",
        **case,
        Tpe=tpe,
        OutSigned=f"1'b{signed}",
        Width=width,
        SlopeWidth=slope_bits,
        OneTable=f"1'b{one}",
        Half=f"1'b{half}",
        File=write_lanes([to_mem(words, width + slope_bits) for words in lanes]),
    )

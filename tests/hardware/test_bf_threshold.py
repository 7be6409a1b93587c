import pytest
from harness import bench
from mvtu_layer import write_lanes
from threshold_cases import ONE_TABLE, SHAPES, thresholds_of

from bitfold.sim.reference import pack_thresholds, to_mem

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("shape", ONE_TABLE, ids=str)
def test_one_table_serves_all_channels(shape: tuple[int, ...]) -> None:
    pe, tpe, folds, acc_width, bits, signed = shape
    sizes = {"Pe": pe, "Folds": folds, "AccWidth": acc_width, "OutBits": bits}
    one = thresholds_of({**sizes, "OneTable": 1})[:tpe]
    lanes = pack_thresholds(one, bits, pe=tpe, tpe=tpe, acc_width=acc_width)
    assert all(len(words) == 1 << bits for words in lanes)
    bench(
        "bf_threshold",
        **sizes,
        Tpe=tpe,
        OutSigned=f"1'b{signed}",
        OneTable="1'b1",
        File=write_lanes([to_mem(words, acc_width + 1) for words in lanes]),
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_codes_equal_golden(shape: tuple[int, ...]) -> None:
    pe, tpe, folds, acc_width, bits, signed = shape
    sizes = {"Pe": pe, "Folds": folds, "AccWidth": acc_width, "OutBits": bits}
    lanes = pack_thresholds(thresholds_of(sizes), bits, pe=pe, tpe=tpe, acc_width=acc_width)
    bench(
        "bf_threshold",
        **sizes,
        Tpe=tpe,
        OutSigned=f"1'b{signed}",
        File=write_lanes([to_mem(words, acc_width + 1) for words in lanes]),
    )

import pytest
from harness import bench

from bitfold.sim.reference import pack_steps, step_table

pytestmark = pytest.mark.rtl


# folds, words, banks, planes, w_planes, ap, wp, idle cycles of a fold, blocks, runs
SHAPES = [
    (1, 1, 1, 1, 1, 1, 1, 0, 1, 1),
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    (3, 4, 1, 3, 2, 1, 1, 0, 1, 1),
    (2, 3, 3, 4, 4, 2, 3, 5, 1, 1),
    (1, 2, 2, 5, 3, 2, 1, 1, 1, 1),
    (6, 24, 2, 3, 2, 2, 1, 0, 3, 4),
    (4, 4, 1, 1, 2, 1, 1, 3, 4, 1),
    (2, 18, 1, 2, 1, 1, 1, 2, 2, 9),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_issues_equal_golden(shape: tuple[int, ...]) -> None:
    folds, words, banks, planes, w_planes, ap, wp, idle, blocks, runs = shape
    steps = step_table(planes, w_planes, ap, wp, act_signed=True, weight_signed=True)
    bench(
        "bf_mvu_seq",
        Folds=folds,
        Words=words,
        Banks=banks,
        Blocks=blocks,
        Runs=runs,
        ActGroups=-(-planes // ap),
        WGroups=-(-w_planes // wp),
        FoldCycles=len(steps) * words // blocks * banks + idle,
        ShiftWidth=max(s.shift for s in steps).bit_length() or 1,
        Steps=f"{32 * len(steps)}'h{pack_steps(steps):x}",
    )

"""Random networks: integers and cycles are the model's. `scripts/fuzz` runs many more."""

from pathlib import Path

import pytest

from random_graphs import prove

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_integers_and_cycles(seed: int, tmp_path: Path, verilator_cache: Path) -> None:
    proof, stages = prove(seed, tmp_path, verilator_cache)
    assert proof.outputs > 0
    assert stages > 2

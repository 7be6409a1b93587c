import pytest
from harness import bench

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("outputs", [1, 10, 16])
def test_gives_the_integers_as_bytes(outputs: int) -> None:
    bench("bf_result_memory", Outputs=outputs)

"""Networks made by others, where their folder lies beside the checkout."""

from pathlib import Path

import pytest

ZOO = Path(__file__).parents[2] / "shared" / "qonnx"
needs_zoo = pytest.mark.skipif(not ZOO.is_dir(), reason="no folder ../shared/qonnx")

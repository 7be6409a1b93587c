"""Networks made by others, where their folder lies beside the checkout.

They are not ours to put into the repository, so a clone, CI's too, skips them. What they are made
of is built and tested without them: `qonnx_nets`, Brevitas' networks in the compiler's tests.
"""

from pathlib import Path

import pytest

ZOO = Path(__file__).parents[2] / "shared" / "qonnx"
needs_zoo = pytest.mark.skipif(not ZOO.is_dir(), reason="no folder ../shared/qonnx")

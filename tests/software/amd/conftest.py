import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Beside what the tests of this folder share, the layers and references of the RTL's benches.
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "hardware")]

"""What FINN is asked for, checked before it is asked: its boards by name, rates, clocks.

Names are those of finn-plus 1.6.1; upstream FINN, as far as it was read, has the same.
"""

from difflib import get_close_matches

from bitfold.compiler.plan import check_rate
from bitfold.errors import ConfigError

# With a Zynq: FINN makes their bitstreams with its shell vivado_zynq.
ZYNQ = (
    *("Ultra96", "Ultra96-V2", "Pynq-Z1", "Pynq-Z2", "ZCU102", "ZCU104", "ZCU111"),
    *("RFSoC2x2", "RFSoC4x2", "KV260_SOM", "AUP-ZU3_8GB"),
)
ALL = (*ZYNQ, "U50", "U200", "U250", "U280", "U55C", "VEK280", "VCK190", "V80")


def check_asked(board: str, boards: tuple[str, ...], fps: float, clock_mhz: float) -> None:
    """Raises: ConfigError for a board that is not of `boards`, a rate or clock that is none."""
    check_rate("fps", fps)
    check_rate("clock_mhz", clock_mhz)
    if board in boards:
        return
    spelled = {each.lower().replace("_", "-"): each for each in boards}
    near = get_close_matches(board.lower().replace("_", "-"), spelled, 1)
    hint = f"did you mean {spelled[near[0]]!r}" if near else f"boards: {', '.join(boards)}"
    raise ConfigError(f"board {board!r} is none of those that FINN builds for; {hint}")

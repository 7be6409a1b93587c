"""[hardware] of the run file."""

from typing import Literal

from pydantic import Field

from bitfold.runfile.section import Section


class Hardware(Section):
    """[hardware]: what the design is for."""

    target: Literal["ecp5", "xc7", "xcup", "ice40"] = Field(
        default="ecp5", description="FPGA family that LUT costs are of"
    )
    clock_mhz: float = Field(default=50, gt=0, description="clock of the design, MHz")
    fps: float | None = Field(default=None, gt=0, description="frames per second to fold for")
    luts: int | None = Field(default=None, gt=0, description="LUTs to fold within")
    board: str = Field(default="ulx3s", description="board whose bitstream is made")

"""AMD's cells of the block design: their buses, pins and properties, after the product guides.

processing_system7: PG082; zynq_ultra_ps_e: PG201; axi_dma: PG021; smartconnect: PG247;
proc_sys_reset: PG164. Only what is switched on here is listed.
"""

from dataclasses import dataclass
from typing import final

from bitfold.amd.vivado_block import Bus, Cell, Pin
from bitfold.amd.vivado_board import VivadoBoard
from bitfold.amd.vivado_top import LENGTH_BITS

_RESULT_BYTES = 4


@final
@dataclass(frozen=True, kw_only=True)
class Processor:
    """A processor's cell, and what its buses and pins are called.

    first: address where the cells of the fabric may begin. others: segments beside the DDR memory
    that the port into memory shows.
    """

    cell: Cell
    control: str
    memory: str
    control_clock: str
    memory_clock: str
    clock: str
    reset: str
    interrupt: str
    first: int
    others: tuple[str, ...] = ()


def processor(board: VivadoBoard, clock_mhz: float) -> Processor:
    """The cell "ps" of a board, with a clock for the fabric, a port to it and one from it."""
    return _ps7(board, clock_mhz) if board.system == "ps7" else _ps8(board, clock_mhz)


def _ps7(board: VivadoBoard, clock_mhz: float) -> Processor:
    window = (0x4000_0000, 0x4000_0000)
    ddr, fixed = "xilinx.com:interface:ddrx_rtl:1.0", "xilinx.com:display_processing_system7:"
    cell = Cell(
        name="ps",
        vlnv="xilinx.com:ip:processing_system7",
        buses=(
            Bus(name="DDR", kind="board", master=True, port=ddr),
            Bus(name="FIXED_IO", kind="board", master=True, port=f"{fixed}fixedio_rtl:1.0"),
            # Over-current and index of the USB port: no use in the fabric.
            Bus(name="USBIND_0", kind="board", master=True, needed=False),
            _master("M_AXI_GP0", 4, "M_AXI_GP0_ACLK", "Data", window),
            _slave("S_AXI_HP0", 8, "S_AXI_HP0_ACLK", "S_AXI_HP0/HP0_DDR_LOWOCM"),
        ),
        pins=(
            Pin(name="FCLK_CLK0", output=True, kind="clock"),
            Pin(name="FCLK_RESET0_N", output=True, kind="reset", low=True),
            Pin(name="M_AXI_GP0_ACLK", kind="clock"),
            Pin(name="S_AXI_HP0_ACLK", kind="clock"),
            Pin(name="IRQ_F2P", kind="interrupt", width=2),
        ),
        properties={
            **board.processor,
            "PCW_USE_M_AXI_GP0": "1",
            "PCW_USE_M_AXI_GP1": "0",
            "PCW_USE_S_AXI_HP0": "1",
            "PCW_S_AXI_HP0_DATA_WIDTH": "64",
            "PCW_USE_FABRIC_INTERRUPT": "1",
            "PCW_IRQ_F2P_INTR": "1",
            "PCW_EN_CLK0_PORT": "1",
            "PCW_EN_RST0_PORT": "1",
            "PCW_FPGA_FCLK0_ENABLE": "1",
            "PCW_FPGA0_PERIPHERAL_FREQMHZ": f"{clock_mhz:g}",
        },
    )
    return Processor(
        cell=cell,
        control="M_AXI_GP0",
        memory="S_AXI_HP0",
        control_clock="M_AXI_GP0_ACLK",
        memory_clock="S_AXI_HP0_ACLK",
        clock="FCLK_CLK0",
        reset="FCLK_RESET0_N",
        interrupt="IRQ_F2P",
        first=window[0],
    )


def _ps8(board: VivadoBoard, clock_mhz: float) -> Processor:
    window = (0xA000_0000, 0x1000_0000)
    cell = Cell(
        name="ps",
        vlnv="xilinx.com:ip:zynq_ultra_ps_e",
        automation="xilinx.com:bd_rule:zynq_ultra_ps_e" if board.board_files else "",
        buses=(
            _master("M_AXI_HPM0_FPD", 4, "maxihpm0_fpd_aclk", "Data", window),
            _slave("S_AXI_HP0_FPD", 8, "saxihp0_fpd_aclk", "SAXIGP2/HP0_DDR_LOW"),
        ),
        pins=(
            Pin(name="pl_clk0", output=True, kind="clock"),
            Pin(name="pl_resetn0", output=True, kind="reset", low=True),
            Pin(name="maxihpm0_fpd_aclk", kind="clock"),
            Pin(name="saxihp0_fpd_aclk", kind="clock"),
            Pin(name="pl_ps_irq0", kind="interrupt", width=2),
        ),
        properties={
            **board.processor,
            "PSU__USE__M_AXI_GP0": "1",
            "PSU__USE__M_AXI_GP1": "0",
            "PSU__USE__M_AXI_GP2": "0",
            "PSU__MAXIGP0__DATA_WIDTH": "32",
            "PSU__USE__S_AXI_GP2": "1",
            "PSU__SAXIGP2__DATA_WIDTH": "64",
            "PSU__USE__IRQ0": "1",
            "PSU__FPGA_PL0_ENABLE": "1",
            "PSU__NUM_FABRIC_RESETS": "1",
            "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": f"{clock_mhz:g}",
        },
    )
    return Processor(
        cell=cell,
        control="M_AXI_HPM0_FPD",
        memory="S_AXI_HP0_FPD",
        control_clock="maxihpm0_fpd_aclk",
        memory_clock="saxihp0_fpd_aclk",
        clock="pl_clk0",
        reset="pl_resetn0",
        interrupt="pl_ps_irq0",
        first=window[0],
        others=tuple(f"SAXIGP2/HP0_{name}" for name in ("DDR_HIGH", "LPS_OCM", "QSPI")),
    )


def dma_cell(stream_bytes: int, memory_mb: int) -> Cell:
    """axi_dma in simple mode, no scatter-gather: a channel each way.

    stream_bytes: of the stream to the accelerator, a power of two to 128. Without realignment a
    buffer begins at a multiple of the memory bus, as whole pages do.
    """
    wide = max(stream_bytes, 4)
    reach = (0, memory_mb << 20)
    return Cell(
        name="dma",
        vlnv="xilinx.com:ip:axi_dma",
        buses=(
            _slave("S_AXI_LITE", 4, "s_axi_lite_aclk", "S_AXI_LITE/Reg"),
            _master("M_AXI_MM2S", wide, "m_axi_mm2s_aclk", "Data_MM2S", reach),
            _master("M_AXI_S2MM", _RESULT_BYTES, "m_axi_s2mm_aclk", "Data_S2MM", reach),
            _stream("M_AXIS_MM2S", stream_bytes, "m_axi_mm2s_aclk", master=True),
            _stream("S_AXIS_S2MM", _RESULT_BYTES, "m_axi_s2mm_aclk", master=False),
        ),
        pins=(
            Pin(name="s_axi_lite_aclk", kind="clock"),
            Pin(name="m_axi_mm2s_aclk", kind="clock"),
            Pin(name="m_axi_s2mm_aclk", kind="clock"),
            Pin(name="axi_resetn", kind="reset", low=True),
            Pin(name="mm2s_introut", output=True, kind="interrupt"),
            Pin(name="s2mm_introut", output=True, kind="interrupt"),
            # Resets of what else runs with a channel: the accelerator has its own.
            _unused_reset("mm2s_prmry_reset_out_n", low=True),
            _unused_reset("s2mm_prmry_reset_out_n", low=True),
            Pin(name="axi_dma_tstvec", output=True, width=32, needed=False),
        ),
        properties={
            "c_include_sg": "0",
            "c_sg_include_stscntrl_strm": "0",
            "c_micro_dma": "0",
            "c_sg_length_width": str(LENGTH_BITS),
            "c_addr_width": "32",
            "c_include_mm2s": "1",
            "c_include_mm2s_dre": "0",
            "c_mm2s_burst_size": "16",
            "c_m_axi_mm2s_data_width": str(8 * wide),
            "c_m_axis_mm2s_tdata_width": str(8 * stream_bytes),
            "c_include_s2mm": "1",
            "c_include_s2mm_dre": "0",
            "c_s2mm_burst_size": "16",
            "c_m_axi_s2mm_data_width": str(8 * _RESULT_BYTES),
        },
    )


def connect_cell(name: str, slaves: int, masters: int) -> Cell:
    """SmartConnect: converts width and protocol between all its buses."""
    return Cell(
        name=name,
        vlnv="xilinx.com:ip:smartconnect",
        bridge=True,
        buses=tuple(
            Bus(name=f"{side}{i:02d}_AXI", kind="memory", master=side == "M", clock="aclk")
            for side, count in (("S", slaves), ("M", masters))
            for i in range(count)
        ),
        pins=(Pin(name="aclk", kind="clock"), Pin(name="aresetn", kind="reset", low=True)),
        properties={"NUM_SI": str(slaves), "NUM_MI": str(masters), "NUM_CLKS": "1"},
    )


def reset_cell() -> Cell:
    """proc_sys_reset: the processor's reset, in step with the clock."""
    return Cell(
        name="reset",
        vlnv="xilinx.com:ip:proc_sys_reset",
        pins=(
            Pin(name="slowest_sync_clk", kind="clock"),
            Pin(name="ext_reset_in", kind="reset", low=True),
            # Unconnected they are inactive: PG164, table of ports.
            Pin(name="aux_reset_in", kind="reset", low=True, needed=False),
            Pin(name="mb_debug_sys_rst", kind="reset", needed=False),
            Pin(name="dcm_locked", needed=False),
            Pin(name="interconnect_aresetn", output=True, kind="reset", low=True),
            Pin(name="peripheral_aresetn", output=True, kind="reset", low=True),
            _unused_reset("mb_reset"),
            _unused_reset("bus_struct_reset"),
            _unused_reset("peripheral_reset"),
        ),
    )


def concat_cell(inputs: int) -> Cell:
    """xlconcat: interrupts side by side, the first lowest."""
    return Cell(
        name="interrupts",
        vlnv="xilinx.com:ip:xlconcat",
        otherwise="xilinx.com:inline_hdl:ilconcat",
        pins=(
            *(Pin(name=f"In{i}", kind="interrupt") for i in range(inputs)),
            Pin(name="dout", output=True, width=inputs, kind="interrupt"),
        ),
        properties={"NUM_PORTS": str(inputs)},
    )


def _unused_reset(name: str, low: bool = False) -> Pin:
    return Pin(name=name, output=True, kind="reset", low=low, needed=False)


def _master(name: str, width: int, clock: str, space: str, reach: tuple[int, int]) -> Bus:
    return Bus(
        name=name, kind="memory", master=True, bytes=width, clock=clock, space=space, reach=reach
    )


def _slave(name: str, width: int, clock: str, segment: str) -> Bus:
    return Bus(name=name, kind="memory", master=False, bytes=width, clock=clock, segment=segment)


def _stream(name: str, width: int, clock: str, *, master: bool) -> Bus:
    return Bus(name=name, kind="stream", master=master, bytes=width, clock=clock)

from collections.abc import Callable
from dataclasses import replace

import pytest

from bitfold.amd.vivado_block import BlockDesign, Bus, Cell, Pin, Segment
from bitfold.amd.vivado_board import load_vivado_board
from bitfold.amd.vivado_check import complaints
from bitfold.amd.vivado_ports import RtlPort, has_parameter, module_ports
from bitfold.amd.vivado_source import image_complaints, packaged_source
from bitfold.amd.vivado_system import block_design, core_cell
from bitfold.compiler.design import Design
from bitfold.errors import ArtefactError

BOARDS = ("pynq-z1", "pynq-z2", "kv260")


def made(design: Design, board: str = "pynq-z1") -> BlockDesign:
    where = load_vivado_board(board)
    return block_design(where, packaged_source(design, where.target), 100.0)[0]


@pytest.mark.parametrize("board", BOARDS)
def test_every_boards_design_is_complete(images: Design, modal: Design, board: str) -> None:
    assert complaints(made(images, board)) == ()
    assert complaints(made(modal, board)) == ()


def test_addresses_of_both_families(modal: Design) -> None:
    for board, first in (("pynq-z2", 0x4000_0000), ("kv260", 0xA000_0000)):
        where = load_vivado_board(board)
        block, at = block_design(where, packaged_source(modal, where.target), 100.0)
        assert (at.control, at.modes, at.dma) == (first, first + 0x1000, first + 0x1_0000)
        memory = {s.segment for s in block.segments if s.space.startswith("dma/")}
        assert memory == {
            "ps/S_AXI_HP0/HP0_DDR_LOWOCM" if board == "pynq-z2" else "ps/SAXIGP2/HP0_DDR_LOW"
        }


Change = Callable[[BlockDesign], BlockDesign]


def without_link(first: str) -> Change:
    return lambda b: replace(b, links=tuple(link for link in b.links if link[0] != first))


def without_pin(pin: str) -> Change:
    return lambda b: replace(b, nets=tuple(tuple(n for n in net if n != pin) for net in b.nets))


def with_net(*names: str) -> Change:
    return lambda b: replace(b, nets=(*b.nets, names))


def moved(segment: str, offset: int, size: int | None = None) -> Change:
    def change(block: BlockDesign) -> BlockDesign:
        return replace(
            block,
            segments=tuple(
                replace(s, offset=offset, size=size or s.size) if s.segment == segment else s
                for s in block.segments
            ),
        )

    return change


def without_segment(segment: str, space: str = "") -> Change:
    return lambda b: replace(
        b,
        segments=tuple(
            s for s in b.segments if s.segment != segment or (space and s.space != space)
        ),
    )


def with_bus(cell: str, bus: str, **values: object) -> Change:
    return with_cell(
        cell,
        lambda c: replace(
            c, buses=tuple(replace(b, **values) if b.name == bus else b for b in c.buses)
        ),
    )


def with_pin(cell: str, pin: str, **values: object) -> Change:
    return with_cell(
        cell,
        lambda c: replace(
            c, pins=tuple(replace(p, **values) if p.name == pin else p for p in c.pins)
        ),
    )


def with_cell(name: str, change: Callable[[Cell], Cell]) -> Change:
    return lambda b: replace(b, cells=tuple(change(c) if c.name == name else c for c in b.cells))


BROKEN: list[tuple[Change, str]] = [
    (without_link("core/m_axis"), "bus 'core/m_axis' is connected to nothing"),
    (without_link("control/M00_AXI"), "bus 'dma/S_AXI_LITE' is connected to nothing"),
    (lambda b: replace(b, outer=("ps/DDR",)), "bus 'ps/FIXED_IO' is connected to nothing"),
    (lambda b: replace(b, links=(*b.links, ("core/m_axis", "dma/S_AXIS_S2MM"))),
     "bus 'core/m_axis' is connected 2 times"),
    (lambda b: replace(b, links=(*b.links, ("core/m_axis", "dma/S_AXIS"))),
     "no cell has the bus 'dma/S_AXIS'"),
    (with_net("ps/FCLK_CLK9", "core/aclk"), "no cell has the pin 'ps/FCLK_CLK9'"),
    (with_bus("core", "s_axis", bytes=8), "32 bits and 64"),
    (with_bus("core", "m_axis", last=False), "has no TLAST"),
    (with_bus("core", "s_axil", kind="stream"), "memory and stream"),
    (with_bus("core", "s_axis", master=True), "a master must come first"),
    (without_pin("core/aclk"), "clock pin 'core/aclk' is driven by nothing"),
    (without_pin("core/aclk"), "an end has no clock"),
    (without_pin("dma/axi_resetn"), "reset pin 'dma/axi_resetn' is driven by nothing"),
    (without_pin("interrupts/In1"), "net of 'dma/s2mm_introut' leads nowhere"),
    (with_net("ps/FCLK_RESET0_N", "core/aresetn"), "pin 'core/aresetn' is in 2 nets"),
    (with_net("core/aclk", "reset/dcm_locked"), "its first pin must be an output"),
    (with_pin("ps", "IRQ_F2P", width=16), "2 bits, 'ps/IRQ_F2P' has 16"),
    (with_pin("core", "aresetn", low=False), "'core/aresetn' is reset by the other level"),
    (with_pin("core", "aresetn", kind="data"), "a reset, 'core/aresetn' is a data"),
    (without_segment("core/s_axil/reg0"), "segment 'core/s_axil/reg0' has no address in 'ps/Data'"),
    (without_segment("ps/S_AXI_HP0/HP0_DDR_LOWOCM", "dma/Data_S2MM"),
     "has no address in 'dma/Data_S2MM'"),
    (moved("core/s_axil/reg0", 0x4000_0800), "is no multiple of its size"),
    (moved("core/s_axil/reg0", 0x4000_0000, 0x800), "is no power of two of pages"),
    (moved("core/s_axil/reg0", 0x4001_0000), "overlap in 'ps/Data'"),
    (moved("dma/S_AXI_LITE/Reg", 0x8000_0000), "lies outside what 'ps/Data' reaches"),
    (lambda b: replace(b, segments=(*b.segments, Segment(
        space="ps/Data", segment="ps/S_AXI_HP0/HP0_DDR_LOWOCM", offset=0x6000_0000, size=4096))),
     "which does not reach it"),
    (lambda b: replace(b, segments=(*b.segments, b.segments[0])), "has 2 addresses"),
    (lambda b: replace(b, cells=(*b.cells, b.cells[0])), "two cells are called 'ps'"),
    (with_cell("dma", lambda c: replace(
        c, properties={**c.properties, "c_m_axis_mm2s_tdata_width": "8"})),
     "c_m_axis_mm2s_tdata_width is 8, its bus has 32"),
    (with_bus("dma", "M_AXI_MM2S", bytes=2), "narrower than its stream, or than 32 bits"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_what_is_missing_is_named(images: Design, change: Change, words: str) -> None:
    found = complaints(change(made(images)))
    assert any(words in each for each in found), found


def test_two_clocks_on_one_link_are_found(images: Design) -> None:
    block = without_pin("core/aclk")(made(images))
    other = Pin(name="FCLK_CLK1", output=True, kind="clock")
    block = with_cell("ps", lambda c: replace(c, pins=(*c.pins, other)))(block)
    found = complaints(with_net("ps/FCLK_CLK1", "core/aclk")(block))
    assert any("clocks 'ps/FCLK_CLK0' and 'ps/FCLK_CLK1'" in each for each in found)
    assert all("clock" in each for each in found)


def test_a_stream_that_no_dma_has_is_found(images: Design) -> None:
    block = with_bus("core", "s_axis", bytes=3)(made(images))
    found = complaints(with_bus("dma", "M_AXIS_MM2S", bytes=3)(block))
    assert any("dma/M_AXIS_MM2S: 24 bits, not 8, 16" in each for each in found)


def test_ports_are_read_from_the_text() -> None:
    text = """
    module other (input wire a);
    endmodule
    module m #(parameter int unsigned Style = 0  // cells
    ) (
      (* X_INTERFACE_INFO = "a, b (c)" *)
      input  wire clk_i,   // a comment, with a comma
      output logic [11:0] y,
      input  logic [0:0] one
    );
    """
    assert module_ports(text, "m") == (
        RtlPort(name="clk_i", output=False, width=1),
        RtlPort(name="y", output=True, width=12),
        RtlPort(name="one", output=False, width=1),
    )
    assert has_parameter(text, "m", "Style")
    assert not has_parameter(text, "m", "Other")
    assert not has_parameter(text, "other", "Style")
    with pytest.raises(ArtefactError, match="module n: no port list"):
        module_ports(text, "n")
    with pytest.raises(ArtefactError, match=r"'output logic \[W-1:0\] y' is not of a width"):
        module_ports("module m (output logic [W-1:0] y);", "m")


def test_a_port_outside_every_bus_is_refused() -> None:
    stray = RtlPort(name="led", output=True, width=1)
    with pytest.raises(ArtefactError, match="port 'led' belongs to no bus"):
        core_cell((stray,))
    lonely = RtlPort(name="s_axis_tdata", output=False, width=32)
    with pytest.raises(ArtefactError, match="'s_axis' lacks tlast, tready, tvalid"):
        core_cell((lonely,))


def test_the_core_has_the_buses_of_its_ports(modal: Design) -> None:
    core = next(cell for cell in made(modal).cells if cell.name == "core")
    assert [(b.name, b.kind, b.master, b.bytes) for b in core.buses] == [
        ("s_axis", "stream", False, 4),
        ("m_axis", "stream", True, 4),
        ("s_axil", "memory", False, 4),
        ("s_axil_modes", "memory", False, 4),
    ]
    assert all(isinstance(bus, Bus) and bus.clock == "aclk" for bus in core.buses)


def test_images_that_nobody_reads_or_has_are_named(images: Design) -> None:
    source = packaged_source(images, "xc7")
    assert image_complaints(source) == ()
    lane = next(name for name in source.data if "_thresholds" in name)
    prefix = lane[: lane.index("_thresholds") + len("_thresholds")]
    lanes = [name for name in source.data if name.startswith(prefix)]
    less = replace(source, data={k: v for k, v in source.data.items() if k not in lanes})
    assert image_complaints(less) == (f"image {prefix!r} is named by the RTL and not there",)
    weights = next(name for name in source.data if name.endswith("_weights.mem"))
    less = replace(source, data={k: v for k, v in source.data.items() if k != weights})
    assert image_complaints(less) == (f"image {weights!r} is named by the RTL and not there",)
    more = replace(source, data={**source.data, "other.mem": b""})
    assert image_complaints(more) == ("image 'other.mem' is read by nothing",)

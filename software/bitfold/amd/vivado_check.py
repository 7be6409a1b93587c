"""Whether a block design is complete: what `validate_bd_design` would say, without Vivado."""

import itertools
from collections import Counter
from collections.abc import Iterator

from bitfold.amd.vivado_block import BlockDesign, Bus, Cell, Segment

_STREAM_BYTES = {1 << n for n in range(8)}  # of axi_dma: 8 to 1024 bits


def complaints(block: BlockDesign) -> tuple[str, ...]:
    """What is missing or does not fit; empty for a complete design."""
    unknown = _unknown(block)
    if unknown:  # what else is looked at would miss them
        return unknown
    parts = (_links, _streams, _pins, _clocks, _addresses, _dma)
    return tuple(complaint for part in parts for complaint in part(block))


def _unknown(block: BlockDesign) -> tuple[str, ...]:
    """Names that are used twice, or that no cell has."""
    cells = Counter(cell.name for cell in block.cells)
    found = [f"two cells are called {name!r}" for name, number in cells.items() if number > 1]
    buses, pins = block.buses(), block.pins()
    used = [name for link in block.links for name in link] + list(block.outer)
    found += [f"no cell has the bus {name!r}" for name in used if name not in buses]
    found += [f"no cell has the pin {n!r}" for net in block.nets for n in net if n not in pins]
    return tuple(found)


def _links(block: BlockDesign) -> Iterator[str]:
    """Every bus is linked once, a master to a slave of its kind."""
    buses = block.buses()
    uses = Counter([name for link in block.links for name in link] + list(block.outer))
    for name, bus in buses.items():
        if bus.needed and not uses[name]:
            yield f"bus {name!r} is connected to nothing"
        if uses[name] > 1:
            yield f"bus {name!r} is connected {uses[name]} times"
    for first, second in block.links:
        a, b = buses[first], buses[second]
        if not a.master or b.master:
            yield f"link {first!r} to {second!r}: a master must come first, and a slave second"
        if a.kind != b.kind or a.kind == "board":
            yield f"link {first!r} to {second!r}: {a.kind} and {b.kind}"
        elif a.bytes and b.bytes and a.bytes != b.bytes:
            yield f"link {first!r} to {second!r}: {8 * a.bytes} bits and {8 * b.bytes}"
    for name in block.outer:
        if buses[name].kind != "board":
            yield f"bus {name!r} leads to the board's pins and is {buses[name].kind}"


def _streams(block: BlockDesign) -> Iterator[str]:
    buses = block.buses()
    for first, second in block.links:
        if buses[first].kind == "stream" and not (buses[first].last and buses[second].last):
            yield f"stream {first!r} to {second!r} has no TLAST: a transfer would never end"


def _pins(block: BlockDesign) -> Iterator[str]:
    """Every input has one driver of its width and kind; resets have one polarity."""
    pins = block.pins()
    uses = Counter(name for net in block.nets for name in net)
    for name, pin in pins.items():
        if pin.needed and not uses[name]:
            yield f"{pin.kind} pin {name!r} is {'read by' if pin.output else 'driven by'} nothing"
        if uses[name] > 1:
            yield f"pin {name!r} is in {uses[name]} nets"
    for driver, *sinks in block.nets:
        if not pins[driver].output:
            yield f"net of {driver!r}: its first pin must be an output"
        if not sinks:
            yield f"net of {driver!r} leads nowhere"
        for sink in sinks:
            a, b = pins[driver], pins[sink]
            if b.output:
                yield f"net of {driver!r}: {sink!r} is an output too"
            if a.width != b.width:
                yield f"net of {driver!r}: {a.width} bits, {sink!r} has {b.width}"
            if a.kind != b.kind:
                yield f"net of {driver!r}: a {a.kind}, {sink!r} is a {b.kind}"
            if a.kind == "reset" and a.low != b.low:
                yield f"net of {driver!r}: {sink!r} is reset by the other level"


def _clocks(block: BlockDesign) -> Iterator[str]:
    """Both ends of a link run with one clock."""
    nets = {name: net[0] for net in block.nets for name in net[1:]}
    buses, pins = block.buses(), block.pins()

    def clock(name: str) -> str | None:
        cell = name.partition("/")[0]
        pin = f"{cell}/{buses[name].clock}"
        if pin not in pins or pins[pin].kind != "clock":
            return None
        return nets.get(pin)

    for first, second in block.links:
        a, b = clock(first), clock(second)
        if a is None or b is None:
            yield f"link {first!r} to {second!r}: an end has no clock"
        elif a != b:
            yield f"link {first!r} to {second!r}: clocks {a!r} and {b!r}"


def _addresses(block: BlockDesign) -> Iterator[str]:
    """Each space has every segment that it reaches, once, aligned, within its window."""
    buses = block.buses()
    masters = {
        f"{name.partition('/')[0]}/{bus.space}": (name, bus)
        for name, bus in buses.items()
        if bus.space
    }
    slaves = {
        f"{name.partition('/')[0]}/{bus.segment}": name
        for name, bus in buses.items()
        if bus.segment
    }
    for segment in block.segments:
        if segment.space not in masters:
            yield f"no cell has the address space {segment.space!r}"
        if segment.segment not in slaves:
            yield f"no cell has the segment {segment.segment!r}"
    for space, (name, bus) in masters.items():
        mine = [s for s in block.segments if s.space == space]
        reached = {key for key, slave in slaves.items() if slave in _reached(block, name)}
        given = Counter(s.segment for s in mine)
        for key in sorted(reached - set(given)):
            yield f"segment {key!r} has no address in {space!r}"
        for key in sorted(set(given) - reached):
            yield f"segment {key!r} has an address in {space!r}, which does not reach it"
        for key, number in given.items():
            if number > 1:
                yield f"segment {key!r} has {number} addresses in {space!r}"
        yield from _ranges(space, bus, mine)


def _ranges(space: str, bus: Bus, segments: list[Segment]) -> Iterator[str]:
    low, size = bus.reach
    ordered = sorted(segments, key=lambda s: s.offset)
    for segment in ordered:
        if segment.size < 0x1000 or segment.size & segment.size - 1:
            yield f"segment {segment.segment!r}: {segment.size:#x} is no power of two of pages"
        elif segment.offset % segment.size:
            yield f"segment {segment.segment!r}: {segment.offset:#x} is no multiple of its size"
        if segment.offset < low or segment.offset + segment.size > low + size:
            yield f"segment {segment.segment!r} lies outside what {space!r} reaches"
    for one, other in itertools.pairwise(ordered):
        if one.offset + one.size > other.offset:
            yield f"segments {one.segment!r} and {other.segment!r} overlap in {space!r}"


def _reached(block: BlockDesign, master: str) -> set[str]:
    """Slaves behind a master, through cells that pass transfers on."""
    cells = {cell.name: cell for cell in block.cells}
    found: set[str] = set()
    todo = [master]
    while todo:
        name = todo.pop()
        for first, second in block.links:
            if first != name:
                continue
            cell = cells[second.partition("/")[0]]
            if cell.bridge:
                todo += [f"{cell.name}/{bus.name}" for bus in cell.buses if bus.master]
            else:
                found.add(second)
    return found


def _dma(block: BlockDesign) -> Iterator[str]:
    """What PG021 asks of axi_dma's widths."""
    for cell in block.cells:
        if cell.vlnv.endswith(":axi_dma"):
            yield from _dma_widths(cell)


def _dma_widths(cell: Cell) -> Iterator[str]:
    buses = {bus.name: bus for bus in cell.buses}
    for stream, memory in (("M_AXIS_MM2S", "M_AXI_MM2S"), ("S_AXIS_S2MM", "M_AXI_S2MM")):
        if buses[stream].bytes not in _STREAM_BYTES:
            yield f"{cell.name}/{stream}: {8 * buses[stream].bytes} bits, not 8, 16, ... 1024"
        if buses[memory].bytes < max(4, buses[stream].bytes):
            yield f"{cell.name}/{memory} is narrower than its stream, or than 32 bits"
    for key, bus in (("c_m_axi_mm2s_data_width", "M_AXI_MM2S"),
                     ("c_m_axis_mm2s_tdata_width", "M_AXIS_MM2S"),
                     ("c_m_axi_s2mm_data_width", "M_AXI_S2MM")):  # fmt: skip
        if cell.properties[key] != str(8 * buses[bus].bytes):
            bits = 8 * buses[bus].bytes
            yield f"{cell.name}: {key} is {cell.properties[key]}, its bus has {bits}"

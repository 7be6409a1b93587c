"""What is proven about the RTL: modules of hardware/formal, parameters, and how each can fail.

`grid` is what `make formal` proves; its first entry is what the tests prove. A mutation is a place
in the RTL of which the proof depends: with it the claims must no longer hold.
"""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Mutation:
    """Text of one RTL file, and what to put in its place."""

    file: str
    old: str
    new: str


@final
@dataclass(frozen=True, kw_only=True)
class Proof:
    """A module of hardware/formal.

    shallow: parameters with which the claims must not hold. reaches: its number of false claims.
    """

    module: str
    grid: tuple[str, ...]
    mutations: tuple[Mutation, ...]
    shallow: tuple[str, ...] = ()
    reaches: int = 2


def words(*values: int) -> str:
    """Values of 32 bits as one vector parameter, the first lowest."""
    return f"{32 * len(values)}'h" + "".join(f"{value:08x}" for value in reversed(values))


def _fork(beats: int, *vectors: int) -> str:
    return f"Beats={beats} Branches={len(vectors)} Vectors={words(*vectors)}"


def _join(*beats: int) -> str:
    return f"Branches={len(beats)} Beats={words(*beats)} Total={sum(beats)}"


PROOFS: tuple[Proof, ...] = (
    Proof(
        module="bf_skid_proof",
        grid=("Width=2", "Width=1", "Width=4", "Width=8"),
        mutations=(
            Mutation(file="bf_skid", old="if (!full_q) spare_q", new="spare_q"),
            Mutation(file="bf_skid", old="!valid_q || out_ready_i;", new="1'b1;"),
        ),
    ),
    Proof(
        module="bf_fifo_proof",
        grid=("Width=2 Depth=3", "Width=1 Depth=2", "Width=4 Depth=5", "Width=2 Depth=8"),
        mutations=(
            Mutation(file="bf_fifo", old="count_q != CountWidth'(Depth)", new="1'b1"),
            Mutation(file="bf_fifo", old="(read_q == LAST) ? '0 : read_q", new="read_q"),
        ),
    ),
    Proof(
        module="bf_vecfifo_proof",
        grid=(
            "Beats=2 Vectors=2",
            "Beats=1 Vectors=2",
            "Beats=3 Vectors=2",
            "Beats=1 Vectors=4",
            "Beats=2 Vectors=3",
        ),
        mutations=(
            Mutation(file="bf_vecfifo", old="if (reserve_i && !done)", new="if (reserve_i)"),
        ),
    ),
    Proof(
        module="bf_fork_proof",
        grid=(_fork(2, 2, 2), _fork(1, 2, 3), _fork(2, 3, 2), _fork(3, 2, 2), _fork(2, 2, 2, 3)),
        mutations=(Mutation(file="bf_fork", old="&room", new="|room"),),
    ),
    Proof(
        module="bf_join_proof",
        grid=(_join(1, 1), _join(1, 2), _join(2, 1), _join(2, 2), _join(1, 2, 1)),
        mutations=(
            Mutation(file="bf_join", old="!first || room;", new="1'b1;"),
            Mutation(file="bf_join", old="open && branch_q == BRANCH_WIDTH'(k)", new="open"),
        ),
    ),
    Proof(
        module="bf_rejoin_proof",
        grid=("Ahead=1 Vectors=2", "Ahead=1 Vectors=3", "Ahead=2 Vectors=3", "Ahead=3 Vectors=4"),
        shallow=("Ahead=2 Vectors=2", "Ahead=3 Vectors=2", "Ahead=3 Vectors=3"),
        mutations=(Mutation(file="bf_join", old="!first || room;", new="!first && room;"),),
        reaches=1,
    ),
    Proof(
        module="bf_unpack_proof",
        grid=("Items=3 Width=2", "Items=1 Width=1", "Items=2 Width=3", "Items=5 Width=1"),
        mutations=(
            Mutation(file="bf_unpack", old="advance && !more_q", new="advance"),
            Mutation(file="bf_unpack", old="!valid_q || out_ready_i;", new="1'b1;"),
        ),
    ),
    Proof(
        module="bf_gather_proof",
        grid=(
            "Group=2 Planes=2 Words=1",
            "Group=1 Planes=1 Words=2",
            "Group=2 Planes=3 Words=1",
            "Group=1 Planes=2 Words=2",
            "Group=2 Planes=1 Words=3 Bipolar=1'b1",
        ),
        mutations=(Mutation(file="bf_gather", old="full_q != 2'd2", new="1'b1"),),
    ),
    Proof(
        module="bf_axis_in_proof",
        grid=(
            "Group=2 Planes=2 BeatsPerFrame=3",
            "Group=1 Planes=1 BeatsPerFrame=1",
            "Group=1 Planes=3 BeatsPerFrame=2",
            "Group=1 Planes=8 BeatsPerFrame=4",
        ),
        mutations=(
            Mutation(file="bf_axis_in", old="if (!full_q) spare_q", new="spare_q"),
            Mutation(file="bf_axis_in", old="end else if (take) begin", new="end else begin"),
        ),
    ),
    Proof(
        module="bf_axis_out_proof",
        grid=(
            "Items=2 Width=2 Outputs=4",
            "Items=1 Width=1 Outputs=1",
            "Items=1 Width=2 Outputs=3 Signed=1'b0",
            "Items=3 Width=2 Outputs=6",
            "Items=2 Width=32 Outputs=2",
        ),
        mutations=(
            Mutation(file="bf_axis_out", old="item_valid && item_ready)", new="item_valid)"),
        ),
    ),
    Proof(
        module="bf_pad_proof",
        grid=(
            "Beats=1",
            "Beats=2 Height=1 Width=2 PadTop=0 PadLeft=1 PadBottom=1 PadRight=0",
            "Beats=2 Height=2 Width=1 PadTop=0 PadLeft=0 PadBottom=0 PadRight=1",
            "Group=2 Beats=3 Height=1 Width=1 PadTop=1 PadLeft=0 PadBottom=0 PadRight=0",
        ),
        mutations=(
            Mutation(file="bf_pad", old="(!before_q || whole_q != '0)", new="1'b1"),
            Mutation(file="bf_pad", old="inner && out_ready_i;", new="out_ready_i;"),
        ),
    ),
)

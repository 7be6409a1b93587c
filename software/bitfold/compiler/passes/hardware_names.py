"""Names of nodes to names that hardware can have: of nets, instances and memory files.

A QONNX file may call its nodes anything: `/layer1/conv.weight`, `output`, `../../x`.
"""

import re
from dataclasses import replace

from bitfold.compiler.passes.rewire import redirect
from bitfold.ir import Graph

LONGEST = 64  # file systems stop at 255 bytes, readers earlier
# What the accelerator itself holds, and the endings that stages and nets add to a layer's name.
_TAKEN = {"input", "output", "gather"}
_DERIVED = re.compile(
    r".*_(window|around|join|fork|fork_\d+|as_u?int\d+|zeros\d+|valid|ready|data)", re.IGNORECASE
)


def hardware_names(graph: Graph) -> Graph:
    """The graph with every node but its input named by letters, digits and single underscores.

    Names that are so already stay. No two differ by case alone, which some file systems
    would not tell apart.

    Requires: nothing.
    Preserves: what every node computes, and the name of the input.
    """
    new, taken = {graph.input: graph.input}, {graph.input.lower(), *_TAKEN}
    counts: dict[str, int] = {}
    for node in graph.nodes:
        if node.name not in new:
            new[node.name] = _free(_plain(node.name), taken, counts)
            taken.add(new[node.name].lower())
    if all(old == name for old, name in new.items()):
        return graph
    nodes = tuple(replace(n, name=new[n.name], op=redirect(n.op, new)) for n in graph.nodes)
    return replace(graph, nodes=nodes, output=new[graph.output])


def _plain(name: str) -> str:
    plain = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")[:LONGEST].rstrip("_")
    if not plain or plain[0].isdigit():
        plain = f"n{plain}"
    return f"{plain}_n" if _DERIVED.fullmatch(plain) else plain


def _free(name: str, taken: set[str], counts: dict[str, int]) -> str:
    """`name`, numbered where it is taken; `counts` keeps the last number of each name."""
    free, count = name, counts.get(name.lower(), 1)
    while free.lower() in taken:
        count += 1
        free = f"{name}_{count}"
    counts[name.lower()] = count
    return free

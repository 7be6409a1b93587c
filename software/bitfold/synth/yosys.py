"""Synthesis with Yosys: RTL and parameters to a mapped netlist and its utilisation."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bitfold.errors import ConfigError
from bitfold.synth.plan import BuildPlan, Built, Command, Runner, execute
from bitfold.synth.source import Source, read_source, reading_order
from bitfold.synth.target import Target, load_target
from bitfold.synth.usage import ModuleUse, Utilisation, count, module_tree

NETLIST = "netlist.json"
TREE_DEPTH = 4  # accelerator, stage, unit, part: what lies below is counted in the part


def synth_module(
    rtl: Sequence[Path],
    top: str,
    parameters: Mapping[str, int | str] | None = None,
    target: str = "xc7",
    *,
    cache: Path = Path("build/synth"),
    data: Mapping[str, Path] | None = None,
    runner: Runner | None = None,
) -> Utilisation:
    """What one module takes, flattened.

    parameters: numbers, text, or Verilog literals such as "4'd3". `rtl` may hold more modules than
    needed. Raises: ToolNotFound, ToolFailed, ConfigError.
    """
    family = load_target(target)
    source = read_source(rtl, top, parameters, data)
    built = execute(flat_plan(source, family), cache, runner)
    return flat_usage(built, family)


def flat_plan(
    source: Source,
    target: Target,
    *,
    netlist: bool = False,
    alone: bool = True,
    absent: Sequence[str] = (),
) -> BuildPlan:
    """Flatten and map.

    netlist: write what nextpnr reads; alone: it is placed with no board. absent: ports of the top
    that a board has no pin for; inputs among them must not be read.
    """
    late = ["flatten", "opt_clean"] if target.flatten_late else []
    finish = [*late, "tee -q -o stat.json stat -json"]
    if netlist and target.place and alone and target.place.prepare:
        finish.append(target.place.prepare)
    if netlist:
        finish.append(f"write_json {NETLIST}")
    outputs = ("stat.json", *([NETLIST] if netlist else []))
    mode = target.hierarchy if target.flatten_late else target.flatten
    return _plan(source, target, mode, finish, outputs, absent=absent)


def tree_plan(source: Source, target: Target) -> BuildPlan:
    """Map every module by itself, for a breakdown; its sums exceed those of `flat_plan`."""
    names = " ".join(f"t:{Path(name).stem}" for name in sorted(source.rtl))
    finish = ["tee -q -o stat.json stat -json", f"tee -q -o tree.txt dump t:$paramod* {names}"]
    return _plan(source, target, target.hierarchy, finish, ("stat.json", "tree.txt"))


def flat_usage(built: Built, target: Target) -> Utilisation:
    """Utilisation that a finished `flat_plan` found."""
    stat = json.loads((built.folder / "stat.json").read_text())
    return count(stat["design"]["num_cells_by_type"], target)


def tree_usage(built: Built, top: str, target: Target) -> tuple[ModuleUse, ...]:
    """Instances that a finished `tree_plan` found, parents first, in the order of the source."""
    stat = json.loads((built.folder / "stat.json").read_text())
    return module_tree(
        stat, read_tree((built.folder / "tree.txt").read_text()), top, target, TREE_DEPTH
    )


def read_tree(text: str) -> dict[str, dict[str, str]]:
    """Module -> (instance -> module) from the text that Yosys' `dump` writes.

    Yosys keeps cells in an order of its own; here they are in that of the source lines.
    """
    found: dict[str, list[tuple[int, str, str]]] = {}
    module = ""
    line = 0
    for words in map(str.split, text.splitlines()):
        if words[:1] == ["module"]:
            module = words[1].removeprefix("\\")
        elif words[:2] == ["attribute", "\\src"]:
            numbers = re.findall(r":(\d+)\.", words[2])
            line = int(numbers[0]) if numbers else 0
        elif words[:1] == ["cell"]:
            cell, name = (word.removeprefix("\\") for word in words[1:])
            found.setdefault(module, []).append((line, name, cell))
    return {name: {cell: kind for _, cell, kind in sorted(all_)} for name, all_ in found.items()}


def warnings(built: Built) -> tuple[str, ...]:
    """What Yosys warned of, each once."""
    lines = (built.folder / "yosys.log").read_text(errors="replace").splitlines()
    return tuple(dict.fromkeys(line for line in lines if line.startswith("Warning:")))


def _plan(
    source: Source,
    target: Target,
    mode: str,
    finish: Sequence[str],
    outputs: tuple[str, ...],
    *,
    absent: Sequence[str] = (),
) -> BuildPlan:
    read = [f"read_verilog -sv -defer {name}" for name in reading_order(source.rtl)]
    given = "".join(f" -chparam {k} {_constant(k, v)}" for k, v in source.parameters.items())
    # Without -check: cells of the family's library are known only to the synthesis command, which
    # checks then.
    script = [
        *read,
        f"hierarchy -top {source.top}{given}",
        *(f"delete -port {source.top}/w:{name}" for name in absent),
        f"{target.synth} {mode} -top {source.top}",
        *finish,
    ]
    text = "\n".join(script) + "\n"
    return BuildPlan(
        name=f"{target.name}-{source.top}",
        files={**source.rtl, **source.data, "synth.ys": text.encode()},
        commands=(Command(tool="yosys", args=("synth.ys",), log="yosys.log"),),
        outputs=outputs,
    )


def _constant(name: str, value: int | str) -> str:
    """A parameter as Yosys reads it: numbers and Verilog literals bare, text in quotes."""
    text = str(value)
    if isinstance(value, int) or "'" in text:
        return text
    if any(c in text for c in ' "\\\n;'):
        raise ConfigError(f"parameter {name}: {text!r} holds a blank or a quote")
    return f'"{text}"'

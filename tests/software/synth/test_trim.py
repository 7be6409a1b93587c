import copy
import json
from pathlib import Path
from typing import Any

from bitfold.synth.trim import main, trim


def carry(cin: Any, cout: list[Any]) -> dict[str, Any]:
    return {"type": "CCU2C", "connections": {"CIN": [cin], "COUT": cout, "S0": [50]}}


NETLIST: dict[str, Any] = {
    "modules": {
        "top": {
            "ports": {"carry_o": {"direction": "output", "bits": [13]}},
            "cells": {
                "first": carry("0", [10]),
                "last": carry(10, [11]),
                "to_logic": carry("0", [12]),
                "to_port": carry("0", [13]),
                "none": carry("0", []),
                "lut": {"type": "LUT4", "connections": {"A": [12], "COUT": [14]}},
            },
        }
    }
}


def test_cuts_only_what_nobody_reads() -> None:
    netlist = copy.deepcopy(NETLIST)
    assert trim(netlist, "CCU2C", "COUT") == 1
    cells = netlist["modules"]["top"]["cells"]
    found = {name: cell["connections"]["COUT"] for name, cell in cells.items()}
    assert found == {
        "first": [10],
        "last": ["x"],
        "to_logic": [12],
        "to_port": [13],
        "none": [],
        "lut": [14],
    }
    assert trim(netlist, "CCU2C", "COUT") == 0


def test_rewrites_the_file(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps(NETLIST))
    main([str(path), "CCU2C", "COUT"])
    assert capsys.readouterr().out == "1 unused COUT of CCU2C cut\n"
    rewritten = json.loads(path.read_text())
    assert rewritten["modules"]["top"]["cells"]["last"]["connections"]["COUT"] == ["x"]

"""A phase of CSQ that is killed, or finished already; and a whole run."""

from pathlib import Path

import pytest
import torch
from torch import nn

from bitfold.search import search

from ..nets import run_file
from .runs import phase, prepared


class Stop:
    """Interrupts the run at its step `at`."""

    def __init__(self, at: int) -> None:
        self.left = at

    def start(self, phase: str, total: int) -> None: ...

    def advance(self, loss: float, accuracy: float) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def done(self) -> None: ...


@pytest.mark.parametrize("at", [14, 35], ids=["soft", "frozen"])
def test_a_killed_phase_goes_on_to_the_same_weights(
    pretrained: nn.Module, tmp_path: Path, at: int
) -> None:
    """36 steps, masks frozen from step 30 on."""
    first, whole = prepared(pretrained)
    phase(first, whole, tmp_path / "whole.pt", epochs=12)
    killed, parts = prepared(pretrained)
    with pytest.raises(KeyboardInterrupt):
        phase(killed, parts, tmp_path / "parts.pt", epochs=12, progress=Stop(at))
    second, again = prepared(pretrained)
    phase(second, again, tmp_path / "parts.pt", epochs=12)
    wanted, came = whole.state_dict(), again.state_dict()
    assert wanted.keys() == came.keys()
    assert all(torch.equal(value, came[name]) for name, value in wanted.items())
    assert first.findings(whole) == second.findings(again)
    assert first.policy(whole) == second.policy(again)


def test_a_finished_phase_is_taken_up_whole(pretrained: nn.Module, tmp_path: Path) -> None:
    findings = []
    for _ in range(2):
        made, model = prepared(pretrained)
        phase(made, model, tmp_path / "search.pt", epochs=3)
        findings.append(made.findings(model))
    assert findings[0] == findings[1]


def test_a_whole_run_keeps_its_budget(tmp_path: Path) -> None:
    run = run_file(
        search={"method": "csq", "epochs": 3, "bits": [2, 3, 4, 5, 6], "reweigh": "budget"},
        budget={"kind": "luts", "like_uniform": 4},
    )
    result = search(run, tmp_path)
    budget = result.metrics["budget"]
    assert 0.98 * budget["wanted"] <= budget["reached"] <= budget["wanted"]
    assert {bits.a_bits for bits in result.policy.layers.values()} == {4}
    assert result.metrics["findings"]["all_codes"] == 72 + 576 + 320

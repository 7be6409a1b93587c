"""What stopped FINN, said in one message from its log."""

from pathlib import Path

import pytest
from stand_in_finn import build

from bitfold.finn.explain import explain


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("none", "without writing 'out/bitfile/finn-accel.bit'"),
        ("licence", "no licence in the container"),
        ("full", "the disk is full"),
        ("layers", "FINN has no layer for a part of the network"),
        ("names", "finn: 'fc' is no MVAU of FINN's; there are: MVAU_rtl_0"),
        ("kept", "MVAU_hls_0 cannot be bit-serial: its activations are bipolar"),
        ("versal", "part 'xcvc1902': bitfold has no table of prices"),
    ],
)
def test_a_build_that_fails_is_one_message(manner, words, demo, around, monkeypatch) -> None:
    monkeypatch.setenv("MANNER", manner)
    said = build(demo, around)
    assert said.startswith("ToolFailed")
    assert words in said
    assert not (around / "made").exists()


def test_a_log_that_says_nothing_explains_nothing(tmp_path: Path) -> None:
    assert explain(tmp_path) is None
    (tmp_path / "finn.log").write_text("ValueError: of another tool\nTraceback\n")
    assert explain(tmp_path) is None


def test_what_ended_the_last_traceback_is_the_message(tmp_path: Path) -> None:
    raised = '  File "a.py", line 1, in f\n    x: int\n'
    last = f"Traceback (most recent call last):\n{raised}finn.util.FINNUserError: MVAU_0: no\nmore"
    first = f"Traceback (most recent call last):\n{raised}KeyError: 'first'\n\nDuring ...:\n\n"
    (tmp_path / "finn.log").write_text(first + last)
    assert explain(tmp_path) == "FINN stopped with FINNUserError: MVAU_0: no"

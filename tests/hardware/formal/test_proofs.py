"""Proofs about the handshakes hold for ever, say something, and fail when the RTL is wrong."""

import re
from pathlib import Path

import pytest
from proofs import PROOFS, Proof
from sby import FORMAL, ROOT, RTL, Claim, run

pytestmark = pytest.mark.synth

each = pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.module)


@each
def test_claims_hold_for_ever_and_false_ones_are_refuted(proof: Proof, tmp_path: Path) -> None:
    first = proof.grid[0]
    claims = [
        Claim(module=proof.module, parameters=first, reach=k) for k in range(proof.reaches + 1)
    ]
    shallow = [Claim(module=proof.module, parameters=values) for values in proof.shallow[:1]]
    found = run([*claims, *shallow], tmp_path)
    assert found == dict.fromkeys([*claims, *shallow], "FAIL") | {claims[0]: "PASS"}


@each
def test_claims_fail_on_wrong_rtl(proof: Proof, tmp_path: Path) -> None:
    claim = Claim(module=proof.module, parameters=proof.grid[0])
    for k, mutation in enumerate(proof.mutations):
        folder = tmp_path / f"rtl{k}"
        folder.mkdir()
        for path in RTL.glob("*.sv"):
            (folder / path.name).write_bytes(path.read_bytes())
        wrong = folder / f"{mutation.file}.sv"
        assert wrong.read_text().count(mutation.old) == 1, f"{wrong.name}: {mutation.old}"
        wrong.write_text(wrong.read_text().replace(mutation.old, mutation.new))
        assert run([claim], tmp_path / f"proof{k}", rtl=folder) == {claim: "FAIL"}, mutation
        trace = next(tmp_path.glob(f"proof{k}/*/engine_0/trace.vcd"))
        assert "$enddefinitions" in trace.read_text(), "a refuted claim leaves a waveform"


def test_every_proof_is_run_and_has_a_row_in_the_readme() -> None:
    there = {path.stem for path in FORMAL.glob("*_proof.sv")}
    rows = re.findall(r"^\| `(bf_\w+_proof)`", (ROOT / "hardware" / "README.md").read_text(), re.M)
    assert {proof.module for proof in PROOFS} == there == set(rows)

"""CSQ on the digits: exact at the end, near its target from both sides, and a control that is not.

.venv/bin/python scripts/acceptance/csq.py [SEED ...]    (default: seeds 0 1; minutes on one core)

The network is convnet 8-16-16-32, 8,456 weights, activations of 4 bits; every search starts from
its float weights, the control from random ones. Settings were chosen on the validation images.
The second table is what the end temperature rests on: gates left within 6.2 / temperature of the
threshold and codes that move, by the length of the phase; other ends than ours are those of the
masks, too.
"""

import copy
import sys
from typing import Any

import torch
from torch import Tensor, nn
from toy import A_BITS, DATA, FLOAT, phase, posed, pretrained

from bitfold.runfile import SearchCsq
from bitfold.search.batches import steps_of
from bitfold.search.csq import CSQ
from bitfold.search.csq.gates import PLANES, GatedLayer
from bitfold.search.csq.schedule import END
from bitfold.search.evaluate import accuracy

INSIDE = 6.2  # log(4 * 127)
AUTHORS: dict[str, Any] = {
    "start": "official",
    "scratch": True,
    "decay": True,
    "reweigh": "none",
    "end_temperature": 200.0,
    "strength": 0.01,
    "growth": 1.0,
}


def search(
    model: nn.Module, seed: int, target: int, first: int = PLANES, **settings: Any
) -> tuple[CSQ, nn.Module]:
    """Search a copy of `model` for `target` magnitude bits; `first` masks are on at the start."""
    made, model = SearchCsq(method="csq", **settings), copy.deepcopy(model)
    problem = posed(model, "size", target + 1, seed)
    method = CSQ(problem, made, A_BITS)
    method.prepare(model)
    for layer in method.layers:
        with torch.no_grad():
            layer.gates.mask_logits[: PLANES - first] = -0.05
    phase(model, method, phase="search", epochs=made.epochs, lr=made.lr, seed=seed)
    return method, model


@torch.no_grad()
def logits(model: nn.Module, x: Tensor) -> Tensor:
    """Outputs of `model` in evaluation mode. x (N, C, H, W) -> (N, classes)."""
    model.eval()
    result: Tensor = model(x)
    return result


def row(name: str, seed: int, target: int, found: tuple[CSQ, nn.Module]) -> None:
    """Print one line of the table; hardens the gates."""
    method, model = found
    value, policy = method.findings(model), method.policy(model)
    bits = value["magnitude_bits"]
    spent = method.problem.costs.total(policy) / method.problem.limit
    codes = [(layer, layer.gates.soft_codes(layer.logits)) for layer in method.layers]
    change = max((soft - layer.hard_codes()).abs().max().item() for layer, soft in codes)
    soft, x = logits(model, DATA.test.x), DATA.test.x
    soft_share = accuracy(model, DATA.test)
    for layer in method.layers:
        layer.gates.temperature.fill_(1e30)
    hard = logits(model, x)
    same = (soft.argmax(1) == hard.argmax(1)).float().mean().item()
    masks = " ".join(each["masks"] for each in value["layers"].values())
    count, span = bits["count"], bits["span"]
    print(
        f"{name:8} {seed:4} {target:6}  {count['over_weights']:5.2f} "
        f"{count['over_weights'] - target:+5.2f} {count['over_layers']:5.2f} "
        f"{span['over_weights']:5.2f} {bits['codes']['over_weights']:5.2f}  {100 * spent:5.1f}  "
        f"{value['moved_codes']:5} {change:6.2f} {100 * same:6.2f} "
        f"{(soft - hard).abs().max().item():6.2g}  {100 * soft_share:5.2f} "
        f"{100 * accuracy(model, DATA.test):5.2f}  {masks}",
        flush=True,
    )


def lengths(model: nn.Module, seed: int) -> None:
    """Print how exact phases of several lengths are at several end temperatures."""
    print(f"\nseed {seed}, target 4; validation accuracy in % of 180 images")
    print("epochs  steps     end  inside  moved    acc")
    for epochs in (5, 10, 20, 40, 130, 400):
        steps = epochs * steps_of(DATA.train, FLOAT.batch)
        for end in (200.0, 1e4, END, 1e5) if epochs <= 40 else (END,):
            given = None if end == END else end
            found, searched = search(model, seed, 4, epochs=epochs, end_temperature=given)
            inside = sum(int((reach(layer) < INSIDE).sum()) for layer in found.layers)
            moved = sum(layer.moved() for layer in found.layers)
            share = 100 * accuracy(searched, DATA.validation)
            ours = "  ours" if end == END else ""
            print(
                f"{epochs:6} {steps:6} {end:7.0f}  {inside:6}  {moved:5} {share:6.2f}{ours}",
                flush=True,
            )


def reach(layer: GatedLayer) -> Tensor:
    """Distance of the bits' logits from the threshold, times temperature."""
    return layer.logits.detach().abs() * layer.gates.temperature


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in sys.argv[1:]] or [0, 1]
    print("bits without sign; codes in steps of 8 stored bits; accuracy in % of 360 test images")
    print(
        "run      seed target  count error layer  span codes  spent  moved change  same  "
        "logit   soft  hard  masks, highest bit first"
    )
    for seed in seeds:
        model = pretrained(seed)
        for target in (2, 3, 4, 5, 6):
            row("CSQ", seed, target, search(model, seed, target))
        grown = search(model, seed, 5, first=2)
        row("from 2", seed, 5, grown)
        trail = ", ".join(f"{bits:.2f}" for bits in grown[0].trail[:20])
        print(f"         (mean bits after each of the first epochs: {trail})")
        row("control", seed, 3, search(model, seed, 3, **AUTHORS))
    lengths(pretrained(seeds[0]), seeds[0])


if __name__ == "__main__":
    main()

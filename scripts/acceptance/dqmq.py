"""What DQMQ must show: bits follow quality, evaluation is exact, prices move costs one way.

python scripts/acceptance/dqmq.py: seed 0, settings of runs/digits_dqmq.toml. Accuracy against
static policies is scripts/reproduce_dqmq's; the estimators' gradients are tested
(tests/software/search/dqmq/test_relax.py).
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from bitfold.data import DataSet, load
from bitfold.files import read_json
from bitfold.runfile import RunFile, SearchDqmq, read_run
from bitfold.search import search
from bitfold.search.dqmq.dynamic import DynamicNet

DEMO = read_run(Path(__file__).parents[2] / "runs" / "digits_dqmq.toml", {})
PRICES = (-1e3, -30.0, -10.0, -3.0, -1.0, 0.0, 1.0, 3.0, 10.0, 30.0, 1e3)
STRENGTHS = (0.05, 0.2, 1.0, 4.0)


def variant(**keys: object) -> RunFile:
    """The run file with other settings of the method."""
    assert isinstance(DEMO.search, SearchDqmq)
    train = DEMO.train.model_copy(update={"compare_epochs": 0})
    return DEMO.model_copy(update={"train": train, "search": DEMO.search.model_copy(update=keys)})


def trained(run: RunFile) -> tuple[DynamicNet, np.ndarray, float]:
    """The network, BitOps of its modes, and the budget."""
    with tempfile.TemporaryDirectory() as folder:
        network = search(run, Path(folder)).network
        value = read_json(Path(folder) / "modes.json", "modes", 1)
    assert isinstance(network, DynamicNet)
    bitops = np.array([mode["bitops"] for mode in value["modes"]], dtype=np.float64)
    return network.eval(), bitops, value["budget"]["limit"]


def main() -> None:
    """Print each measurement."""
    torch.set_num_threads(1)
    data = load(DEMO.data.name, None, DEMO.data.qualities)
    network, bitops, limit = trained(variant())
    print(f"seed 0; budget {limit:,.0f} BitOps")
    quality(network, bitops, data, "dynamic")
    quality(*trained(variant(blind=True))[:2], data, "blind")
    twice(network, bitops, data, limit)
    prices(network, bitops, data, limit)
    strengths()


def quality(network: DynamicNet, bitops: np.ndarray, data: DataSet, name: str) -> None:
    """Every test image comes in every quality: the same images, other bits."""
    count = len(data.qualities)
    x = data.test.x
    costs = bitops[network.choose(x).numpy()].reshape(-1, count)  # (images, qualities)
    print(f"{name}: mean BitOps of the same {len(costs)} images in each quality")
    for i, label in enumerate(data.qualities):
        print(f"  {label:18} {costs[:, i].mean():>10,.0f}")
    order = np.argsort(costs.mean(0))
    low, high = int(order[0]), int(order[-1])
    above = (costs[:, high] > costs[:, low]).mean()
    below = (costs[:, high] < costs[:, low]).mean()
    print(
        f"  {data.qualities[high]} against {data.qualities[low]}: more bits for "
        f"{100 * above:.1f} % of the images, fewer for {100 * below:.1f} %"
    )
    # Which half of the images has the dearer quality is exchanged; the bits must go with it.
    images = x.reshape(-1, count, *x.shape[1:])
    half = len(images) // 2
    for first, second in ((low, high), (high, low)):
        parts = (images[:half, first], images[half:, second])
        means = [bitops[network.choose(part).numpy()].mean() for part in parts]
        print(
            f"  first half {data.qualities[first]}, second half {data.qualities[second]}: "
            f"{means[0]:,.0f} and {means[1]:,.0f}"
        )


def twice(network: DynamicNet, bitops: np.ndarray, data: DataSet, limit: float) -> None:
    """Two evaluations; and the budget."""
    with torch.no_grad():
        same = torch.equal(network(data.test.x), network(data.test.x))
    modes = [network.choose(data.test.x) for _ in range(2)]
    print(f"two evaluations identical: logits {same}, modes {torch.equal(*modes)}")
    for name, split in (("validation", data.validation), ("test", data.test)):
        mean = bitops[network.choose(split.x).numpy()].mean()
        print(f"mean BitOps on the {name} set: {100 * mean / limit:.2f} % of the budget")


def prices(network: DynamicNet, bitops: np.ndarray, data: DataSet, limit: float) -> None:
    """The same network at other prices of the budget."""
    print("price of the budget, mean BitOps, accuracy on the test set")
    picked = torch.tensor(bitops[: network.picked] / limit, dtype=torch.float32)
    curve = []
    for price in PRICES:
        network.policy.offsets.copy_(price * picked)
        modes = network.choose(data.test.x)
        with torch.no_grad():
            right = network.grouped(data.test.x, modes).argmax(1) == data.test.y
        curve.append(bitops[modes.numpy()].mean())
        print(f"  {price:>8g} {curve[-1]:>12,.0f} {100 * right.float().mean().item():6.2f}")
    falls = bool((np.diff(curve) <= 0).all())
    print(f"  falls with the price: {falls}")


def strengths() -> None:
    """What the policy itself expects to spend after searches of other strengths, before a price."""
    print(
        "strength of the budget in the search, BitOps that the policy expects on validation inputs"
    )
    for strength in STRENGTHS:
        run = variant(strength=strength)
        short = run.train.model_copy(update={"finetune_epochs": 1})
        with tempfile.TemporaryDirectory() as folder:
            result = search(run.model_copy(update={"train": short}), Path(folder))
        print(f"  {strength:>6g} {result.metrics['findings']['expected_cost']:>12,.0f}")


if __name__ == "__main__":
    main()

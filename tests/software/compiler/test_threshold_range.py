import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.pipeline import run_pipeline
from bitfold.cost.units import Mvtu, Vvau
from branch_graphs import GRAPHS


@pytest.mark.parametrize("name", ["mixed operands", "residual"])
def test_the_range_of_thresholds_is_that_of_the_images(name, tmp_path):
    """The first word of each channel is not read; all others are within it, and reach it."""
    graph = run_pipeline(GRAPHS[name]())
    source = {"file": name, "sha256": ""}
    design = compile_graph(graph, tmp_path / "design", source=source, fps=1000)
    units = [s for s in design.stages if isinstance(s, Mvtu | Vvau)]
    searching = [s for s in units if not (s.final or s.raw or s.divider)]
    assert searching
    assert all(s.threshold_range is None for s in units if s not in searching)
    for unit in searching:
        sign = 1 << unit.acc_width
        found = []
        for image in (design.folder / "mem").glob(f"{unit.name}_thresholds*.mem"):
            words = [int(word, 16) for word in image.read_text().split()]
            found += [(w ^ sign) - sign for k, w in enumerate(words) if k % (1 << unit.out_bits)]
        assert unit.threshold_range == (min(found), max(found))

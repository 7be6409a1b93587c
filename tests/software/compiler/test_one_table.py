from bitfold.compiler.compile import compile_graph
from bitfold.compiler.pipeline import run_pipeline
from bitfold.cost.units import Mvtu, Vvau
from branch_graphs import GRAPHS


def test_channels_with_the_same_thresholds_share_one_table(tmp_path):
    """Codes put on a grid of more planes: every channel alike, so that memory holds it once."""
    graph = run_pipeline(GRAPHS["mixed operands"]())
    source = {"file": "mixed", "sha256": ""}
    design = compile_graph(graph, tmp_path / "design", source=source, fps=1000)
    units = [s for s in design.stages if isinstance(s, Mvtu | Vvau) and not (s.final or s.raw)]
    assert [s.name for s in units if s.one_table] == ["conv1_as_int4"]
    for unit in units:
        images = list((design.folder / "mem").glob(f"{unit.name}_thresholds*.mem"))
        channels = unit.channels if isinstance(unit, Vvau) else unit.outputs
        tables = 1 if unit.one_table else channels // unit.tpe
        assert len(images) == unit.tpe
        assert {len(path.read_text().split()) for path in images} == {tables << unit.out_bits}
    (shared,) = (unit for unit in units if unit.one_table)
    assert shared.groups * (shared.group // shared.tpe) > 1

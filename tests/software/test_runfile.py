"""Run files: what is read, and what is said about mistakes."""

import copy
from pathlib import Path
from typing import Any

import pytest

from bitfold.errors import ConfigError
from bitfold.runfile import CHOICES, SECTIONS, RunFile, Section, parse_run, read_run

RUNS = Path(__file__).parents[2] / "runs"
SEARCHES = ", ".join(CHOICES["search"][1])
GOOD: dict[str, Any] = {
    "data": {"name": "digits"},
    "model": {"name": "convnet"},
    "search": {"method": "limpq"},
    "budget": {"kind": "bitops", "like_uniform": 3},
}


def changed(section: str, **keys: Any) -> dict[str, Any]:
    value = copy.deepcopy(GOOD)
    value.setdefault(section, {}).update(keys)
    return value


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_run_files_are_valid(path: Path) -> None:
    assert isinstance(read_run(path, {}), RunFile)


def test_the_demo_has_the_settings_that_its_file_says() -> None:
    run = read_run(RUNS / "digits.toml", {})
    assert run.data.name == "digits"
    assert run.search.method == "limpq"
    assert run.budget.like_uniform == 3
    assert run.hardware.board == "ulx3s"


def test_defaults_fill_what_is_left_out() -> None:
    run = parse_run(GOOD)
    assert run.search.bits == (2, 3, 4, 5, 6)
    assert run.hardware.target == "ecp5"
    assert run.train.seed == 0


def test_every_key_is_documented() -> None:
    kinds: list[type[Section]] = [*SECTIONS.values()]
    for _, choice in CHOICES.values():
        kinds += choice.values()
    for kind in kinds:
        for name, field in kind.model_fields.items():
            assert field.description, f"{kind.__name__}.{name}"
    assert set(SECTIONS) | set(CHOICES) == set(RunFile.model_fields)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (changed("search", alhpa=1), "r.toml: [search] unknown key 'alhpa'; did you mean 'alpha'?"),
        (changed("serach", a=1), "r.toml: unknown section [serach]; did you mean 'search'?"),
        (changed("hardware", zzz=1), "r.toml: [hardware] unknown key 'zzz'; known: target, clock"),
        (changed("train", seed="one"), "r.toml: [train] seed should be a valid integer"),
        (changed("train", momentum=1.5), "r.toml: [train] momentum should be less than 1, got 1.5"),
        (changed("search", bits=[1, 2]), "r.toml: [search] bits should be greater than or equal"),
        (changed("search", bits=[3, 2]), "r.toml: [search] bits must ascend without repetition"),
        (changed("search", bits=[]), "r.toml: [search] bits "),
        (
            changed("search", method="hawq"),
            f"[search] method must be one of {SEARCHES}; got 'hawq'",
        ),
        (
            changed("model", name="vit"),
            "r.toml: [model] name must be one of convnet, mlp, resnet8, resnet20, resnet32, "
            "resnet44, resnet56, resnet18, resnet50, vgg19, mobilenet_v1, mobilenet_v2; got 'vit'",
        ),
        (
            {**GOOD, "model": {"name": "resnet20", "option": "C"}},
            "r.toml: [model] option should be 'A' or 'B', got 'C'",
        ),
        (
            {**GOOD, "model": {"name": "mobilenet_v1", "width": 0}},
            "r.toml: [model] width should be greater than 0, got 0",
        ),
        (
            changed("train", float_epochs=0),
            "r.toml: [train] float_epochs 0 leaves the network untrained; give [model] weights",
        ),
        (changed("budget", value=3), "[budget] give exactly one of 'value' and 'like_uniform'"),
        (
            changed("budget", also=[{"kind": "size", "value": 1}, {"knid": "size"}]),
            "[budget] also[1] key 'kind' is missing",
        ),
        (
            changed("budget", also=[{"kind": "size", "valeu": 1}]),
            "r.toml: [budget] also[0] unknown key 'valeu'; did you mean 'value'?",
        ),
        (changed("budget", also=[{"kind": "size"}]), "[budget] also[0] give exactly one of"),
        (changed("budget", kind="watts"), "r.toml: [budget] kind should be 'average_bits'"),
        ({**GOOD, "data": 3}, "r.toml: data must be a section [data], got 3"),
        ({**GOOD, "data": {}}, "r.toml: [data] key 'name' is missing: data set"),
        ({"data": GOOD["data"]}, "r.toml: section [model] is missing: the network"),
        (changed("search", epochs=True), "r.toml: [search] epochs should be a valid integer"),
        (changed("train", float_lr=float("nan")), "r.toml: [train] float_lr should be"),
        (changed("train", ema=1), "r.toml: [train] ema should be less than 1, got 1"),
        (changed("train", keep="first"), "r.toml: [train] keep should be 'last' or 'best', got"),
        (changed("train", clip_norm=-1), "r.toml: [train] clip_norm should be greater than or eq"),
        (changed("train", precision="16"), "[train] precision should be '32' or 'bf16', got '16'"),
        (changed("train", finetune_distill=2), "[train] finetune_distill should be less than or"),
        (changed("train", distill_temperature=0), "[train] distill_temperature should be greater"),
        (changed("train", schedule="step"), '[train] schedule = "step" and milestones go togeth'),
        (changed("train", milestones=[0.5]), '[train] schedule = "step" and milestones go toget'),
        (
            changed("train", schedule="step", milestones=[0.5, 0.5]),
            "[train] milestones must ascend, got [0.5, 0.5]",
        ),
        (
            changed("train", schedule="step", milestones=[0.5, 30]),
            "r.toml: [train] milestones should be less than 1, got 30",
        ),
        (
            changed("train", float_warmup=20),
            "[train] float_warmup must be less than float_epochs = 20, got 20",
        ),
    ],
)
def test_a_mistake_is_named_with_section_key_and_remedy(value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_run(value, "r.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"a = [", b"\xff\xfe", b"x = 1", b"a = " + b"[" * 5000])
def test_a_file_that_is_no_run_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.toml: "):
        read_run(path, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: not found"):
        read_run(tmp_path / "none.toml", {})


def test_weights_are_looked_for_beside_the_run_file(tmp_path: Path) -> None:
    text = '[data]\nname = "digits"\n[model]\nname = "mlp"\nweights = "{}"\n'
    text += '[train]\nfloat_epochs = 0\n[search]\nmethod = "uniform"\n'
    text += '[budget]\nkind = "size"\nvalue = 1000\n'
    path = tmp_path / "run.toml"
    path.write_text(text.format("w.pt"))
    assert read_run(path, {}).model.weights == tmp_path / "w.pt"
    path.write_text(text.format("/else/w.pt"))
    assert read_run(path, {}).model.weights == Path("/else/w.pt")


def test_the_data_root_comes_from_the_file_and_else_from_the_environment(tmp_path: Path) -> None:
    text = '[data]\nname = "mnist"\n{}\n[model]\nname = "mlp"\n[search]\nmethod = "uniform"\n'
    text += '[budget]\nkind = "size"\nvalue = 1000\n'
    path = tmp_path / "run.toml"
    path.write_text(text.format(""))
    assert read_run(path, {}).data.root is None
    assert read_run(path, {"BITFOLD_DATA": "/sets"}).data.root == Path("/sets")
    path.write_text(text.format('root = "here"'))
    assert read_run(path, {"BITFOLD_DATA": "/sets"}).data.root == tmp_path / "here"

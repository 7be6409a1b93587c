"""Float weights from files, and what is said about those of another network."""

import contextlib
import json
import struct
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError
from bitfold.models import cifar_resnet, load_weights

SHAPE = (3, 8, 8)


def net(seed: int, **settings: int) -> nn.Module:
    torch.manual_seed(seed)
    return cifar_resnet(SHAPE, 10, 8, **{"width": 4, **settings})


def write_safetensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """By the format's definition: length, header, bytes; the header padded with spaces."""
    kinds = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16"}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, tensor in tensors.items():
        content = tensor.contiguous().numpy().tobytes()
        header[name] = {
            "dtype": kinds[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.safetensors"])
def test_weights_come_back(tmp_path: Path, name: str) -> None:
    given, made = net(0), net(1)
    path = tmp_path / name
    if path.suffix == ".safetensors":
        write_safetensors(path, given.state_dict())
    else:
        torch.save(given.state_dict(), path)
    load_weights(made, path)
    came, wanted = made.state_dict(), given.state_dict()
    assert came.keys() == wanted.keys()
    assert all(torch.equal(came[key], wanted[key]) for key in wanted)


def test_weights_of_another_network_are_refused_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(net(0, width=8).state_dict(), path)
    with pytest.raises(ConfigError, match=r"of another network .*: \d+ of another shape \(conv1.w"):
        load_weights(net(0), path)
    state = net(0).state_dict()
    state["head.weight"] = state.pop("fc.weight")
    torch.save(state, path)
    message = r"1 missing \(fc.weight\); 1 not in this network \(head.weight\)"
    before = net(3)
    with pytest.raises(ConfigError, match=message):
        load_weights(before, path)
    assert torch.equal(before.get_parameter("fc.bias"), net(3).get_parameter("fc.bias"))


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def test_a_file_that_is_no_state_dict_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.pt"
    for content, message in (
        ({"model": net(0).state_dict()}, "holds no state dict"),
        ([1, 2], "holds no state dict"),
        (Payload(), "not readable"),
    ):
        torch.save(content, path)
        with pytest.raises(ConfigError, match=message):
            load_weights(net(0), path)
    assert capsys.readouterr().out == ""
    path.write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="not readable"):
        load_weights(net(0), path)
    with pytest.raises(ConfigError, match=r"none\.pt: not found"):
        load_weights(net(0), tmp_path / "none.pt")
    with pytest.raises(ConfigError, match=r"w\.onnx: expected a file \.pt, \.pth, \.safetensors"):
        load_weights(net(0), tmp_path / "w.onnx")


def test_a_damaged_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_safetensors(path, net(0).state_dict())
    content = path.read_bytes()
    headers = (b"[]", b'{"a": 3}', b'{"a": {"dtype": "F8", "shape": [], "data_offsets": [0, 1]}}')
    bad = [struct.pack("<Q", len(header)) + header + b"\0" for header in headers]
    for each in (content[:-1], content[:5], b"\xff" * 64, content[:100], *bad):
        path.write_bytes(each)
        with pytest.raises(ConfigError, match="not readable"):
            load_weights(net(0), path)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (torch.tensor(float("nan")), "not finite"),
        (torch.tensor(float("inf")), "not finite"),
        (torch.tensor(1j), "not a plain tensor"),
    ],
)
def test_numbers_that_no_network_has_are_refused(bad: Tensor, words: str, tmp_path: Path) -> None:
    state = net(0).state_dict()
    name = next(name for name, tensor in state.items() if tensor.ndim == 4)
    state[name] = state[name] * bad
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=f"w.pt: '{name}' .*{words}"):
        load_weights(net(1), tmp_path / "w.pt")


def test_sparse_tensors_and_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    state = net(0).state_dict()
    name = next(name for name, tensor in state.items() if tensor.ndim == 4)
    torch.save({**state, name: state[name].to_sparse()}, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=r"not (a plain tensor|readable)"):
        load_weights(net(1), tmp_path / "w.pt")
    torch.save({0: state[name]}, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match="holds no state dict"):
        load_weights(net(1), tmp_path / "w.pt")


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_are_one_clear_error_or_the_weights(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(net(0).state_dict(), path)
    content = bytearray(path.read_bytes())
    rng = torch.Generator().manual_seed(seed)
    for place in torch.randint(len(content), (8,), generator=rng).tolist():
        content[place] ^= 0xFF
    start = content.find(b"data.pkl") + 60
    content[start + seed] ^= 0x15
    path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        load_weights(net(1), path)

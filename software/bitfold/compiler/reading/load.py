"""From bytes on disk to a checked ONNX model whose nodes are named and in one QONNX domain.

Nothing in the file is run, and no file outside the model's folder is opened.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from bitfold.compiler.reading.channels_last import DOMAIN, channels_first
from bitfold.errors import ModelError

MAX_BYTES = 512 * 1024 * 1024  # of the file and of each side file
QONNX = "qonnx.custom_op.general"
# Names under which the quantisers' domain was published over the years.
QUANT_DOMAINS = (QONNX, "onnx.brevitas", "finn.custom_op.general")
STANDARD = ("", "ai.onnx")
VARIADIC = ("Concat", "Max", "Mean", "Min", "Sum")
MIN_OPSET = 7  # numpy broadcasting; what onnxruntime supports


def load_model(path: Path) -> onnx.ModelProto:
    """Read `path`, side files included.

    Raises: ModelError when it is missing, empty, not ONNX, inconsistent, too large, or refers to
    files outside its folder.
    """
    model = _parse(path)
    try:
        return _prepared(path, model)
    except UnicodeDecodeError as error:  # protobuf decodes a name where it is first used
        raise ModelError(f"{path}: damaged, a name is not UTF-8 ({one_line(error)})") from None


def _prepared(path: Path, model: onnx.ModelProto) -> onnx.ModelProto:
    if not model.graph.node:
        raise ModelError(f"{path}: holds no node; not an ONNX model, or an empty or truncated one")
    if model.functions:
        names = [f.name for f in model.functions][:4]
        raise ModelError(
            f"{path}: holds model-local functions {names}; inline them with onnx.inliner first"
        )
    stored = Counter(str(tensor.name) for tensor in model.graph.initializer)
    for name, count in stored.items():
        if count > 1:
            raise ModelError(
                f"{path}: two tensors are called {printable(name)!r}; export the model again"
            )
    for tensor in _tensors(model):
        _read_side_file(path, tensor)
    _normalise(path, model)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # the checker raises several unrelated types
        raise ModelError(f"{path}: not a valid ONNX model: {one_line(error)}") from None
    return model


def one_line(error: object) -> str:
    """The first 200 characters of a foreign message, on one line."""
    return printable(" ".join(str(error).split())[:200])


def printable(text: str) -> str:
    """`text` without line breaks and terminal codes, which names in a file may hold."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _parse(path: Path) -> onnx.ModelProto:
    try:
        if not path.is_file():
            raise ModelError(f"{path}: no such file; expected a QONNX model")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(f"{path}: {size} bytes; models up to {MAX_BYTES} bytes are read")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    if not data:
        raise ModelError(f"{path}: the file is empty; export the model again")
    try:
        return onnx.load_model_from_string(data)
    except (DecodeError, ValueError, TypeError) as error:
        raise ModelError(
            f"{path}: not an ONNX model, or a truncated one ({one_line(error)})"
        ) from None


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t


def _read_side_file(path: Path, tensor: onnx.TensorProto) -> None:
    """Replace external data by bytes in the tensor; the side file must lie beside the model."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.resolve().parent
    subject = f"{path}: tensor {tensor.name!r} keeps its data in {location!r}"
    try:
        side = (folder / location).resolve()
        if not location or not side.is_relative_to(folder):
            raise ModelError(f"{subject}, outside the model's folder; it is not opened")
        if not side.is_file():
            raise ModelError(f"{subject}, which is not there; put it beside the model")
        offset = int(entries.get("offset", "0"))
        size = side.stat().st_size
        length = int(entries.get("length", str(size - offset)))
        if not (0 <= offset <= size and 0 <= length <= min(size - offset, MAX_BYTES)):
            raise ModelError(f"{subject}, but bytes {offset}..{offset + length} of {size}")
        with side.open("rb") as file:
            file.seek(offset)
            tensor.raw_data = file.read(length)
    except (OSError, ValueError) as error:
        raise ModelError(f"{subject}, which cannot be read ({one_line(error)})") from None
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]


def _normalise(path: Path, model: onnx.ModelProto) -> None:
    """One domain for quantisers, an opset import for every domain, a unique name for every node."""
    imports = {o.domain: o.version for o in model.opset_import}
    opset = imports.get("", imports.get("ai.onnx"))
    if opset is None or opset < MIN_OPSET:
        raise ModelError(
            f"{path}: ONNX operator set {opset}; {MIN_OPSET} or later is read. "
            "Convert it with onnx.version_converter, or export again"
        )
    for index, node in enumerate(model.graph.node):
        _check_inputs(path, node, index)
    channels_first(model)
    taken: set[str] = set()
    for index, node in enumerate(model.graph.node):
        if node.domain in QUANT_DOMAINS:
            node.domain = QONNX
            _spell_rounding(node)
        base = node.name or f"{node.op_type}_{index}"
        node.name = base
        while node.name in taken:
            node.name = f"{base}_{index}" if node.name == base else node.name + "_"
        taken.add(node.name)
        if node.domain not in imports:
            imports[node.domain] = 1
            model.opset_import.add(domain=node.domain, version=1)


def _check_inputs(path: Path, node: onnx.NodeProto, index: int) -> None:
    """What the checker lets pass: of variadic nodes and of foreign domains it knows no inputs."""
    # Damaged names come as bytes, so they are made texts.
    name = printable(str(node.name or f"{node.op_type}_{index}"))
    subject = f"{path}: node {name!r} ({printable(str(node.op_type))})"
    left_out = [place for place, each in enumerate(node.input) if not each]
    if node.domain in STANDARD:
        if node.op_type in VARIADIC and left_out:
            # onnxruntime does not survive it.
            raise ModelError(
                f"{subject}: input {left_out[0]} has no name; each of its inputs must be a "
                "tensor. Export the model again"
            )
        return
    needed = 2 if node.domain == DOMAIN and node.op_type == "Conv" else 1
    if len(node.input) < needed or min([*left_out, needed]) < needed:
        raise ModelError(
            f"{subject}: reads {list(node.input)}; it needs {needed} named inputs at least. "
            "Export the model again"
        )


def _spell_rounding(node: onnx.NodeProto) -> None:
    """Brevitas' ROUND_TO_ZERO is a word that qonnx does not know; its own is DOWN."""
    for attribute in node.attribute:
        if attribute.name == "rounding_mode" and attribute.s.upper() == b"ROUND_TO_ZERO":
            attribute.s = b"DOWN"

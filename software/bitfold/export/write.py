"""The artefacts that leave training: model.onnx and the test set that it is proven on."""

import io
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from bitfold.export.check import Agreement, Floats, check_equal
from bitfold.export.qonnx import to_qonnx
from bitfold.files import digest, write_bytes
from bitfold.policy import BitPolicy


def export_model(
    model: nn.Module, policy: BitPolicy, x: Floats, y: npt.NDArray[np.int64], folder: Path
) -> Agreement:
    """Write policy.json, model.onnx and test.npz (x, y) into `folder`.

    `model` is quantised at `policy` and trained; x (N, C, H, W) is the whole test set, y (N,) its
    labels. model.onnx is for one image and carries bitfold's version and the digest of
    policy.json. Raises: MismatchError, with nothing written, when the graph does not compute what
    the model does.
    """
    graph = to_qonnx(model, x.shape[1:])
    agreement = check_equal(model, graph, x)
    policy.write(folder / "policy.json")
    notes = {
        "bitfold_version": version("bitfold"),
        "bitfold_policy_sha256": digest(folder / "policy.json"),
    }
    del graph.metadata_props[:]
    for key, value in notes.items():
        graph.metadata_props.add(key=key, value=value)
    buffer = io.BytesIO()
    np.savez(buffer, x=x.astype(np.float32), y=y.astype(np.int64))
    write_bytes(folder / "test.npz", buffer.getvalue())
    write_bytes(folder / "model.onnx", graph.SerializeToString(deterministic=True))
    return agreement

"""A trained, quantised model to QONNX, with the proof that both compute the same."""

from bitfold.export.check import Agreement as Agreement
from bitfold.export.check import check_equal as check_equal
from bitfold.export.policy import policy_to_onnx as policy_to_onnx
from bitfold.export.policy import run_policy as run_policy
from bitfold.export.policy import write_onnx as write_onnx
from bitfold.export.qonnx import run_qonnx as run_qonnx
from bitfold.export.qonnx import to_qonnx as to_qonnx
from bitfold.export.write import export_model as export_model

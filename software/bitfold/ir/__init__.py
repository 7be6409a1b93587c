"""Typed integer graph: values, operations, golden interpreter, text form."""

from bitfold.ir.graph import Graph as Graph
from bitfold.ir.graph import Node as Node
from bitfold.ir.graph import Op as Op
from bitfold.ir.graph import ValueMap as ValueMap
from bitfold.ir.graph import make_node as make_node
from bitfold.ir.interp import quantise_input as quantise_input
from bitfold.ir.interp import run as run
from bitfold.ir.interp import run_all as run_all
from bitfold.ir.types import Ints as Ints
from bitfold.ir.types import IntType as IntType
from bitfold.ir.verify import verify as verify

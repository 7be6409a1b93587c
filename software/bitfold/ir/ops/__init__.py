"""Every operation of the IR; the integer graph is readable as this menu."""

from bitfold.ir.ops.border import Flatten as Flatten
from bitfold.ir.ops.border import Input as Input
from bitfold.ir.ops.linear import AddBias as AddBias
from bitfold.ir.ops.linear import Conv as Conv
from bitfold.ir.ops.linear import Dense as Dense
from bitfold.ir.ops.linear import Weights as Weights
from bitfold.ir.ops.pool import MaxPool as MaxPool
from bitfold.ir.ops.threshold import Threshold as Threshold

OPS = (Input, Flatten, Conv, Dense, AddBias, Threshold, MaxPool)

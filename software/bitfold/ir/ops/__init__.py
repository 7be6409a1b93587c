"""Every operation of the IR; the integer graph is readable as this menu."""

from bitfold.ir.ops.border import Input as Input
from bitfold.ir.ops.join import Concat as Concat
from bitfold.ir.ops.join import Sum as Sum
from bitfold.ir.ops.linear import AddBias as AddBias
from bitfold.ir.ops.linear import Conv as Conv
from bitfold.ir.ops.linear import Dense as Dense
from bitfold.ir.ops.linear import Weights as Weights
from bitfold.ir.ops.move import DepthToSpace as DepthToSpace
from bitfold.ir.ops.move import Flatten as Flatten
from bitfold.ir.ops.move import Upsample as Upsample
from bitfold.ir.ops.move import ZeroPad as ZeroPad
from bitfold.ir.ops.pool import MaxPool as MaxPool
from bitfold.ir.ops.pool import SumPool as SumPool
from bitfold.ir.ops.threshold import Threshold as Threshold

OPS = (
    *(Input, Conv, Dense, AddBias, Sum, SumPool, Threshold),
    *(MaxPool, Flatten, Concat, Upsample, DepthToSpace, ZeroPad),
)
# Their results are codes where what they read is; all others but Input and Threshold accumulate.
MOVES = (MaxPool, Flatten, Concat, Upsample, DepthToSpace, ZeroPad)

"""Cost model: BitOps, size, LUTs, cycles, memory; formulas over shapes and bits."""

from bitfold.cost.bitops import bitops as bitops
from bitfold.cost.bitops import size_bits as size_bits
from bitfold.cost.shape import Folding as Folding
from bitfold.cost.shape import LayerShape as LayerShape
from bitfold.cost.shape import reference_folding as reference_folding
from bitfold.cost.interval import interval as interval
from bitfold.cost.interval import layer_cycles as layer_cycles
from bitfold.cost.interval import stage_cycles as stage_cycles

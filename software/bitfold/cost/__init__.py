"""Cost model: BitOps, size, LUTs, cycles, memory; formulas over shapes and bits."""

from bitfold.cost.bitops import bitops as bitops
from bitfold.cost.bitops import size_bits as size_bits
from bitfold.cost.interval import interval as interval
from bitfold.cost.interval import layer_cycles as layer_cycles
from bitfold.cost.interval import stage_cycles as stage_cycles
from bitfold.cost.luts import Target as Target
from bitfold.cost.luts import layer_luts as layer_luts
from bitfold.cost.luts import read_target as read_target
from bitfold.cost.luts import stage_brams as stage_brams
from bitfold.cost.luts import stage_ffs as stage_ffs
from bitfold.cost.luts import stage_luts as stage_luts
from bitfold.cost.shape import Folding as Folding
from bitfold.cost.shape import LayerShape as LayerShape
from bitfold.cost.shape import reference_folding as reference_folding

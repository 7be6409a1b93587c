"""Reference models of the hardware: bit layouts, memory images, integer results and timing.

Pure numpy and integers, used by the compiler to write memory images and by the RTL benches.
"""

from bitfold.cost.timing import MvtuTiming as MvtuTiming
from bitfold.cost.timing import mvtu_schedule as mvtu_schedule
from bitfold.sim.reference.golden import apply_thresholds as apply_thresholds
from bitfold.sim.reference.golden import mvtu as mvtu
from bitfold.sim.reference.golden import unipolar_bias as unipolar_bias
from bitfold.sim.reference.golden import unipolar_thresholds as unipolar_thresholds
from bitfold.sim.reference.golden import vvau as vvau
from bitfold.sim.reference.planes import codes_to_values as codes_to_values
from bitfold.sim.reference.planes import from_plane_beats as from_plane_beats
from bitfold.sim.reference.planes import to_plane_beats as to_plane_beats
from bitfold.sim.reference.planes import values_to_codes as values_to_codes
from bitfold.sim.reference.planes import vecbuf_words as vecbuf_words
from bitfold.sim.reference.rom import lane_file as lane_file
from bitfold.sim.reference.rom import pack_biases as pack_biases
from bitfold.sim.reference.rom import pack_channel_weights as pack_channel_weights
from bitfold.sim.reference.rom import pack_divisors as pack_divisors
from bitfold.sim.reference.rom import pack_mode_biases as pack_mode_biases
from bitfold.sim.reference.rom import pack_mode_thresholds as pack_mode_thresholds
from bitfold.sim.reference.rom import pack_thresholds as pack_thresholds
from bitfold.sim.reference.rom import pack_weights as pack_weights
from bitfold.sim.reference.rom import to_mem as to_mem
from bitfold.sim.reference.steps import Issue as Issue
from bitfold.sim.reference.steps import Step as Step
from bitfold.sim.reference.steps import issues as issues
from bitfold.sim.reference.steps import mode_steps as mode_steps
from bitfold.sim.reference.steps import pack_mode_steps as pack_mode_steps
from bitfold.sim.reference.steps import pack_steps as pack_steps
from bitfold.sim.reference.steps import step_table as step_table

"""bitfold: learn the bits of every layer, compile to a bit-serial accelerator, prove it."""

from bitfold.api import compile_model as compile_model
from bitfold.api import estimate as estimate
from bitfold.api import explore_model as explore_model
from bitfold.api import read_graph as read_graph
from bitfold.api import search_bits as search_bits
from bitfold.api import synth_design as synth_design
from bitfold.api import verify_design as verify_design
from bitfold.api import write_report as write_report

__version__ = "0.1.0"

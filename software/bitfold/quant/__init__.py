"""Brevitas quantisers and layers that the search methods share."""

from bitfold.quant.convert import QuantisedLayer as QuantisedLayer
from bitfold.quant.convert import make_switchable as make_switchable
from bitfold.quant.convert import quantise as quantise
from bitfold.quant.grids import Grid as Grid
from bitfold.quant.grids import grids as grids
from bitfold.quant.lsq import LSQ as LSQ
from bitfold.quant.settle import settle as settle
from bitfold.quant.trace import Layer as Layer
from bitfold.quant.trace import trace as trace
from bitfold.quant.truncate import Planes as Planes

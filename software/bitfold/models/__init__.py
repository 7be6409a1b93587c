"""Networks as plain float modules; quantisers are put in later, by bitfold.quant."""

from bitfold.models.convnet import convnet as convnet
from bitfold.models.mlp import mlp as mlp

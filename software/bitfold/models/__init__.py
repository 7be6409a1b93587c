"""Networks as plain float modules; quantisers are put in later, by bitfold.quant."""

from bitfold.models.cifar_resnet import cifar_resnet as cifar_resnet
from bitfold.models.convnet import convnet as convnet
from bitfold.models.mlp import mlp as mlp
from bitfold.models.mobilenet_v1 import mobilenet_v1 as mobilenet_v1
from bitfold.models.mobilenet_v2 import mobilenet_v2 as mobilenet_v2
from bitfold.models.resnet import resnet18 as resnet18
from bitfold.models.resnet import resnet50 as resnet50
from bitfold.models.vgg import vgg19 as vgg19
from bitfold.models.weights import load_weights as load_weights

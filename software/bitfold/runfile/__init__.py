"""The run file: TOML read into frozen models, one file a section."""

from bitfold.runfile.budget import BudgetKind as BudgetKind
from bitfold.runfile.budget import BudgetLimit as BudgetLimit
from bitfold.runfile.budget import BudgetSection as BudgetSection
from bitfold.runfile.data import Data as Data
from bitfold.runfile.hardware import Hardware as Hardware
from bitfold.runfile.model import CifarResNet as CifarResNet
from bitfold.runfile.model import ConvNet as ConvNet
from bitfold.runfile.model import Mlp as Mlp
from bitfold.runfile.model import MobileNet as MobileNet
from bitfold.runfile.model import Model as Model
from bitfold.runfile.model import ResNet as ResNet
from bitfold.runfile.model import Vgg19 as Vgg19
from bitfold.runfile.parse import parse_run as parse_run
from bitfold.runfile.parse import read_run as read_run
from bitfold.runfile.run import CHOICES as CHOICES
from bitfold.runfile.run import SECTIONS as SECTIONS
from bitfold.runfile.run import RunFile as RunFile
from bitfold.runfile.search import SearchBsq as SearchBsq
from bitfold.runfile.search import SearchCsq as SearchCsq
from bitfold.runfile.search import SearchLimpq as SearchLimpq
from bitfold.runfile.search import SearchUniform as SearchUniform
from bitfold.runfile.search import TrainedSearch as TrainedSearch
from bitfold.runfile.section import Bits as Bits
from bitfold.runfile.section import Section as Section
from bitfold.runfile.train import Train as Train

"""Finding bit-widths: the methods, the budgets and the one training loop."""

from bitfold.search.methods import METHODS as METHODS
from bitfold.search.progress import Progress as Progress
from bitfold.search.run import SearchResult as SearchResult
from bitfold.search.run import search as search
